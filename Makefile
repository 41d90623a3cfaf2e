# The commands of this project. CI runs `make check`.

# ONNX Runtime to fetch: onnxruntime (CPU), onnxruntime-openvino (CPU and Intel devices, 16-bit arithmetic),
# onnxruntime-gpu (CUDA, TensorRT). Versions are pinned: the library is loaded into the process.
RUNTIME ?= onnxruntime-openvino==1.24.1
RUNTIME_DIR ?= $(or $(XDG_DATA_HOME),$(HOME)/.local/share)/facecore/runtime
PYTHON ?= python3

.PHONY: runtime
runtime: ## Fetch ONNX Runtime from the Python registry into the folder that facecore looks in.
	rm -rf "$(RUNTIME_DIR).new"
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --only-binary=:all: --target "$(RUNTIME_DIR).new" "$(RUNTIME)"
	rm -rf "$(RUNTIME_DIR)" && mv "$(RUNTIME_DIR).new" "$(RUNTIME_DIR)"
