#!/usr/bin/env python3
"""How many multiply-adds a model takes, and what part of the CPU's best it reaches on one thread.

    target/compare-peers/venv/bin/python tools/model_arithmetic.py --data ../shared --peak 110

Multiply-adds of convolutions and matrix products are counted from the ONNX file, with shapes as ONNX infers them. Each
model runs as facecore runs it (ONNX Runtime on the CPU, all optimisations, no spinning), with one thread, and the CPU time
of that thread counts, so that other work on the machine does not. `--peak` is what `cargo bench --bench stages -- peak`
measures, in GFLOP/s.
"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path

import numpy
import onnx
import onnxruntime

MODELS = [
    ("scrfd_2.5g_bnkps.onnx", (1, 3, 448, 640)),
    ("scrfd_2.5g_bnkps.onnx", (1, 3, 640, 640)),
    ("yunet_n_dynamic.onnx", (1, 3, 448, 640)),
    ("mobilefacenet_128.onnx", (1, 3, 112, 112)),
    ("mobilefacenet_128.onnx", (16, 3, 112, 112)),
]


def multiply_adds(path: Path, shape: tuple[int, ...]) -> int:
    model = onnx.load(str(path))
    weights = {weight.name: tuple(weight.dims) for weight in model.graph.initializer}
    for dimension, size in zip(model.graph.input[0].type.tensor_type.shape.dim, shape):
        dimension.dim_value = size
    for output in model.graph.output:
        output.type.tensor_type.ClearField("shape")
    graph = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    shapes = {
        value.name: tuple(dimension.dim_value for dimension in value.type.tensor_type.shape.dim)
        for value in [*graph.value_info, *graph.output, *graph.input]
    }
    shapes |= weights
    total = 0
    for node in graph.node:
        if node.op_type == "Conv":
            # Each output takes one of each weight of its filter.
            total += math.prod(shapes[node.output[0]]) * math.prod(shapes[node.input[1]][1:])
        elif node.op_type in ("Gemm", "MatMul"):
            total += math.prod(shapes[node.output[0]]) * shapes[node.input[0]][-1]
    return total


def seconds(path: Path, shape: tuple[int, ...], repeat: int) -> float:
    """The least CPU time of a run."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    values = numpy.random.default_rng(1).standard_normal(shape).astype(numpy.float32)
    taken = []
    for _ in range(repeat + 2):
        begin = time.thread_time()
        session.run(None, {session.get_inputs()[0].name: values})
        taken.append(time.thread_time() - begin)
    return min(taken[2:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared"))
    parser.add_argument("--peak", type=float, required=True, help="GFLOP/s of one thread")
    parser.add_argument("--repeat", type=int, default=20)
    options = parser.parse_args()
    print(f"onnxruntime {onnxruntime.__version__}, one thread, peak {options.peak} GFLOP/s")
    for file, shape in MODELS:
        path = options.data / "models" / file
        adds, took = multiply_adds(path, shape), seconds(path, shape, options.repeat)
        rate = 2 * adds / took / 1e9
        print(
            f"{file:24} {' x '.join(map(str, shape)):18} {adds / 1e6:8.0f} M multiply-adds  {took * 1e3:7.2f} ms  "
            f"{rate:6.1f} GFLOP/s  {rate / options.peak:4.0%}"
        )


if __name__ == "__main__":
    main()
