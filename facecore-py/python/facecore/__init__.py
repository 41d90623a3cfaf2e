"""Face recognition: find faces, turn them into embeddings, and keep people in a gallery that can change while it is
searched.

    import facecore
    gallery = facecore.Gallery("office")
    gallery.enrol("ada", ["ada1.jpg", "ada2.jpg"])
    for face in gallery.identify("crowd.jpg"):
        print(face.person or "unknown", face.score, face.box)

Boxes and points are pixels of the upright image. No face is an empty result; an unknown person is `None`. Every error
is a `FacecoreError`, but for arguments of a wrong Python type, which are a `TypeError` as usual. All objects may be
shared by threads; none may be used in a forked child of a process that used the package.
"""

from __future__ import annotations

from ._default import default_recognizer
from ._errors import (
    BufferTooSmallError,
    ChecksumMismatchError,
    DimensionMismatchError,
    EmbeddingSpaceMismatchError,
    FaceNotFoundError,
    FileMissingError,
    FacecoreError,
    FacecoreWarning,
    ForkedError,
    GalleryCorruptError,
    GalleryLockedError,
    GalleryNotFoundError,
    GalleryReadOnlyError,
    ImageCorruptError,
    ImageFormatError,
    ImageLayoutError,
    ImageTooLargeError,
    InferenceError,
    InternalError,
    InvalidArgumentError,
    InvalidEmbeddingError,
    IoError,
    LandmarksError,
    ModelCorruptError,
    ModelKindUnknownError,
    ModelMismatchError,
    ModelNotFoundError,
    ModelOutputError,
    ModelUnsupportedError,
    NamespaceNotFoundError,
    NoFaceError,
    PackInvalidError,
    PersonExistsError,
    PersonNotFoundError,
    ProviderUnavailableError,
    RuntimeInvalidError,
    RuntimeNotFoundError,
    SeveralFacesError,
)
from ._batch import Batch, Metadata
from ._gallery import Gallery
from ._images import Color, ImageLike
from ._models import Aligner, Detector, DetectorOptions, Embedder, EmbedderOptions, Recognizer, RecognizerOptions
from ._namespace import Namespace, Reach, SearchOptions
from ._native import Embedding, Image, __version__
from ._packs import LITE, BuiltInPack, read_pack
from ._results import (
    Box,
    Choice,
    Comparison,
    Done,
    EnrolledFace,
    EnrolledPhoto,
    Enrolment,
    ExportReport,
    Face,
    Identification,
    IdentifiedFace,
    ImportReport,
    Landmarks,
    Match,
    NamespaceStats,
    Outcome,
    Pack,
    PackPart,
    Person,
    Placement,
    Point,
    Recognition,
    RecognizedFace,
    RuntimeReport,
    Space,
    Stats,
    Timings,
    VerifyReport,
    Vote,
)
from ._runtime import doctor


__all__ = [
    "Aligner",
    "Batch",
    "Box",
    "BufferTooSmallError",
    "BuiltInPack",
    "ChecksumMismatchError",
    "Choice",
    "Color",
    "Comparison",
    "Detector",
    "DetectorOptions",
    "DimensionMismatchError",
    "Done",
    "Embedder",
    "EmbedderOptions",
    "Embedding",
    "EmbeddingSpaceMismatchError",
    "EnrolledFace",
    "EnrolledPhoto",
    "Enrolment",
    "ExportReport",
    "Face",
    "FaceNotFoundError",
    "FileMissingError",
    "FacecoreError",
    "FacecoreWarning",
    "ForkedError",
    "Gallery",
    "GalleryCorruptError",
    "GalleryLockedError",
    "GalleryNotFoundError",
    "GalleryReadOnlyError",
    "Identification",
    "IdentifiedFace",
    "Image",
    "ImageCorruptError",
    "ImageFormatError",
    "ImageLayoutError",
    "ImageLike",
    "ImageTooLargeError",
    "ImportReport",
    "InferenceError",
    "InternalError",
    "InvalidArgumentError",
    "InvalidEmbeddingError",
    "IoError",
    "LITE",
    "Landmarks",
    "LandmarksError",
    "Match",
    "ModelCorruptError",
    "ModelKindUnknownError",
    "ModelMismatchError",
    "ModelNotFoundError",
    "ModelOutputError",
    "ModelUnsupportedError",
    "Metadata",
    "Namespace",
    "NamespaceNotFoundError",
    "NamespaceStats",
    "NoFaceError",
    "Outcome",
    "Pack",
    "PackInvalidError",
    "PackPart",
    "Person",
    "PersonExistsError",
    "PersonNotFoundError",
    "Placement",
    "Point",
    "ProviderUnavailableError",
    "Reach",
    "Recognition",
    "RecognizedFace",
    "Recognizer",
    "RecognizerOptions",
    "RuntimeInvalidError",
    "RuntimeNotFoundError",
    "RuntimeReport",
    "SearchOptions",
    "SeveralFacesError",
    "Space",
    "Stats",
    "Timings",
    "VerifyReport",
    "Vote",
    "__version__",
    "compare",
    "default_recognizer",
    "doctor",
    "read_pack",
]


def compare(
    first: ImageLike | Embedding,
    second: ImageLike | Embedding,
    *,
    recognizer: Recognizer | None = None,
    color: Color | None = None,
    choice: Choice = "central",
    threshold: float | None = None,
) -> Comparison:
    """Whether two photos, or a photo and an embedding kept from before, show the same person. `recognizer` is by
    default one that is made as `Recognizer()` and kept."""
    looking = recognizer or default_recognizer()
    return looking.compare(first, second, color=color, choice=choice, threshold=threshold)
