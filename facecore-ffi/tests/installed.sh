#!/bin/sh
# The C library as `make install` leaves it, used as docs/c-abi.md and the examples say: each example is built by its one
# command, shared and static, and names the right people in photographs.
#
#     installed.sh PREFIX SCRATCH [TEST_DATA]
set -eu
prefix=$1 scratch=$2 data=${3:-}
examples=$(cd "$(dirname "$0")/../../examples" && pwd)
export PKG_CONFIG_PATH="$prefix/lib/pkgconfig" LD_LIBRARY_PATH="$prefix/lib"

fail() { echo "installed.sh: $*" >&2; exit 1; }

rm -rf "$scratch" && mkdir -p "$scratch"
cd "$scratch"
exported=$(nm -D --defined-only "$prefix/lib/libfacecore.so" | awk '{ print $3 }')
others=$(echo "$exported" | grep -v '^facecore_' || true)
[ -z "$others" ] || fail "exports other names: $others"
! echo "$exported" | grep -q fake || fail "was built for tests"
declared=$(grep -oE '\bfacecore_[a-z0-9_]+\(' "$prefix/include/facecore.h" | tr -d '(' | sort -u)
[ "$declared" = "$(echo "$exported" | sort -u)" ] || fail "declares other functions than the library exports"
readelf -d "$prefix/lib/libfacecore.so" | grep -q 'SONAME.*\[libfacecore\.so\.[0-9]*\]' || fail "has no SONAME"

cc -o identify "$examples/c/identify.c" $(pkg-config --cflags --libs facecore)
cc -o camera "$examples/c/camera.c" $(pkg-config --cflags --libs facecore)
cc -o identify-static "$examples/c/identify.c" $(pkg-config --cflags facecore) \
    "$prefix/lib/libfacecore.a" $(pkg-config --static --libs-only-l facecore | sed 's/-lfacecore//')
c++ -std=c++17 -o identify-cpp "$examples/cpp/identify.cpp" $(pkg-config --cflags --libs facecore)
make --quiet -C "$examples/java" BUILD="$scratch/java"
echo "installed.sh: every example is built"

[ -n "$data" ] || [ "${FACECORE_REQUIRE_TEST_DATA:-}" != 1 ] || fail "there are no photographs to run them on"
[ -n "$data" ] || { echo "installed.sh: no photographs, nothing was run"; exit 0; }
mkdir -p people/obama
cp "$data/images/obama.jpg" "$data/images/obama2.jpg" people/obama/
cp "$data/images/biden.jpg" people/

names() { grep -E '^ *(obama|biden|unknown) ' | awk '{ print $1 }' | sort | uniq -c | awk '{ print $2 "=" $1 }' | tr '\n' ' '; }
photo="$data/images/knn_obama_and_biden.jpg"
check() {
    found=$("$@") || fail "$* failed"
    echo "$found" | names | grep -q '^biden=1 obama=1 ' || fail "$* named others: $found"
    echo "installed.sh: $1 names obama and biden"
}
check ./identify people "$photo"
check env -u LD_LIBRARY_PATH ./identify-static people "$photo"
check ./identify-cpp gallery "$photo" people
check make --silent -C "$examples/java" BUILD="$scratch/java" identify PEOPLE="$scratch/people" PHOTO="$photo"
