"""From trained networks to ONNX graphs with weights as f16, which answer as the networks do."""

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper

from .detector import STRIDES

# What both runtimes read; nothing newer is used.
OPSET = 17
# How far a graph's numbers may be from the network's, as a share of the number and at least: what f16 costs, a few
# times over.
TOLERANCE = 0.01


class YuNetOutputs(torch.nn.Module):
    """The detector with the outputs of the `yunet` kind, which takes the root of the product of two scores."""

    def __init__(self, detector):
        super().__init__()
        self.detector = detector

    def forward(self, x):
        classes, objects, boxes, points = [], [], [], []
        for answer in self.detector(x):
            rows = answer.permute(0, 2, 3, 1).reshape(answer.shape[0], -1, 15)
            score = torch.sigmoid(rows[..., :1])
            classes.append(score)
            # A tensor of its own: a graph may not give one tensor two names.
            objects.append(score * 1.0)
            boxes.append(rows[..., 1:5])
            points.append(rows[..., 5:])
        return (*classes, *objects, *boxes, *points)


def export_detector(model, path):
    names = [f"{part}_{stride}" for part in ("cls", "obj", "bbox", "kps") for stride in STRIDES]
    free = {0: "batch", 2: "height", 3: "width"}
    # The smallest there is, another shape than the example's, and sides that are odd multiples of 32.
    export(YuNetOutputs(model), (1, 64, 96), path, names, free, [(1, 32, 32), (2, 96, 64), (1, 160, 224)])


def export_embedder(model, path):
    export(model, (2, 112, 112), path, ["embedding"], {0: "batch"}, [(1, 112, 112), (5, 112, 112)])


def export(model, example, path, outputs, free, tried):
    """Writes the graph with batch norm folded into the convolutions and weights as f16, and tries it.

    `example` and what is `tried` are (batch, height, width).
    """
    batch, height, width = example
    torch.onnx.export(
        model.eval().cpu().float(), torch.zeros(batch, 3, height, width), str(path), dynamo=False,
        opset_version=OPSET, input_names=["input"], output_names=outputs,
        dynamic_axes={"input": free, **{name: {0: "batch"} for name in outputs}})
    graph = onnx.load(path)
    halve(graph)
    onnx.checker.check_model(graph, full_check=True)
    graph.producer_name, graph.producer_version, graph.doc_string = "facecore tools/lite", "", ""
    onnx.save(graph, path)
    for batch, height, width in tried:
        pixels = np.random.default_rng(0).uniform(-1, 1, (batch, 3, height, width)).astype(np.float32)
        compare(model, path, pixels)


def compare(model, path, pixels):
    """Ends the program if the graph at `path` answers otherwise than the model that it was made from."""
    with torch.no_grad():
        wanted = model(torch.from_numpy(pixels))
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    answers = session.run(names, {"input": pixels})
    for name, answer, truth in zip(names, answers, [wanted] if torch.is_tensor(wanted) else wanted, strict=True):
        truth = truth.numpy()
        if answer.shape != truth.shape or not np.isfinite(answer).all():
            raise SystemExit(f"{path}: {name} of {pixels.shape} is {answer.shape}, or not all of it finite")
        away = (np.abs(answer - truth) / np.maximum(np.abs(truth), 1)).max()
        if not away <= TOLERANCE:
            raise SystemExit(f"{path}: {name} of {pixels.shape} is up to {away:.3g} away from PyTorch's answer")


def halve(model):
    """Stores the weights as f16, with a Cast to f32 that runtimes do once, at load. Computing stays f32."""
    graph = model.graph
    casts = []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < 64:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), name + ".f16"))
        casts.append(helper.make_node("Cast", [name + ".f16"], [name], to=TensorProto.FLOAT, name=name + ".cast"))
    nodes = casts + list(graph.node)
    del graph.node[:]
    graph.node.extend(nodes)
    del graph.value_info[:]
