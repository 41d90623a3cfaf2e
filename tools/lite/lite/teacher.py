"""Embedders in ONNX files: the teacher, who says of each face which embedding the student is to give."""

import numpy as np
import onnxruntime

from . import kept


class OnnxEmbedder:
    """An embedder of aligned 112 x 112 RGB faces in an ONNX file."""

    def __init__(self, model, threads):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        providers = [p for p in ("CUDAExecutionProvider", "CPUExecutionProvider")
                     if p in onnxruntime.get_available_providers()]
        self.session = onnxruntime.InferenceSession(str(model), options, providers=providers)
        self.input = self.session.get_inputs()[0].name

    def __call__(self, faces):
        """Unit embeddings [n, d] of uint8 faces [n, 112, 112, 3]."""
        pixels = (faces.transpose(0, 3, 1, 2).astype(np.float32) - 127.5) / 127.5
        return unit(self.session.run(None, {self.input: pixels})[0])


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def embed(embedder, faces, batch=128):
    """Unit embeddings of faces [n, 112, 112, 3]."""
    return np.concatenate([embedder(faces[at : at + batch]) for at in range(0, len(faces), batch)])


def embed_all(teacher, faces, cache, settings, batch=16):
    """The teacher's embeddings of faces [n, 112, 112, 3], kept at `cache`: the mean of those of the face and of
    its mirror image, which is the better teacher of the two and the easier to follow."""

    def part(start, stop):
        embeddings = []
        for at in range(start, stop, batch):
            some = np.ascontiguousarray(faces[at : min(at + batch, stop)])
            embeddings.append(unit(teacher(some) + teacher(some[:, :, ::-1])))
        return np.concatenate(embeddings).astype(np.float32)

    return kept.rows(cache, settings, len(faces), part)
