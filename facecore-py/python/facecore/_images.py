"""What an image may be given as, beside what the native half knows: paths, bytes, arrays."""

from __future__ import annotations

import base64
import os
import sys
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, TypeAlias, Union

from . import _native
from ._errors import ImageCorruptError, InvalidArgumentError

if TYPE_CHECKING:
    import numpy
    from PIL.Image import Image as PillowImage

ImageLike: TypeAlias = Union[
    str,
    "os.PathLike[str]",
    bytes,
    bytearray,
    memoryview,
    BinaryIO,
    "numpy.ndarray[Any, numpy.dtype[Any]]",
    "PillowImage",
    _native.Image,
]
"""A path, an encoded image's bytes, a `data:` URI, a binary file object, a `uint8` array of shape (height, width) or
(height, width, channels) together with its `color`, a Pillow image, or an `Image`."""

Color: TypeAlias = Literal["rgb", "bgr", "rgba", "bgra", "gray"]
"""The order of an array's channels. OpenCV's is `"bgr"`."""

# More is not read of a file object; the library's own limit is told from what was read.
_MAX_BYTES = 1 << 30


def simplify(given: Any, apply_exif: bool) -> tuple[Any, str | None]:
    """Encoded bytes, or an array with its color, for an image that was given otherwise."""
    if isinstance(given, str):
        return _bytes_of_uri(given), None
    pillow = sys.modules.get("PIL.Image")
    if pillow is not None and isinstance(given, pillow.Image):
        return _pixels_of_pillow(given, apply_exif)
    if hasattr(given, "read"):
        return _bytes_of_file(given), None
    if hasattr(given, "__array__"):
        return given.__array__(), None
    if given is None:
        raise InvalidArgumentError("None is no image: was the file read? cv2.imread gives None where it cannot")
    raise InvalidArgumentError(
        f"{type(given).__qualname__} is no image; give a path, bytes, a binary file, a PIL image or a uint8 array"
    )


def _bytes_of_file(file: Any) -> bytes:
    """All of it: a pipe or a socket gives what it has, and more the next time."""
    parts, left = [], _MAX_BYTES
    while left > 0 and (part := file.read(left)):
        if not isinstance(part, (bytes, bytearray, memoryview)):
            raise InvalidArgumentError('a file object must give bytes: open the file in binary mode, "rb"')
        parts.append(bytes(part))
        left -= len(part)
    return b"".join(parts)


def _bytes_of_uri(uri: str) -> bytes:
    head, comma, data = uri.partition(",")
    if not comma or not head.endswith(";base64"):
        raise InvalidArgumentError("a data URI of an image looks like data:image/jpeg;base64,…")
    try:
        return base64.b64decode(data, validate=True)
    except ValueError as error:
        raise ImageCorruptError(f"the data URI is no base64: {error}") from error


def _pixels_of_pillow(image: PillowImage, apply_exif: bool) -> tuple[Any, str]:
    import numpy
    from PIL import Image, ImageOps

    try:
        upright = ImageOps.exif_transpose(image) if apply_exif else image
        if upright.has_transparency_data:
            # As the library does with files.
            opaque = Image.new("RGBA", upright.size, "white")
            opaque.alpha_composite(upright.convert("RGBA"))
            upright = opaque.convert("RGB")
        elif upright.mode not in ("L", "RGB"):
            upright = upright.convert("RGB")
        return numpy.asarray(upright), "gray" if upright.mode == "L" else "rgb"
    except (OSError, SyntaxError, ValueError) as error:
        raise ImageCorruptError(f"Pillow cannot read the image: {error}") from error
