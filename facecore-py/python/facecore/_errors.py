"""The library's errors as exceptions.

Each kind of error is a class below `FacecoreError` and below the built-in exception that fits, and has the number
that it has in Rust and C.
"""

from __future__ import annotations

import errno
from typing import Any, ClassVar


class FacecoreError(Exception):
    """What all errors of facecore are. The message names the cause and the remedy."""

    code: ClassVar[int] = 0
    """The number of the kind of error, the same in Rust and C."""

    def __init_subclass__(cls) -> None:
        # Where users find it, for tracebacks.
        cls.__module__ = "facecore"

    def to_dict(self) -> dict[str, Any]:
        """Code, kind and message as JSON knows them."""
        return {"code": self.code, "kind": type(self).__name__, "message": str(self)}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FacecoreError):
            return NotImplemented
        return type(self) is type(other) and self.args == other.args

    def __hash__(self) -> int:
        return hash((type(self), self.args))

    def __reduce__(self) -> tuple[Any, ...]:
        return exception, (self.code, str(self), getattr(self, "errno", None))

    def __str__(self) -> str:
        # `KeyError` would show its representation, `OSError` its number.
        return str(self.args[0]) if self.args else ""


class FacecoreWarning(UserWarning):
    """Something works, and could work better."""


class InvalidArgumentError(FacecoreError, ValueError):
    """An argument is outside what the function takes."""

    code = 100


class DimensionMismatchError(FacecoreError, ValueError):
    """A vector's length differs from what the gallery, namespace or model uses."""

    code = 101


class InvalidEmbeddingError(FacecoreError, ValueError):
    """A vector holds NaN or infinity, or is all zeros."""

    code = 102


class BufferTooSmallError(FacecoreError, ValueError):
    """A caller's buffer is too small for the answer. Of C: in Python buffers are the library's."""

    code = 103


class IoError(FacecoreError, OSError):
    """A file could not be read or written."""

    code = 110


class ForkedError(FacecoreError, RuntimeError):
    """The object was made by a parent process; its threads and locks did not come along."""

    code = 120


class CancelledError(FacecoreError, RuntimeError):
    """The caller's own callback stopped it."""

    code = 130


class ImageFormatError(FacecoreError, ValueError):
    """The bytes are in no image format this build reads."""

    code = 200


class ImageCorruptError(FacecoreError, ValueError):
    """The image is damaged or cut short."""

    code = 201


class ImageTooLargeError(FacecoreError, ValueError):
    """The image has more pixels or bytes than the limits allow."""

    code = 202


class ImageLayoutError(FacecoreError, ValueError):
    """Width, height, stride, format and buffer length of a pixel view do not fit together."""

    code = 203


class NoFaceError(FacecoreError, ValueError):
    """A photo that must show a face shows none."""

    code = 210


class SeveralFacesError(FacecoreError, ValueError):
    """A photo that must show one face shows several."""

    code = 211


class LandmarksError(FacecoreError, ValueError):
    """The landmarks are missing, not finite, or all in one place, so no crop can be cut."""

    code = 212


class ModelNotFoundError(FacecoreError, FileNotFoundError):
    """A model file or pack is not where it was said to be."""

    code = 300


class ModelCorruptError(FacecoreError, ValueError):
    """A model file is no readable ONNX model."""

    code = 301


class ModelMismatchError(FacecoreError, ValueError):
    """A model's inputs or outputs differ from what its kind or spec says."""

    code = 302


class ModelUnsupportedError(FacecoreError, NotImplementedError):
    """The runtime cannot execute something in the model."""

    code = 303


class PackInvalidError(FacecoreError, ValueError):
    """`pack.toml` is missing, malformed or contradicts itself."""

    code = 304


class ChecksumMismatchError(FacecoreError, ValueError):
    """A file's SHA-256 differs from the one its pack declares."""

    code = 305


class ModelKindUnknownError(FacecoreError, ValueError):
    """The kind of a bare model file is not evident and must be named."""

    code = 306


class ModelOutputError(FacecoreError, ArithmeticError):
    """A model produced NaN, infinity, a wrong shape, or something else than its pack says it must."""

    code = 307


class DownloadFailedError(FacecoreError, ConnectionError):
    """A pack could not be downloaded from any of its sources."""

    code = 310


class LicenceRefusedError(FacecoreError, PermissionError):
    """A pack's licence was not accepted, or the application's policy forbids it."""

    code = 311


class ArchiveInvalidError(FacecoreError, ValueError):
    """An archive is damaged, or holds what no archive of models holds."""

    code = 312


class RuntimeNotFoundError(FacecoreError, ImportError):
    """No inference runtime was found."""

    code = 400


class RuntimeInvalidError(FacecoreError, ImportError):
    """A library was found but is no usable runtime (not one at all, too old, or another is loaded)."""

    code = 401


class ProviderUnavailableError(FacecoreError, RuntimeError):
    """A provider was required and is not available."""

    code = 402


class InferenceError(FacecoreError, RuntimeError):
    """The runtime failed while executing a model."""

    code = 403


class EmbeddingSpaceMismatchError(FacecoreError, ValueError):
    """An embedding comes from another embedding space than the namespace holds."""

    code = 500


class PersonNotFoundError(FacecoreError, KeyError):
    """There is no such person."""

    code = 501


class FaceNotFoundError(FacecoreError, KeyError):
    """There is no such face."""

    code = 502


class NamespaceNotFoundError(FacecoreError, KeyError):
    """There is no such namespace."""

    code = 503


class PersonExistsError(FacecoreError, ValueError):
    """A person with that id exists already."""

    code = 504


class GalleryCorruptError(FacecoreError, ValueError):
    """A stored gallery is damaged or of an unknown format."""

    code = 510


class GalleryLockedError(FacecoreError, BlockingIOError):
    """Another process has the gallery open."""

    code = 511


class GalleryReadOnlyError(FacecoreError, PermissionError):
    """The gallery was opened for reading only."""

    code = 512


class GalleryNotFoundError(FacecoreError, FileNotFoundError):
    """There is no gallery in the folder."""

    code = 513


class InternalError(FacecoreError, RuntimeError):
    """A fault of this library."""

    code = 900


class FileMissingError(IoError, FileNotFoundError):
    """A file is not there."""


_BY_CODE: dict[int, type[FacecoreError]] = {kind.code: kind for kind in FacecoreError.__subclasses__()}


def exception(code: int, message: str, os_error: int | None) -> FacecoreError:
    """The exception for an error of the library."""
    kind = _BY_CODE.get(code, FacecoreError)
    error = FileMissingError(message) if kind is IoError and os_error == errno.ENOENT else kind(message)
    if isinstance(error, OSError):
        error.errno = os_error
    return error


def refusal(error: Exception) -> FacecoreError:
    """The error for an image that could not even be taken, because of what Python raised meanwhile."""
    if isinstance(error, FacecoreError):
        return error
    refused: FacecoreError
    if isinstance(error, OSError):
        refused = IoError(f"cannot read the image: {error}")
        refused.errno = error.errno
    else:
        refused = InvalidArgumentError(f"the image cannot be taken: {type(error).__name__}: {error}")
    refused.__cause__ = error
    return refused
