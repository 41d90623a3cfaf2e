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

SKIPPED = $(CURDIR)/target/skipped.log

.PHONY: help
help: ## This list.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

.PHONY: runtime
runtime: ## Fetch ONNX Runtime from the Python registry into the folder that facecore looks in.
	rm -rf "$(RUNTIME_DIR).new"
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --only-binary=:all: --target "$(RUNTIME_DIR).new" "$(RUNTIME)"
	rm -rf "$(RUNTIME_DIR)" && mv "$(RUNTIME_DIR).new" "$(RUNTIME_DIR)"

.PHONY: test
test: ## Every test. What is skipped for lack of data or a runtime is listed at the end.
	@mkdir -p target && rm -f "$(SKIPPED)"
	@FACECORE_SKIP_LOG="$(SKIPPED)" cargo test --workspace; status=$$?; \
	if [ -s "$(SKIPPED)" ]; then echo "Not tested for lack of data or runtime:"; sort -u "$(SKIPPED)"; fi; exit $$status

.PHONY: check
check: runtime lint features ## All that CI does; nothing may be skipped.
	FACECORE_REQUIRE_TEST_DATA=1 $(MAKE) --no-print-directory test
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

.PHONY: lint
lint: ## Formatting and lints.
	cargo fmt --all -- --check
	cargo clippy --workspace --all-targets -- -D warnings

.PHONY: features
features: ## The builds that leave something out.
	cargo check -p facecore --no-default-features
	cargo check -p facecore --no-default-features --features recognition
	cargo check -p facecore --no-default-features --features rten,ndarray
	cargo check -p facecore --no-default-features --features onnxruntime

.PHONY: header
header: ## Write include/facecore.h anew from the sources.
	FACECORE_WRITE_HEADER=1 cargo test -p facecore-ffi --test header

.PHONY: fuzz
fuzz: ## Fuzz what reads foreign bytes, FUZZ_SECONDS (600) for each target. Needs `cargo install cargo-fuzz`.
	@for target in decode_image decode_detections read_record read_sections; do \
		RUSTC_BOOTSTRAP=1 cargo fuzz run $$target -- -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=3000 || exit 1; \
	done

.PHONY: compare-index
compare-index: $(COMPARED)/venv/installed ## Compare the gallery with hnswlib, usearch and faiss, N (100000) faces. Needs a C++ compiler.
	cargo build --release -p facecore-compare
	@for set in $(SETS); do \
		folder=$(COMPARED)/$$set-$(N) && echo && \
		taskset -c 0 cargo run --quiet --release -p facecore-compare -- $$set $(N) $$folder && \
		$(COMPARED)/venv/bin/python tools/compare_index.py $$folder $(INDEXES:%=--index %) || exit 1; \
	done

$(COMPARED)/venv/installed: tools/compare_index_requirements.txt
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

.PHONY: deny
deny: ## Licences, advisories and sources of dependencies. Needs `cargo install cargo-deny`.
	cargo deny check
