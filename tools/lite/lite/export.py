"""From trained networks to ONNX graphs with weights as f16."""

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from .detector import STRIDES

# What both runtimes read; nothing newer is used.
OPSET = 17


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
    export(YuNetOutputs(model), torch.zeros(1, 3, 64, 96), path, names, free)


def export_embedder(model, path):
    export(model, torch.zeros(2, 3, 112, 112), path, ["embedding"], {0: "batch"})


def export(model, example, path, outputs, free):
    """Writes the graph with batch norm folded into the convolutions and weights as f16."""
    torch.onnx.export(
        model.eval().cpu().float(), example, str(path), dynamo=False, opset_version=OPSET, input_names=["input"],
        output_names=outputs, dynamic_axes={"input": free, **{name: {0: "batch"} for name in outputs}})
    graph = onnx.load(path)
    halve(graph)
    onnx.checker.check_model(graph, full_check=True)
    graph.producer_name, graph.producer_version, graph.doc_string = "facecore tools/lite", "", ""
    onnx.save(graph, path)


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
