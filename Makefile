# The commands of this project; `make help` lists them. CI runs `make check`.

# ONNX Runtime to fetch: onnxruntime (CPU), onnxruntime-openvino (CPU and Intel devices, 16-bit arithmetic),
# onnxruntime-gpu (CUDA, TensorRT). Versions are pinned: the library is loaded into the process.
RUNTIME ?= onnxruntime-openvino==1.24.1
RUNTIME_DIR ?= $(or $(XDG_DATA_HOME),$(HOME)/.local/share)/facecore/runtime
PYTHON ?= python3
FUZZ_SECONDS ?= 600

# What compare-index compares: faces, kinds of mates, and other libraries' indexes (by default all of them, from
# 500,000 faces on only the scans: faiss-flat and faiss-sq8).
N ?= 100000
SETS ?= standard hard
INDEXES ?=
COMPARED = target/compare-index

# Where `make install` puts the C library, and what it is called there. C_FEATURES="--no-default-features" leaves the small
# models out of it.
PREFIX ?= /usr/local
C_FEATURES ?=
# Where cargo builds it.
C_TARGET ?= target
INSTALLED = $(DESTDIR)$(PREFIX)
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
ABI := $(shell sed -n 's/.*FACECORE_ABI_MAJOR: i32 = \([0-9]*\);/\1/p' facecore-ffi/src/status.rs)
ifeq ($(shell uname),Darwin)
DYLIB = dylib
SONAME = libfacecore.$(ABI).dylib
REAL_NAME = libfacecore.$(VERSION).dylib
SONAME_ARGS = -C link-arg=-Wl,-install_name,@rpath/$(SONAME)
LIBS_PRIVATE = -liconv -lSystem -lc -lm
else
DYLIB = so
SONAME = libfacecore.so.$(ABI)
REAL_NAME = libfacecore.so.$(VERSION)
SONAME_ARGS = -C link-arg=-Wl,-soname,$(SONAME)
LIBS_PRIVATE = -lgcc_s -lutil -lrt -lpthread -lm -ldl -lc
endif

# Where its examples are tried.
C_TRIED = $(CURDIR)/target/installed

SKIPPED = $(CURDIR)/target/skipped.log

# Where Python's tools and tests live, and the wheel that is tested.
PYTHON_ENV = $(CURDIR)/target/python
WHEELS = $(CURDIR)/target/wheels

# Where the recipe of the embedded pack finds PyTorch, and photographs.
LITE_ENV = $(CURDIR)/target/lite/venv
TEST_DATA = $(or $(FACECORE_TEST_DATA),../shared)

.PHONY: help
help: ## This list.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

.PHONY: runtime
runtime: ## Fetch ONNX Runtime from the Python registry into the folder that facecore looks in.
	rm -rf "$(RUNTIME_DIR).new"
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --only-binary=:all: --target "$(RUNTIME_DIR).new" "$(RUNTIME)"
	rm -rf "$(RUNTIME_DIR)" && mv "$(RUNTIME_DIR).new" "$(RUNTIME_DIR)"

# Runs targets whose tests note what they skip, and lists that at the end: cargo and pytest swallow it, or print it
# where it scrolls away.
define listing_what_is_skipped
	@mkdir -p target && rm -f "$(SKIPPED)"
	+@FACECORE_SKIP_LOG="$(SKIPPED)" $(MAKE) --no-print-directory $(1); status=$$?; \
	if [ -s "$(SKIPPED)" ]; then \
		echo; echo "Not tested, for lack of data or of a runtime (README.md, Tests):"; sort -u "$(SKIPPED)"; \
	elif [ $$status = 0 ]; then echo; echo "Nothing was skipped."; fi; \
	exit $$status
endef

.PHONY: test
test: ## Every test; at the end what was skipped, and why.
	$(call listing_what_is_skipped,run-rust run-python)

.PHONY: test-rust
test-rust: ## The tests in Rust.
	$(call listing_what_is_skipped,run-rust)

.PHONY: test-python
test-python: ## The tests in Python, of the wheel in an environment of its own, and its types.
	$(call listing_what_is_skipped,run-python)

.PHONY: run-rust
run-rust:
	cargo test --workspace

.PHONY: run-python
run-python: wheel
	cd facecore-py && $(PYTHON_ENV)/bin/mypy && $(PYTHON_ENV)/bin/basedpyright --pythonpath $(PYTHON_ENV)/bin/python
	cd facecore-py && $(PYTHON_ENV)/bin/stubtest facecore._native --allowlist tests/stubtest_allowlist.txt
	cd facecore-py && $(PYTHON_ENV)/bin/python -m pytest -q

# By way of the source distribution, so that this is known to be complete.
.PHONY: wheel
wheel: $(PYTHON_ENV)/installed ## Build target/wheels/facecore-*.whl, and install it into target/python.
	rm -rf $(WHEELS)
	cd facecore-py && $(PYTHON_ENV)/bin/maturin sdist --out $(WHEELS)
	PATH="$(PYTHON_ENV)/bin:$$PATH" CARGO_TARGET_DIR=$(CURDIR)/target/python-build pip wheel --quiet --no-deps --no-build-isolation --wheel-dir $(WHEELS) $(WHEELS)/facecore-*.tar.gz
	$(PYTHON_ENV)/bin/pip install --quiet --disable-pip-version-check --no-deps --force-reinstall $(WHEELS)/facecore-*.whl
	@ls -sh1 $(WHEELS)

$(PYTHON_ENV)/installed: facecore-py/tests/requirements.txt
	$(PYTHON) -m venv --clear $(PYTHON_ENV)
	$(PYTHON_ENV)/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

.PHONY: check
check: runtime lint features ## All that CI does; nothing may be skipped.
	FACECORE_REQUIRE_TEST_DATA=1 $(MAKE) --no-print-directory test
	FACECORE_REQUIRE_TEST_DATA=1 $(MAKE) --no-print-directory try-installed C_TARGET=target/python-build
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

.PHONY: lint
lint: ## Formatting and lints.
	cargo fmt --all -- --check
	cargo clippy --workspace --all-targets -- -D warnings

.PHONY: features
features: ## The builds that leave something out.
	cargo check -p facecore --no-default-features
	cargo check -p facecore --no-default-features --features exchange
	cargo check -p facecore --no-default-features --features hnsw_rs
	cargo check -p facecore --no-default-features --features recognition
	cargo check -p facecore --no-default-features --features lite-models
	cargo check -p facecore --no-default-features --features download
	cargo check -p facecore --no-default-features --features rten,ndarray
	cargo check -p facecore --no-default-features --features onnxruntime
	cargo clippy -p facecore-py --features fake -- -D warnings
	cargo check -p facecore-ffi --no-default-features

.PHONY: header
header: ## Write include/facecore.h anew from the sources.
	FACECORE_WRITE_HEADER=1 cargo test -p facecore-ffi --test header the_header_is_up_to_date

.PHONY: abi
abi: ## Write down the ABI of a new version (facecore-ffi/src/status.rs) in facecore-ffi/tests/abi.
	FACECORE_WRITE_ABI=1 cargo test -p facecore-ffi --test abi the_abi_is_what_it_was

.PHONY: library
library: ## Build the C library, shared and static.
	cargo rustc --release --locked --target-dir $(C_TARGET) -p facecore-ffi --lib --crate-type cdylib,staticlib $(C_FEATURES) -- $(SONAME_ARGS)

.PHONY: install
install: library ## Install the C library, headers and facecore.pc below PREFIX (/usr/local), or DESTDIR with it.
	install -d "$(INSTALLED)/lib/pkgconfig" "$(INSTALLED)/include" "$(INSTALLED)/share/doc/facecore"
	install -m 755 $(C_TARGET)/release/libfacecore_ffi.$(DYLIB) "$(INSTALLED)/lib/$(REAL_NAME)"
	ln -sf $(REAL_NAME) "$(INSTALLED)/lib/$(SONAME)"
	ln -sf $(SONAME) "$(INSTALLED)/lib/libfacecore.$(DYLIB)"
	install -m 644 $(C_TARGET)/release/libfacecore_ffi.a "$(INSTALLED)/lib/libfacecore.a"
	install -m 644 include/facecore.h include/facecore.hpp "$(INSTALLED)/include/"
	sed -e 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(VERSION)|; s|@LIBS_PRIVATE@|$(LIBS_PRIVATE)|' \
		facecore-ffi/facecore.pc.in > "$(INSTALLED)/lib/pkgconfig/facecore.pc"
	install -m 644 LICENSE-MIT LICENSE-APACHE docs/c-abi.md "$(INSTALLED)/share/doc/facecore/"
ifeq ($(findstring --no-default-features,$(C_FEATURES)),)
	install -m 644 facecore/models/lite/LICENSE.md "$(INSTALLED)/share/doc/facecore/LICENSE-lite-models.md"
endif

# A library with what tests and measurements need besides (feature `fake` of facecore-ffi), as if installed.
C_FAKE = $(CURDIR)/target/fake
.PHONY: fake-library
fake-library:
	cargo rustc --release --locked --target-dir $(C_TARGET) -p facecore-ffi --lib --crate-type cdylib --features fake
	install -d $(C_FAKE)/lib/pkgconfig $(C_FAKE)/include
	install -m 755 $(C_TARGET)/release/libfacecore_ffi.$(DYLIB) $(C_FAKE)/lib/libfacecore.$(DYLIB)
	install -m 644 include/facecore.h $(C_FAKE)/include/
	sed -e 's|@PREFIX@|$(C_FAKE)|; s|@VERSION@|$(VERSION)|; s|@LIBS_PRIVATE@||' \
		facecore-ffi/facecore.pc.in > $(C_FAKE)/lib/pkgconfig/facecore.pc

.PHONY: bench-c
bench-c: fake-library ## What the C ABI adds to a call, with models that cost nothing.
	$(CC) -O2 -o $(C_FAKE)/overhead facecore-ffi/tests/c/overhead.c -I facecore-ffi/tests/c -I include \
		-L $(C_FAKE)/lib -lfacecore -Wl,-rpath,$(C_FAKE)/lib
	$(C_FAKE)/overhead

.PHONY: bench-java
bench-java: fake-library ## What the Java example adds to a call, likewise.
	PKG_CONFIG_PATH=$(C_FAKE)/lib/pkgconfig $(MAKE) --no-print-directory -C examples/java BUILD=$(C_FAKE)/java measure

.PHONY: try-installed
try-installed: ## Install the C library below target/, build the examples by their one command, run them on photographs.
	$(MAKE) --no-print-directory install PREFIX=$(C_TRIED)/usr
	facecore-ffi/tests/installed.sh $(C_TRIED)/usr $(C_TRIED)/examples $(wildcard $(or $(FACECORE_TEST_DATA),$(CURDIR)/../shared))

.PHONY: fuzz
fuzz: ## Fuzz what reads foreign bytes, FUZZ_SECONDS (600) for each target. Needs `cargo install cargo-fuzz`.
	@for target in decode_image decode_detections read_archive read_graph read_npz read_record read_sections; do \
		RUSTC_BOOTSTRAP=1 cargo fuzz run $$target -- -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=3000 || exit 1; \
	done

.PHONY: compare-index
compare-index: $(COMPARED)/venv/installed ## Compare the gallery with hnswlib, usearch and faiss, N (100000) faces. Needs a C++ compiler.
	cargo build --release -p facecore-compare
	@for set in $(SETS); do \
		folder=$(COMPARED)/$$set-$(N) && echo && \
		taskset -c 0 cargo run --quiet --release -p facecore-compare -- $$set $(N) $$folder && \
		taskset -c 0 $(COMPARED)/venv/bin/python tools/compare_index.py $$folder $(INDEXES:%=--index %) || exit 1; \
	done

.PHONY: compare-churn
compare-churn: ## What many changes do to a graph, beside one made at once: N (100000) faces, all replaced twice, most removed.
	cargo run --release -p facecore-compare -- churn $(N)

# Dimensions that compare-scale takes, so that millions of faces fit into memory.
DIMENSION ?= 512
.PHONY: compare-scale
compare-scale: ## What 10 and 100 million faces would take, computed from N (100000), which are checked against a tenth.
	@for index in flat hnsw; do cargo run --quiet --release -p facecore-compare -- scale $(N) $(DIMENSION) $$index || exit 1; done

$(COMPARED)/venv/installed: tools/compare_index_requirements.txt
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

# What compare-peers is told, and how many photos of LFW its throughput takes.
PEERS = target/compare-peers
PEERS_OPTIONS ?=
MANY ?= 1000
.PHONY: compare-peers
compare-peers: wheel $(PEERS)/venv/installed ## Compare whole photos with insightface, OpenCV and face_recognition. Needs the test data.
	$(PEERS)/venv/bin/pip install --quiet --disable-pip-version-check --no-deps --force-reinstall $(WHEELS)/facecore-*.whl
	$(PEERS)/venv/bin/python tools/compare_peers.py --data $(TEST_DATA) --work $(PEERS) --many $(MANY) $(PEERS_OPTIONS)

$(PEERS)/venv/installed: tools/compare_peers_requirements.txt
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

.PHONY: lite-smoke
lite-smoke: wheel $(LITE_ENV)/installed ## Try the recipe of the embedded pack on a sample, some minutes. Needs the test data, and 6 GB for PyTorch.
	$(LITE_ENV)/bin/pip install --quiet --disable-pip-version-check --no-deps --force-reinstall $(WHEELS)/facecore-*.whl
	$(LITE_ENV)/bin/python tools/lite/smoke.py --data $(TEST_DATA) --work target/lite/smoke

$(LITE_ENV)/installed: tools/lite/requirements.txt
	$(PYTHON) -m venv --clear $(LITE_ENV)
	$(LITE_ENV)/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

.PHONY: bench-python
bench-python: $(PYTHON_ENV)/installed ## What the Python layer adds to a call, with models that cost nothing.
	cd facecore-py && VIRTUAL_ENV=$(PYTHON_ENV) $(PYTHON_ENV)/bin/maturin develop --release --features fake
	$(PYTHON_ENV)/bin/python facecore-py/benches/overhead.py

.PHONY: soak-python
soak-python: wheel ## 20,000 photos of mixed sizes through one recognizer: memory must stay flat. Needs the test data.
	$(PYTHON_ENV)/bin/python facecore-py/benches/soak.py

.PHONY: asan-python
asan-python: $(PYTHON_ENV)/installed ## The Python tests of the native half under AddressSanitizer. Needs gcc's libasan.
	RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zsanitizer=address" cargo build -p facecore-py --features extension-module --target x86_64-unknown-linux-gnu --target-dir target/asan
	rm -rf target/asan/package && mkdir -p target/asan/package && cp -r facecore-py/python/facecore target/asan/package/
	cp target/asan/x86_64-unknown-linux-gnu/debug/libfacecore_native.so target/asan/package/facecore/_native.abi3.so
	cd facecore-py && LD_PRELOAD=$$(gcc -print-file-name=libasan.so) ASAN_OPTIONS=detect_leaks=0 PYTHONMALLOC=malloc PYTHONPATH=$(CURDIR)/target/asan/package \
		$(PYTHON_ENV)/bin/python -X dev -m pytest -q tests/test_errors.py tests/test_images.py tests/test_recognizer.py tests/test_gallery.py

# With the built-in runtime alone: ONNX Runtime makes noise of its own. Photographs take long under Valgrind.
BUILTIN_ALONE = env -u VIRTUAL_ENV -u CONDA_PREFIX -u ORT_DYLIB_PATH XDG_DATA_HOME=/nonexistent
VALGRIND = valgrind -q --leak-check=full --show-leak-kinds=definite,possible --errors-for-leak-kinds=definite,possible \
	--error-exitcode=1 --suppressions=$(CURDIR)/facecore-ffi/tests/c/valgrind.supp

.PHONY: valgrind-c
valgrind-c: ## The C tests under Valgrind: no error and no leak.
	$(BUILTIN_ALONE) FACECORE_TEST_DATA=/nonexistent FACECORE_C_WRAPPER="$(VALGRIND)" cargo test -p facecore-ffi --test programs

.PHONY: asan-c
asan-c: ## The C tests under AddressSanitizer and UndefinedBehaviorSanitizer, the library too. Needs gcc's libasan.
	RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zsanitizer=address" cargo build -p facecore-ffi --features fake --target x86_64-unknown-linux-gnu --target-dir target/asan
	mkdir -p target/asan/c && ln -sf ../x86_64-unknown-linux-gnu/debug/libfacecore_ffi.so target/asan/c/libfacecore.so
	$(BUILTIN_ALONE) ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1 UBSAN_OPTIONS=halt_on_error=1 \
		FACECORE_C_FLAGS="-fsanitize=address,undefined -fno-sanitize-recover=all" FACECORE_C_LIBRARY=$(CURDIR)/target/asan/c \
		cargo test -p facecore-ffi --test programs

.PHONY: deny
deny: ## Licences, advisories and sources of dependencies. Needs `cargo install cargo-deny`.
	cargo deny check
