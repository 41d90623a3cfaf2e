"""`insightface.app.FaceAnalysis` on facecore: the same packs, the same boxes, points and embeddings.

    from facecore.compat.insightface import FaceAnalysis
    app = FaceAnalysis("buffalo_l", providers=["CUDAExecutionProvider", "CPUExecutionProvider"])
    app.prepare(ctx_id=0)
    for face in app.get(bgr):
        print(face.bbox, face.det_score, face.normed_embedding @ known)

Images are `uint8` arrays of shape (height, width, 3), blue first, as OpenCV reads them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias, TypeVar, Unpack

import numpy
from numpy.typing import NDArray

from .. import _models
from .._errors import (
    InvalidArgumentError,
    LandmarksError,
    ModelKindUnknownError,
    ModelMismatchError,
    ModelNotFoundError,
    ProviderUnavailableError,
)
from .._results import Placement, Space
from . import UnsupportedError

__all__ = ["DetectionModel", "Face", "FaceAnalysis", "RecognitionModel"]

Pixels: TypeAlias = NDArray[numpy.uint8]
Floats: TypeAlias = NDArray[numpy.float32]
Size: TypeAlias = tuple[int, int]

_DETECTION, _RECOGNITION = "detection", "recognition"

# The files of insightface's own packs, which need not be opened to know what they are.
_DETECTORS = ("det_", "scrfd", "yunet", "face_detection_yunet")
_EMBEDDERS = ("w600k", "glintr", "arcface", "adaface", "mobilefacenet", "face_recognition_sface")
_OF_NO_USE = ("1k3d68", "2d106det", "genderage", "inswapper")

_PROVIDERS = {
    "CPUExecutionProvider": "cpu",
    "CUDAExecutionProvider": "cuda",
    "OpenVINOExecutionProvider": "openvino",
    "TensorrtExecutionProvider": "tensorrt",
}

# What insightface 2 looks at where no size is named.
_TWO_SIZES: tuple[Size, ...] = ((128, 128), (640, 640))
_NMS_IOU = 0.4

_OF_OTHER_MODELS = {
    "age": "ages",
    "gender": "genders",
    "sex": "genders",
    "pose": "head poses",
    "landmark_2d_106": "106 points; `kps` has five",
    "landmark_3d_68": "68 points; `kps` has five",
    "liveness": "liveness",
}


class Options(_models.RuntimeOptions, total=False):
    """facecore's own, beside insightface's. A `provider` given here runs the models or it is an error."""


class Face(dict[str, Any]):
    """A face: a dictionary whose items are attributes too. `bbox` (x1, y1, x2, y2), `kps` (five points, x and y; as
    all boxes in pixels), `det_score` (0 to 1) and, if there is a recognition model, `embedding` as the model gave it.
    An attribute that is not there is `None`; those of models that facecore does not run raise `UnsupportedError`.
    """

    def __init__(self, d: Mapping[str, Any] | None = None, **items: Any) -> None:
        super().__init__(d or {}, **items)

    def __getattr__(self, name: str) -> Any:
        if name in self:
            return self[name]
        if name in _OF_OTHER_MODELS:
            raise UnsupportedError(
                f"facecore has no model for {_OF_OTHER_MODELS[name]}; `{name}` is insightface's own to tell"
            )
        if name.startswith("__"):
            raise AttributeError(name)
        return None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    @property
    def embedding_norm(self) -> Any:
        """The length of `embedding`, a number."""
        return None if self.embedding is None else float(numpy.linalg.norm(self.embedding))

    @property
    def normed_embedding(self) -> Any:
        """`embedding` at length 1: the product of two is the cosine."""
        return None if self.embedding is None else self.embedding / numpy.float32(self.embedding_norm)


class DetectionModel:
    """Finds faces. `FaceAnalysis` makes it."""

    taskname = _DETECTION

    def __init__(self, opened: Callable[..., _models.Detector], threshold: float, sizes: Sequence[Size]) -> None:
        self.det_thresh = threshold
        self.input_size = sizes[-1]
        # Looks at several sizes are merged before overlapping faces are dropped.
        overlap = _NMS_IOU if len(sizes) == 1 else 1.0
        self._detectors = [
            opened(score_threshold=threshold, nms_iou=overlap, input_size=size, close_ups=False) for size in sizes
        ]

    def detect(self, img: Pixels, *, max_num: int = 0, metric: str = "default") -> tuple[Floats, Floats | None]:
        """Boxes and scores as rows of five numbers, best first, and points of shape (faces, 5, 2); `None` if the
        model gives none. Of more than `max_num` faces (0: no limit) those stay that are large and, unless `metric`
        is `"max"`, central."""
        found = [face for detector in self._detectors for face in detector.detect(img, color="bgr")]
        boxes = numpy.array([[*face.box, face.score] for face in found], numpy.float32).reshape(-1, 5)
        given = [face.landmarks for face in found if face.landmarks is not None]
        points = numpy.array(given, numpy.float32).reshape(-1, 5, 2) if len(given) == len(found) else None
        kept = numpy.arange(len(found))
        if len(self._detectors) > 1:
            kept = _without_overlaps(boxes)
        if 0 < max_num < len(kept):
            kept = kept[_weight(boxes[kept], img, metric).argsort()[::-1][:max_num]]
        return boxes[kept], None if points is None else points[kept]

    @property
    def placement(self) -> Placement:
        """What really runs it."""
        return self._detectors[-1].placement


class RecognitionModel:
    """Turns faces into embeddings. `FaceAnalysis` makes it."""

    taskname = _RECOGNITION

    def __init__(self, embedder: _models.Embedder) -> None:
        self._embedder = embedder
        self._aligner = embedder.aligner

    def get(self, img: Pixels, face: Face) -> Floats:
        """Sets the `embedding` of a face, and returns it."""
        embedding: Floats = self.get_all(img, [face])[0]
        return embedding

    def get_all(self, img: Pixels, faces: Sequence[Face]) -> Floats:
        """Sets the `embedding` of each face of an image, in batches."""
        if any(face.kps is None for face in faces):
            raise LandmarksError("faces are aligned by five points, and the detection model gives none: take another")
        crops = [self._aligner.align(img, face.kps, color="bgr") for face in faces]
        embeddings = self._embed(crops)
        for face, embedding in zip(faces, embeddings):
            face.embedding = embedding
        return embeddings

    def get_feat(self, imgs: Pixels | Sequence[Pixels]) -> Floats:
        """The embeddings of one or several aligned crops, as rows."""
        return self._embed([imgs] if isinstance(imgs, numpy.ndarray) else imgs, "bgr")

    def compute_sim(self, feat1: Floats, feat2: Floats) -> float:
        """The cosine of two embeddings, -1 to 1."""
        first, second = feat1.ravel(), feat2.ravel()
        return float(first @ second / (numpy.linalg.norm(first) * numpy.linalg.norm(second)))

    @property
    def space(self) -> Space:
        """What its embeddings may be compared with, and the cosine from which on two are of one person."""
        return self._embedder.space

    @property
    def placement(self) -> Placement:
        """What really runs it."""
        return self._embedder.placement

    def _embed(self, crops: Sequence[Any], color: Any = None) -> Floats:
        found = self._embedder.embed(crops, color=color)
        rows = [embedding.values * numpy.float32(embedding.norm) for embedding in found]
        return numpy.array(rows, numpy.float32).reshape(-1, self.space.dimension)


class FaceAnalysis:
    """Detection and recognition with a pack of insightface: the folder `name`, or `name` in `root`/models. The folder
    may be a pack of facecore, too; `None` takes the models of `facecore.Recognizer()`, which are there without a
    file. Nothing is downloaded.

    Of `providers` (ONNX Runtime's names) the first that is available is taken, else the CPU; `placement` says what it
    was. `allowed_modules` may leave recognition out. The other arguments are those of `Options`, such as `threads`.
    """

    def __init__(
        self,
        name: str | os.PathLike[str] | None = "buffalo_l",
        root: str | os.PathLike[str] = "~/.insightface",
        allowed_modules: Iterable[str] | None = None,
        providers: Sequence[Any] | None = None,
        provider_options: Sequence[Any] | None = None,
        **options: Unpack[Options],
    ) -> None:
        tasks = {_DETECTION, _RECOGNITION} if allowed_modules is None else set(allowed_modules)
        if unknown := tasks - {_DETECTION, _RECOGNITION}:
            raise UnsupportedError(
                f"facecore has no {', '.join(sorted(unknown))}; of insightface's modules it has detection and "
                "recognition: leave allowed_modules out, or name these"
            )
        if _DETECTION not in tasks:
            raise InvalidArgumentError('allowed_modules must name "detection"')
        self._options = _checked(options)
        self._providers = _provider_names(providers, provider_options)
        if name is None:
            # No arguments: what `Detector()` and `Embedder()` take.
            self._files: dict[str, dict[str, Any]] = {task: {} for task in tasks}
        else:
            self._files = _files(_folder(name, root), tasks, self._options)
            if allowed_modules is not None and tasks - set(self._files):
                raise ModelNotFoundError(f"{_folder(name, root)} holds no recognition model that facecore knows")
        self._prepared: tuple[Any, ...] = ()
        self.models: dict[str, Any] = {}
        """By task: a `DetectionModel` as `detection` and, unless left out, a `RecognitionModel` as `recognition`."""
        self.prepare()

    def prepare(
        self, ctx_id: int = 0, det_thresh: float = 0.5, det_size: Size | Sequence[Size] | None = (640, 640)
    ) -> None:
        """Says how faces are found; until then the defaults hold. Faces scored below `det_thresh` (0 to 1) are not
        reported. Images are scaled to fit into `det_size` (width, height); of several sizes the answers are merged,
        and `None` stands for what insightface 2 does unasked: 128 and 640 square. A negative `ctx_id` means the CPU,
        whatever `providers` says."""
        providers = ("cpu",) if ctx_id < 0 else self._providers
        sizes = _sizes(det_size)
        wanted = (providers, float(det_thresh), sizes)
        if wanted == self._prepared:
            return

        def detector(**how: Any) -> _models.Detector:
            return _open(_models.Detector, providers, **self._files[_DETECTION], **self._options, **how)

        models: dict[str, Any] = {_DETECTION: DetectionModel(detector, float(det_thresh), sizes)}
        if _RECOGNITION in self._files:
            if self._prepared and self._prepared[0] == providers:
                models[_RECOGNITION] = self.models[_RECOGNITION]
            else:
                embedder = _open(_models.Embedder, providers, **self._files[_RECOGNITION], **self._options)
                models[_RECOGNITION] = RecognitionModel(embedder)
        self.models, self._prepared = models, wanted

    def get(self, img: Pixels, max_num: int = 0, det_metric: str = "default") -> list[Face]:
        """The faces of an image with their embeddings, best first. See `DetectionModel.detect` for the arguments."""
        boxes, points = self.det_model.detect(img, max_num=max_num, metric=det_metric)
        faces = [
            Face(bbox=box[:4], kps=None if points is None else points[at], det_score=box[4])
            for at, box in enumerate(boxes)
        ]
        if faces and _RECOGNITION in self.models:
            self.models[_RECOGNITION].get_all(img, faces)
        return faces

    def draw_on(self, img: Pixels, faces: Iterable[Face]) -> Pixels:
        """A copy of the image with boxes and points."""
        drawn = img.copy()
        for face in faces:
            left, top, right, bottom = (int(side) for side in face.bbox)
            for y in (top, bottom):
                _fill(drawn, (left, y), (right, y), _RED)
            for x in (left, right):
                _fill(drawn, (x, top), (x, bottom), _RED)
            for at, (x, y) in enumerate([] if face.kps is None else face.kps.astype(int)):
                _fill(drawn, (x, y), (x, y), _GREEN if at in (0, 3) else _RED)
        return drawn

    @property
    def det_model(self) -> DetectionModel:
        """What finds faces."""
        model: DetectionModel = self.models[_DETECTION]
        return model

    @property
    def placement(self) -> dict[str, Placement]:
        """What really runs each model, by task."""
        return {task: model.placement for task, model in self.models.items()}

    @property
    def space(self) -> Space | None:
        """What the embeddings may be compared with, and the cosine from which on two are of one person. With it they
        become facecore's: `facecore.Embedding(face.embedding, space.id, threshold=space.threshold)`."""
        model: RecognitionModel | None = self.models.get(_RECOGNITION)
        return model.space if model else None


# --- Packs.


def _folder(name: str | os.PathLike[str], root: str | os.PathLike[str]) -> Path:
    direct = Path(name).expanduser()
    folder = direct if direct.is_dir() else Path(root).expanduser() / "models" / name
    if not folder.is_dir():
        raise ModelNotFoundError(
            f"neither {direct} nor {folder} is a folder, and facecore downloads nothing: unpack insightface's "
            f"{direct.name}.zip there, name a folder with a detector and an embedder as ONNX files, or pass None for "
            "the models that come with facecore"
        )
    return folder


def _files(folder: Path, tasks: set[str], options: Options) -> dict[str, dict[str, Any]]:
    """By task, the arguments that name its model. Of several files the first by name is taken, as insightface does."""
    if (folder / "pack.toml").is_file():
        return {task: {"pack": folder} for task in tasks}
    if _has_manifest(folder):
        raise UnsupportedError(
            f"{folder} is a pack with insightface's manifest.json, which facecore does not read; describe its models "
            "in a pack.toml"
        )
    found: dict[str, dict[str, Any]] = {}
    files = sorted(folder.glob("*.onnx"))
    for file in files:
        name = file.name.lower()
        if name.startswith(_OF_NO_USE):
            continue
        if name.startswith(_DETECTORS):
            found.setdefault(_DETECTION, {"detector": file})
        elif name.startswith(_EMBEDDERS):
            found.setdefault(_RECOGNITION, {"embedder": file})
        else:
            for task, arguments in _content(file, tasks - set(found), options):
                found[task] = arguments
    if _DETECTION not in found:
        names = ", ".join(file.name for file in files) or "no ONNX file"
        raise ModelNotFoundError(f"{folder} holds no detector that facecore knows; it has {names}")
    return {task: arguments for task, arguments in found.items() if task in tasks}


def _has_manifest(folder: Path) -> bool:
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(manifest, dict) and manifest.get("manifest_version") == 2


def _content(file: Path, tasks: set[str], options: Options) -> Iterator[tuple[str, dict[str, Any]]]:
    """What a file of any name can be used for."""
    # insightface takes what has the shape of an embedder for ArcFace's.
    as_insightface = {"embedder": file, "embedder_kind": "arcface"}
    candidates: list[tuple[str, type[Any], dict[str, Any]]] = [
        (_DETECTION, _models.Detector, {"detector": file}),
        (_RECOGNITION, _models.Embedder, {"embedder": file}),
        (_RECOGNITION, _models.Embedder, as_insightface),
    ]
    for task, make, arguments in candidates:
        if task in tasks:
            try:
                _open(make, ("cpu",), **arguments, **options).close()
            except (ModelKindUnknownError, ModelMismatchError):
                continue
            yield task, arguments
            return


# --- Arguments.


def _checked(options: Options) -> Options:
    instead = {
        "sess_options": "threads=, concurrency= and precision=",
        "addons": "a liveness model of your own",
    }
    for name, use in instead.items():
        if options.pop(name, None):  # type: ignore[misc]
            raise UnsupportedError(f"facecore has no {name}; use {use}")
    return options


def _provider_names(providers: Sequence[Any] | None, provider_options: Sequence[Any] | None) -> tuple[str, ...]:
    """facecore's names, in the order in which they are tried."""
    names = []
    settings = list(provider_options or ())
    for provider in providers or ():
        name = provider
        if not isinstance(provider, str):
            name, *more = provider
            settings += more
        if name in _PROVIDERS:
            names.append(_PROVIDERS[name])
        elif not str(name).endswith("ExecutionProvider"):
            raise InvalidArgumentError(f"{name!r} is no provider; known are {', '.join(_PROVIDERS)}")
    for setting in settings:
        if any(str(value) != "0" for key, value in dict(setting or {}).items() if key == "device_id"):
            raise UnsupportedError("facecore runs on the first device; choose it with CUDA_VISIBLE_DEVICES")
        if others := set(setting or {}) - {"device_id"}:
            raise UnsupportedError(f"facecore sets providers up itself: leave {', '.join(sorted(others))} out")
    return tuple(names) or ("cpu" if providers else "auto",)


_M = TypeVar("_M", _models.Detector, _models.Embedder)


def _open(make: type[_M], providers: Sequence[str], **options: Any) -> _M:
    """With the first of `providers` that is available, else on the CPU."""
    if "provider" in options:
        return make(**options)
    *first, last = providers
    for provider in first:
        wanted: dict[str, Any] = {**options, "provider": provider}
        try:
            return make(**wanted)
        except ProviderUnavailableError:
            continue
    wanted = {"allow_fallback": True, **options, "provider": last}
    return make(**wanted)


def _sizes(det_size: Any) -> tuple[Size, ...]:
    if det_size is None:
        return _TWO_SIZES
    given = numpy.asarray(det_size)
    if given.ndim not in (1, 2) or given.shape[-1] != 2 or not given.size:
        raise InvalidArgumentError(f"det_size is (width, height), several of these or None, not {det_size!r}")
    sizes: list[Size] = []
    for width, height in given.reshape(-1, 2).tolist():
        sizes += [(int(width), int(height))] if width or height else _TWO_SIZES
    return tuple(dict.fromkeys(sizes))


# --- Boxes and pixels.


def _without_overlaps(boxes: Floats) -> NDArray[numpy.intp]:
    """The rows that overlap no better one, best first. Sides are counted in whole pixels, one longer than the
    difference, as insightface does."""
    left, top, right, bottom, scores = boxes.T
    areas = (right - left + 1) * (bottom - top + 1)
    order = numpy.argsort(-scores, kind="stable")
    kept = []
    while order.size:
        best, others = order[0], order[1:]
        kept.append(best)
        width = numpy.minimum(right[best], right[others]) - numpy.maximum(left[best], left[others]) + 1
        height = numpy.minimum(bottom[best], bottom[others]) - numpy.maximum(top[best], top[others]) + 1
        shared = width.clip(0) * height.clip(0)
        order = others[shared / (areas[best] + areas[others] - shared) <= _NMS_IOU]
    return numpy.array(kept, numpy.intp)


def _weight(boxes: Floats, img: Pixels, metric: str) -> Floats:
    """What decides which faces stay: the area, less twice the squared distance from the image's centre."""
    corners = boxes[:, :2], boxes[:, 2:4]
    area: Floats = (corners[1] - corners[0]).prod(axis=1)
    if metric == "max":
        return area
    centre = numpy.array([img.shape[1] // 2, img.shape[0] // 2], numpy.float32)
    offsets = (corners[0] + corners[1]) / numpy.float32(2) - centre
    central: Floats = area - numpy.float32(2) * numpy.square(offsets).sum(axis=1)
    return central


_RED, _GREEN = (0, 0, 255), (0, 255, 0)


def _fill(img: Pixels, first: tuple[int, int], last: tuple[int, int], color: tuple[int, int, int]) -> None:
    """Paints the pixels between two points and those around them; what lies outside the image is left out."""
    (x1, y1), (x2, y2) = first, last
    img[max(y1 - 1, 0) : max(y2 + 2, 0), max(x1 - 1, 0) : max(x2 + 2, 0)] = color
