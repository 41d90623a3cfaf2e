"""What facecore answers with: immutable objects that compare by value, pickle, and become dictionaries."""

from __future__ import annotations

import dataclasses
import os
import pathlib
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Generic, Literal, NamedTuple, TypeAlias, TypeVar, cast, overload

import numpy
from numpy.typing import NDArray

from ._errors import FacecoreError
from ._native import Embedding

Point: TypeAlias = tuple[float, float]
"""x to the right, y downwards, in pixels of the upright image."""

Landmarks: TypeAlias = tuple[Point, Point, Point, Point, Point]
"""Image-left eye, image-right eye, tip of the nose, image-left and image-right corner of the mouth."""


class Box(NamedTuple):
    """A rectangle in pixels of the upright image; it may reach over the edges.

    >>> left, top, right, bottom = box = Box(10, 20, 30, 60)
    >>> box.width, box.height, box.area
    (20, 40, 800)
    """

    x1: float
    y1: float
    x2: float
    y2: float

    @property
    def width(self) -> float:
        """In pixels."""
        return self.x2 - self.x1

    @property
    def height(self) -> float:
        """In pixels."""
        return self.y2 - self.y1

    @property
    def area(self) -> float:
        """In square pixels."""
        return self.width * self.height


def _plain(value: Any, embeddings: bool) -> Any:
    """`value` in what JSON knows."""
    if isinstance(value, Result):
        return value.to_dict(embeddings=embeddings)
    if isinstance(value, Embedding):
        return value.values.tolist()
    if isinstance(value, FacecoreError):
        return value.to_dict()
    if isinstance(value, (tuple, list)):
        return [_plain(item, embeddings) for item in value]
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return value if value is None or isinstance(value, (str, int, float, dict)) else f"<{type(value).__name__}>"


def _short(value: Any) -> str:
    """`value` for reading: numbers with few digits."""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, tuple):
        return "(" + ", ".join(map(_short, value)) + ("," if len(value) == 1 else "") + ")"
    # Not an image's pixels or bytes.
    known = (str, int, dict, os.PathLike, Result, Embedding, FacecoreError)
    return repr(value) if value is None or isinstance(value, known) else f"<{type(value).__name__}>"


class Result:
    """What the classes of this module have in common."""

    __slots__ = ()
    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]

    def to_dict(self, *, embeddings: bool = False) -> dict[str, Any]:
        """The fields as JSON knows them. Embeddings are biometric data and left out unless asked for."""
        fields = ((field.name, getattr(self, field.name)) for field in dataclasses.fields(self))
        return {
            name: _plain(value, embeddings)
            for name, value in fields
            if embeddings or not isinstance(value, Embedding)
        }

    def __repr__(self) -> str:
        fields = ((field.name, getattr(self, field.name)) for field in dataclasses.fields(self))
        return f"{type(self).__name__}({', '.join(f'{name}={_short(value)}' for name, value in fields)})"


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class Face(Result):
    """A face that a detector found."""

    box: Box
    score: float
    """How sure the detector is, 0 to 1."""
    landmarks: Landmarks | None
    """`None` if the detector gives none."""


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class RecognizedFace(Result):
    """A face with its embedding."""

    box: Box
    score: float
    """How sure the detector is, 0 to 1."""
    landmarks: Landmarks | None
    embedding: Embedding


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class Match(Result):
    """A person found by a search."""

    person: str
    score: float
    """Cosine of the probe with the person's best face, -1 to 1."""
    probability: float | None
    """That probe and person are the same, 0 to 1; `None` as long as the embedding space has no calibration."""
    margin: float
    """`score` minus the best score of anybody else met. Near 0 the answer is ambiguous; if nobody else was met it is
    `score` itself, as an unrelated face scores about 0."""
    best_face: int
    """The id of the face with that score."""
    hits: int
    """How many faces of the person reach the threshold."""


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class Vote(Result):
    """What the nearest faces agreed on."""

    person: str
    votes: int
    """How many of the nearest faces are the person's."""
    voters: int
    """How many of the nearest faces reach the threshold."""
    score: float
    """Cosine of the probe with the nearest of the person's faces, -1 to 1."""
    best_face: int
    """The id of that face."""


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class IdentifiedFace(Result):
    """A face of an image, and who it is."""

    person: str | None
    """`None` if it is nobody enrolled."""
    score: float
    """Cosine with the person, or with the nearest one of an unknown face, -1 to 1; 0 if nobody is enrolled."""
    margin: float
    """`score` minus that of the next person, see `Match`; 0 for an unknown face."""
    probability: float | None
    """See `Match`."""
    box: Box
    detection_score: float
    """How sure the detector is that this is a face, 0 to 1."""
    landmarks: Landmarks | None
    embedding: Embedding
    matches: tuple[Match, ...]
    """Everybody it may be, best first; empty for an unknown face."""


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class Timings(Result):
    """Seconds that each stage took."""

    decode: float
    """Reading and decoding; 0 for pixels that were in memory."""
    detect: float
    align: float
    embed: float
    search: float = 0.0

    @property
    def total(self) -> float:
        """All stages together."""
        return self.decode + self.detect + self.align + self.embed + self.search


_F = TypeVar("_F")


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class Faces(Result, Sequence[_F], Generic[_F]):
    """The faces of an image, best first: a sequence that also knows the image's size and what took how long."""

    width: int
    height: int
    faces: tuple[_F, ...]
    timings: Timings = dataclasses.field(compare=False)

    def __len__(self) -> int:
        return len(self.faces)

    def __iter__(self) -> Iterator[_F]:
        return iter(self.faces)

    @overload
    def __getitem__(self, at: int) -> _F: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[_F, ...]: ...
    def __getitem__(self, at: int | slice) -> _F | tuple[_F, ...]:
        return self.faces[at]


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class Recognition(Faces[RecognizedFace]):
    """The faces of an image with their embeddings."""


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class Identification(Faces[IdentifiedFace]):
    """The faces of an image, and who they are."""


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class Comparison(Result):
    """Whether two faces are of one person."""

    same_person: bool
    """Whether `score` reaches `threshold`."""
    score: float
    """Cosine of the two embeddings, -1 to 1."""
    distance: float
    """Their Euclidean distance, 0 to 2."""
    threshold: float
    probability: float | None
    first: RecognizedFace | None
    """The face compared; `None` where an embedding was given."""
    second: RecognizedFace | None
    seconds: float
    """What it took, decoding included."""

    def __bool__(self) -> bool:
        return self.same_person


_R = TypeVar("_R")


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class Outcome(Result, Generic[_R]):
    """What became of one of many images: a value or an error."""

    index: int
    """Its place among the images, from 0."""
    source: Any = dataclasses.field(compare=False)
    """The image as it was given."""
    value: _R | None
    error: FacecoreError | None

    def unwrap(self) -> _R:
        """The value. Raises the error if there is one."""
        if self.error is not None:
            raise self.error
        return cast(_R, self.value)


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class EnrolledPhoto(Result):
    """What became of a photo to be enrolled."""

    source: str | None
    """Its path, if it has one."""
    person: str
    face: int | None
    """The id of its face; `None` if it was not enrolled."""
    error: FacecoreError | None
    """Why it was not: no face, several faces, or what is wrong with the file."""


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class Enrolment(Result):
    """What became of photos to be enrolled."""

    photos: tuple[EnrolledPhoto, ...]

    @property
    def faces(self) -> tuple[int, ...]:
        """The ids of the faces that were enrolled."""
        return tuple(photo.face for photo in self.photos if photo.face is not None)

    @property
    def persons(self) -> tuple[str, ...]:
        """Who got a face, in the order of the first."""
        return tuple(dict.fromkeys(photo.person for photo in self.photos if photo.face is not None))

    @property
    def failed(self) -> tuple[EnrolledPhoto, ...]:
        """The photos that were not enrolled."""
        return tuple(photo for photo in self.photos if photo.error is not None)


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class Done(Result):
    """What a change of a batch did."""

    faces: tuple[int, ...]
    """The ids of the faces it enrolled or replaced."""
    error: FacecoreError | None
    """Why it was refused; the others are done all the same."""


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class Person(Result):
    """A person of a gallery."""

    id: str
    name: str | None
    """To show; the id is what identifies."""
    metadata: dict[str, Any] = dataclasses.field(hash=False)
    faces: tuple[int, ...]
    """Ids, oldest first."""


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class EnrolledFace(Result):
    """A face of a gallery."""

    id: int
    person: str
    embedding: Embedding
    quality: float | None
    source: str | None
    metadata: dict[str, Any] = dataclasses.field(hash=False)


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class Space(Result):
    """What makes embeddings comparable."""

    id: str
    threshold: float
    """The cosine from which on two faces are taken for the same person."""
    dimension: int


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class NamespaceStats(Result):
    """What a namespace takes up."""

    name: str
    space: str | None
    dimension: int | None
    persons: int
    faces: int
    removed_faces: int
    """Removed faces that searches still step over, until `Gallery.compact`."""
    vector_bytes: int
    """Exact vectors, mapped from files as far as they can be."""
    search_bytes: int
    """Bytes beside the vectors."""
    index: str
    """What faces are found with now: `flat` or `hnsw`."""
    index_reason: str
    """Why, in words."""


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class Stats(Result):
    """What a gallery takes up."""

    namespaces: tuple[NamespaceStats, ...]
    store_bytes: int
    index_bytes: int


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class VerifyReport(Result):
    """What is wrong with a gallery."""

    persons: int
    faces: int
    problems: tuple[str, ...]
    """In words; empty if the gallery is sound."""
    probes: int
    """Probes made from faces to compare the default search with the exact one."""
    agreeing: int
    """For how many of these both found the same person."""

    def __bool__(self) -> bool:
        return not self.problems


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class ExportReport(Result):
    """What an export wrote."""

    persons: int
    faces: int
    damaged: tuple[FacecoreError, ...]
    """What could not be read and was left out."""


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class ImportFailure(Result):
    """An item of a file that was not imported."""

    at: int
    """The line of the file, from 1; in an NPZ without JSON Lines the row, from 0."""
    person: str | None
    """Whom it is about, if that can be told."""
    error: FacecoreError


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class ImportReport(Result):
    """What an import added."""

    persons: int
    """People that were not there before."""
    faces: int
    """Faces that were not there before."""
    duplicates: int
    """Faces that their person had already, value for value."""
    kept_ids: bool
    """Whether the faces have the ids they had where they were exported."""
    failed: tuple[ImportFailure, ...]
    """What was left out, with `skip_errors`."""


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class Progress(Result):
    """How far an export or import has come."""

    step: Literal["reading", "storing", "writing"]
    """What is being done. Reading is counted in bytes, the others in people and faces."""
    done: int
    total: int
    """0 if it is not known."""


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class PickledFace(Result):
    """A name and a vector of another program's pickle."""

    person: str
    vector: NDArray[numpy.float64] | None = dataclasses.field(compare=False)
    """`None` if what is there is no vector."""
    source: str | None
    """The photo's path, if the pickle tells it."""


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class Placement(Result):
    """What really runs a model."""

    runtime: str
    """For example `onnxruntime 1.31.1`, or `rten 0.27`, which is built in."""
    provider: str
    """`CPU`, `OpenVINO`, `CUDA`, `TensorRT`."""
    device: str
    precision: str
    """`f32`, `bf16`, `fp16`, `tf32`."""
    threads: int
    notes: tuple[str, ...]
    """Why something better was not taken."""

    def __str__(self) -> str:
        return f"{self.runtime} {self.provider} {self.precision}"


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class PackPart(Result):
    """One model of a pack."""

    file: str
    licence: str
    """Of its weights; empty if the pack states none."""
    bytes: int
    sha256: str | None
    """Of the file, which was found to have it; `None` if the pack declares none."""


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class Pack(Result):
    """What a pack says of itself."""

    name: str
    version: str
    licence: str
    """Of the weights, where a part names none of its own; empty if none is stated."""
    folder: pathlib.Path | None
    """`None`: it is built in."""
    detector: PackPart | None
    embedder: PackPart | None

    @property
    def built_in(self) -> bool:
        """Whether it came with facecore."""
        return self.folder is None

    def __str__(self) -> str:
        lines = [f"{self.name} {self.version}".rstrip() + f" ({self.folder or 'built in'})"]
        lines.append(f"  licence: {self.licence or 'none stated'}")
        for what, part in (("detector", self.detector), ("embedder", self.embedder)):
            if part is not None:
                lines.append(f"  {what}: {part.file}, {part.bytes} bytes, SHA-256 {part.sha256 or 'not declared'}")
                if part.licence != self.licence:
                    lines.append(f"    licence: {part.licence}")
        return "\n".join(lines)


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class RuntimeReport(Result):
    """Which runtimes there are, where was looked for them, and which models serve where none are named."""

    runtime: str | None
    """ONNX Runtime's version and path; `None` if there is none."""
    missing: str | None
    """Why there is none."""
    looked: tuple[tuple[str, str], ...]
    """Each place, and what was found there."""
    providers: tuple[tuple[str, str | None], ...]
    """ONNX Runtime's providers, and what each lacks (`None`: nothing)."""
    builtin: str | None
    """The runtime that needs nothing installed."""
    pack: Pack | None
    """The pack that `Recognizer()` takes; `None` if it cannot be read."""
    pack_missing: str | None
    """Why not."""

    def __str__(self) -> str:
        lines = [f"ONNX Runtime: {self.runtime or self.missing}"]
        lines += [f"  provider {name}: {lacking or 'here'}" for name, lacking in self.providers]
        lines += [f"  looked at {place}: {found}" for place, found in self.looked]
        return "\n".join([*lines, f"built in: {self.builtin or 'none'}", f"pack: {self.pack or self.pack_missing}"])


Choice: TypeAlias = Literal["only", "largest", "central"]
"""Which face of a photo is meant: the only one (several are an error), the largest, or the one that is both large and
near the centre."""
