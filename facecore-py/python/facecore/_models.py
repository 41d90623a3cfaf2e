"""Recognizers and their parts."""

from __future__ import annotations

import inspect
import re
import sys
import time
import warnings
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Any, Literal, Self, TypedDict, TypeVar, Unpack

from . import _many, _native
from ._errors import FacecoreError, FacecoreWarning
from ._images import Color, ImageLike
from ._native import Embedding, Image
from ._packs import VARIABLE, BuiltInPack, StrPath, default_pack, pack_of
from ._results import (
    Box,
    Choice,
    Comparison,
    Face,
    Outcome,
    Pack,
    Placement,
    Point,
    Recognition,
    RecognizedFace,
    Space,
    Timings,
)
from ._runtime import library_folders

_N = TypeVar("_N", _native.Recognizer, _native.Detector, _native.Embedder)


class RuntimeOptions(TypedDict, total=False):
    """What executes the models, and which may be taken.

    runtime: `"auto"` (the default) takes ONNX Runtime where it is found, else the built-in `"rten"`.
    library: The ONNX Runtime library, or a folder that holds it. By default the environment's, then the usual
        places.
    provider: ONNX Runtime's provider. One that is named runs the model, or it is an error.
    allow_fallback: Let the CPU stand in where the named provider is not available.
    precision: `"fast"`: 16-bit arithmetic where the hardware is good at it.
    threads: Of one call. By default as many as there are CPUs for this process, quotas respected.
    concurrency: How many calls may run at once; others wait. By default as many as CPUs.
    many_photos: One thread a call, and as many calls at once as CPUs: best where many photos are worked at in
        parallel.
    pack_policy: `"commercial"` lets in only packs that are known to allow commercial use; others, the built-in one
        among them, raise `LicenceRefusedError`. By default `"any"`.
    """

    runtime: Literal["auto", "onnxruntime", "rten"]
    library: StrPath | None
    provider: Literal["auto", "cpu", "openvino", "cuda", "tensorrt"]
    allow_fallback: bool
    precision: Literal["full", "fast"]
    threads: int | None
    concurrency: int | None
    many_photos: bool
    pack_policy: Literal["any", "commercial"]


class DetectorOptions(RuntimeOptions, total=False):
    """How faces are found.

    detector: An ONNX file; it wins over the pack's.
    detector_kind: What the file is, where it is not evident.
    score_threshold: Faces scored lower are not reported, 0 to 1. By default the model's.
    nms_iou: Of two boxes that overlap more than this (intersection over union) the better stays. By default the
        model's.
    max_faces: Report at most so many, the best.
    smallest_face: Pixels of the smallest face to be found: decides how far an image may be shrunk.
    input_size: `"auto"`: shrink the longer side to 640 pixels; `"native"`: do not scale; (width, height): fit into
        it.
    close_ups: Look a second time, for faces that fill the frame, where the first look finds nobody or leaves it open
        whether there is one. By default true.
    apply_exif: Turn photos as their EXIF orientation says. By default true.
    max_pixels: Larger photos are refused. By default 128 million.
    max_bytes: Larger files are refused. By default 256 MiB.
    """

    detector: StrPath | None
    detector_kind: Literal["scrfd", "yunet"] | None
    score_threshold: float | None
    nms_iou: float | None
    max_faces: int | None
    smallest_face: float | None
    input_size: Literal["auto", "native"] | tuple[int, int]
    close_ups: bool
    apply_exif: bool
    max_pixels: int | None
    max_bytes: int | None


class EmbedderOptions(RuntimeOptions, total=False):
    """How faces are embedded.

    embedder: An ONNX file; it wins over the pack's.
    embedder_kind: What the file is, where it is not evident.
    flip: Embed the mirrored face too. It is part of the embedding space.
    threshold: The cosine from which on two faces are taken for one person. By default the model's.
    """

    embedder: StrPath | None
    embedder_kind: Literal["arcface", "adaface", "sface", "mobilefacenet"] | None
    flip: Literal["none", "sum", "concat"]
    threshold: float | None


class RecognizerOptions(DetectorOptions, EmbedderOptions, total=False):
    """What a `Recognizer` can be told."""


_DEFAULTS: dict[str, Any] = {
    "detector": None,
    "detector_kind": None,
    "embedder": None,
    "embedder_kind": None,
    "runtime": "auto",
    "library": None,
    "provider": "auto",
    "allow_fallback": False,
    "precision": "full",
    "threads": None,
    "concurrency": None,
    "many_photos": False,
    "pack_policy": "any",
    "flip": "none",
    "threshold": None,
    "score_threshold": None,
    "nms_iou": None,
    "max_faces": None,
    "smallest_face": None,
    "input_size": "auto",
    "close_ups": True,
    "apply_exif": True,
    "max_pixels": None,
    "max_bytes": None,
}


def _native_of(
    made: type[_N], pack: StrPath | BuiltInPack | None, given: Any, known: type, files: Sequence[str]
) -> _N:
    """The native half, told what the caller said. `known` are the options it has, `files` those of them that name
    models: what these leave out is the pack's."""
    what = made.__name__
    for name in given:
        if name not in known.__annotations__:
            raise TypeError(f"{what}() has no option {name!r}; it has {', '.join(sorted(known.__annotations__))}")
    folder, lite = (None, True) if isinstance(pack, BuiltInPack) else (pack, False)
    nobody_chose = False
    if pack is None and any(given.get(file) is None for file in files):
        folder = default_pack()
        lite = nobody_chose = folder is None
    try:
        native = made({**_DEFAULTS, **given, "pack": folder, "lite": lite, "look_first": library_folders()})
    except TypeError as error:
        if wrong := re.search(r"field Options\.(\w+)", str(error)):
            name = wrong[1]
            raise TypeError(f"{what}() takes no {name}={given.get(name, pack)!r}; see {known.__name__}") from None
        raise
    if nobody_chose:
        _warn_of_licence(native)
    return native


class Closable:
    """Something of the library that is given up with `close`, or at the end of a `with`."""

    __slots__ = ()

    _native: Any

    def close(self) -> None:
        """Gives it up. Using it afterwards raises `InvalidArgumentError`."""
        self._native.close()

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return bool(self._native.is_closed())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __reduce__(self) -> Any:
        raise TypeError(f"a {type(self).__name__} cannot be pickled; make one in each process")


def _face(parts: _native._FaceParts) -> Face:
    return Face(Box(*parts[0]), parts[1], parts[2])


def _recognized(parts: tuple[_native._FaceParts, Embedding]) -> RecognizedFace:
    face = parts[0]
    return RecognizedFace(Box(*face[0]), face[1], face[2], parts[1])


def _placement(parts: _native._PlacementParts) -> Placement:
    return Placement(*parts[:5], tuple(parts[5]))


def _pack(made: _native.Recognizer | _native.Detector | _native.Embedder) -> Pack | None:
    parts = made.pack()
    return None if parts is None else pack_of(parts)


def _warn(text: str) -> None:
    """At the line of the caller, wherever in this package it came in."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").split(".")[0] == __package__:
        level, frame = level + 1, frame.f_back
    warnings.warn(text, FacecoreWarning, stacklevel=level)


def _warn_of_builtin(runtime: str, placement: Placement) -> None:
    if runtime == "auto" and placement.runtime.startswith("rten"):
        _warn(
            "models run on the built-in runtime, which is slower than ONNX Runtime: install facecore[cpu] or "
            'facecore[openvino] (facecore.doctor() says where it was looked for), or pass runtime="rten"'
        )


def _warn_of_licence(made: _native.Recognizer | _native.Detector | _native.Embedder) -> None:
    """Nobody chose the built-in pack, and its licence binds all the same."""
    if pack := _pack(made):
        _warn(
            f"using the built-in pack {pack.name} {pack.version} ({pack.licence}): name one by pack= or {VARIABLE}, "
            "or this one by pack=facecore.LITE"
        )


class Recognizer(Closable):
    """Detector, aligner and embedder together: an image in, faces with embeddings out.

    `pack` is a folder with `pack.toml`, or the name of an installed pack such as `"buffalo_l"` (`facecore.models`); by
    default the one that the environment variable `FACECORE_PACK` names, or else the small one that came with facecore,
    whose licence is research and evaluation only; `facecore.LITE` names that one, and a warning says so where nobody
    did. Single ONNX files, named by `detector=` and `embedder=`, take the place of the pack's. A recognizer may be
    shared by threads; they work at the same time. The other arguments are those of `RecognizerOptions`.
    """

    __slots__ = ("_native", "_workers", "__weakref__")

    _native: _native.Recognizer

    def __init__(self, pack: StrPath | BuiltInPack | None = None, **options: Unpack[RecognizerOptions]) -> None:
        self._native = _native_of(_native.Recognizer, pack, options, RecognizerOptions, ("detector", "embedder"))
        self._workers = _many.workers(options.get("many_photos", False))
        _warn_of_builtin(options.get("runtime", "auto"), self.placement[1])

    def recognize(self, image: ImageLike, *, color: Color | None = None) -> Recognition:
        """The faces of an image with their embeddings, best first; empty if it shows none."""
        width, height, faces, seconds = self._native.recognize(image, color)
        return Recognition(width, height, tuple(map(_recognized, faces)), Timings(*seconds))

    def recognize_one(
        self, image: ImageLike, *, color: Color | None = None, choice: Choice = "only"
    ) -> RecognizedFace:
        """The one face that an image stands for. Raises `NoFaceError` or `SeveralFacesError`."""
        return _recognized(self._native.recognize_one(image, color, choice))

    def recognize_many(
        self, images: Iterable[ImageLike], *, color: Color | None = None, workers: int | None = None
    ) -> Iterator[Outcome[Recognition]]:
        """The faces of many images, worked at by `workers` threads, in their order. An image that fails loses
        nobody else's: its outcome holds the error. Images are taken from `images` as results are asked for."""
        return _many.outcomes(images, lambda image: self.recognize(image, color=color), workers or self._workers)

    def recognize_one_many(
        self,
        images: Iterable[ImageLike],
        *,
        color: Color | None = None,
        choice: Choice = "only",
        workers: int | None = None,
    ) -> Iterator[Outcome[RecognizedFace]]:
        """`recognize_one` for many images, as `recognize_many` works at them."""
        return _many.outcomes(
            images, lambda image: self.recognize_one(image, color=color, choice=choice), workers or self._workers
        )

    def compare(
        self,
        first: ImageLike | Embedding,
        second: ImageLike | Embedding,
        *,
        color: Color | None = None,
        choice: Choice = "central",
        threshold: float | None = None,
    ) -> Comparison:
        """Whether two photos, or a photo and an embedding kept from before, show the same person."""
        start = time.perf_counter()

        def look(which: str, side: ImageLike | Embedding) -> tuple[RecognizedFace | None, Embedding]:
            if isinstance(side, Embedding):
                return None, side
            try:
                face = self.recognize_one(side, color=color, choice=choice)
            except FacecoreError as error:
                error.add_note(f"it is about the {which} image")
                raise
            return face, face.embedding

        (face_a, a), (face_b, b) = look("first", first), look("second", second)
        score, distance = a.cosine(b), a.euclidean(b)
        limit = a.threshold if threshold is None else threshold
        seconds = time.perf_counter() - start
        return Comparison(score >= limit, score, distance, limit, None, face_a, face_b, seconds)

    @property
    def space(self) -> Space:
        """What its embeddings may be compared with."""
        return Space(*self._native.space())

    @property
    def placement(self) -> tuple[Placement, Placement]:
        """What really runs the detector, and the embedder."""
        detector, embedder = self._native.placements()
        return _placement(detector), _placement(embedder)

    @property
    def pack(self) -> Pack | None:
        """The pack that its models are from, with its licence; `None` if both are single files."""
        return _pack(self._native)

    def __repr__(self) -> str:
        try:
            if self.closed:
                return "<Recognizer, closed>"
            detector, embedder = self.placement
        except FacecoreError as error:
            return f"<Recognizer, {type(error).__name__}>"
        return f"<Recognizer in {self.space.id}; detector on {detector}, embedder on {embedder}>"


class Detector(Closable):
    """Finds faces. The arguments are those of `DetectorOptions`; see `Recognizer`."""

    __slots__ = ("_native", "__weakref__")

    _native: _native.Detector

    def __init__(self, pack: StrPath | BuiltInPack | None = None, **options: Unpack[DetectorOptions]) -> None:
        self._native = _native_of(_native.Detector, pack, options, DetectorOptions, ("detector",))
        _warn_of_builtin(options.get("runtime", "auto"), self.placement)

    def detect(self, image: ImageLike, *, color: Color | None = None) -> list[Face]:
        """The faces of an image, best first; empty if it shows none."""
        return [_face(parts) for parts in self._native.detect(image, color)]

    @property
    def placement(self) -> Placement:
        """What really runs it."""
        return _placement(self._native.placement())

    @property
    def pack(self) -> Pack | None:
        """The pack that it is from, with its licence; `None` if it is a single file."""
        return _pack(self._native)

    def __repr__(self) -> str:
        return "<Detector, closed>" if self.closed else f"<Detector on {self.placement}>"


class Aligner:
    """Cuts faces by the similarity that brings their landmarks closest to a template: `"arcface-112"`, which nearly
    every embedder is trained on, or its multiples, such as `"arcface-128"`."""

    __slots__ = ("_native",)

    def __init__(self, template: str = "arcface-112") -> None:
        self._native = _native.Aligner(template)

    def align(
        self, image: ImageLike, landmarks: Sequence[Point] | Any, *, color: Color | None = None
    ) -> Image:
        """The face whose five landmarks (pixels of the upright image) are given, upright. They may come from any
        detector, as pairs or as an array of shape (5, 2). What lies outside the image is black."""
        points = [(float(x), float(y)) for x, y in landmarks]
        return self._native.align(image, points, color)

    def __repr__(self) -> str:
        name, (width, height), _ = self._native.template()
        return f"<Aligner to {name}, {width} x {height} pixels>"


class Embedder(Closable):
    """Turns aligned faces into embeddings. The arguments are those of `EmbedderOptions`; see `Recognizer`."""

    __slots__ = ("_native", "__weakref__")

    _native: _native.Embedder

    def __init__(self, pack: StrPath | BuiltInPack | None = None, **options: Unpack[EmbedderOptions]) -> None:
        self._native = _native_of(_native.Embedder, pack, options, EmbedderOptions, ("embedder",))
        _warn_of_builtin(options.get("runtime", "auto"), self.placement)

    def embed(self, crops: Iterable[ImageLike], *, color: Color | None = None) -> list[Embedding]:
        """The embeddings of aligned crops (see `Aligner`), run in batches."""
        return self._native.embed(list(crops), color)

    @property
    def aligner(self) -> Aligner:
        """Cuts faces as this embedder wants them."""
        aligner = Aligner.__new__(Aligner)
        aligner._native = self._native.aligner()
        return aligner

    @property
    def space(self) -> Space:
        """What its embeddings may be compared with."""
        return Space(*self._native.space())

    @property
    def placement(self) -> Placement:
        """What really runs it."""
        return _placement(self._native.placement())

    @property
    def pack(self) -> Pack | None:
        """The pack that it is from, with its licence; `None` if it is a single file."""
        return _pack(self._native)

    def __repr__(self) -> str:
        return "<Embedder, closed>" if self.closed else f"<Embedder in {self.space.id} on {self.placement}>"


def _describe(made: type, *options: type) -> None:
    """Adds to a class what it can be told: `help` shows no more of keyword arguments than their number."""
    told = (f"{some.__name__}: {inspect.cleandoc(some.__doc__ or '')}" for some in options)
    made.__doc__ = "\n\n".join([inspect.cleandoc(made.__doc__ or ""), *told])


_describe(RecognizerOptions, DetectorOptions, EmbedderOptions, RuntimeOptions)
_describe(Recognizer, DetectorOptions, EmbedderOptions, RuntimeOptions)
_describe(Detector, DetectorOptions, RuntimeOptions)
_describe(Embedder, EmbedderOptions, RuntimeOptions)
