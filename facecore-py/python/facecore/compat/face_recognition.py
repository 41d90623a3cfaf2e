"""`face_recognition` on facecore.

    from facecore.compat import face_recognition
    known = face_recognition.face_encodings(face_recognition.load_image_file("ada.jpg"))[0]
    for found in face_recognition.face_encodings(face_recognition.load_image_file("crowd.jpg")):
        print(face_recognition.compare_faces([known], found))

Images are `uint8` arrays of shape (height, width, 3), red first, or (height, width). Locations are (top, right,
bottom, left) in pixels.

Encodings are of unit length times the recognizer's scale: the one that puts two faces whose cosine is just the
recognizer's threshold at a distance of 0.6. So the plain Euclidean distance of two encodings is 0 for equal ones, up
to 0.6 for faces taken for one person, and more for others; whatever computes distances itself needs no change. They
cannot be compared with encodings that dlib made.

Locating and encoding one image costs one look: a thread keeps the image it saw last, and what was found in it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from typing import Any, Literal, TypeAlias, cast

import numpy
from numpy.typing import ArrayLike, NDArray

from .._default import default_recognizer
from .._errors import InvalidArgumentError, NoFaceError
from .._images import Color, ImageLike
from .._models import Recognizer
from .._native import Image
from .._results import Box, Landmarks, RecognizedFace
from . import UnsupportedError

__all__ = [
    "batch_face_locations",
    "compare_faces",
    "face_distance",
    "face_encodings",
    "face_landmarks",
    "face_locations",
    "load_image_file",
    "use",
]

Pixels: TypeAlias = NDArray[numpy.uint8]
Encoding: TypeAlias = NDArray[numpy.float64]
Location: TypeAlias = tuple[int, int, int, int]
"""Top, right, bottom, left, in pixels."""

_TOLERANCE = 0.6

# Boxes of other detectors end at the brows or reach to the ears: this much intersection over union is the same face.
_SAME_FACE = 0.4
# Where a location is looked at by itself, so much of its size is added at each side: detectors want to see whole heads.
_MARGIN = 0.5

_chosen: Recognizer | None = None
_seen = threading.local()


def use(recognizer: Recognizer | None) -> None:
    """Makes all threads use `recognizer`; `None` goes back to the usual one, `Recognizer()`."""
    global _chosen
    _chosen = recognizer


def load_image_file(file: ImageLike, mode: str = "RGB") -> Pixels:
    """The pixels of an image file (a path or a file object), turned upright as its EXIF orientation says; as shades
    of grey if `mode` is `"L"`."""
    if mode not in ("RGB", "L"):
        raise UnsupportedError(f"images are loaded as RGB or L, not {mode!r}: convert what this gives")
    pixels = Image(file).pixels
    if mode == "RGB":
        return numpy.array(pixels)
    # ITU-R 601, as Pillow computes it.
    luma = pixels.astype(numpy.uint32) @ numpy.array([19595, 38470, 7471], numpy.uint32)
    return ((luma + 0x8000) >> 16).astype(numpy.uint8)


def face_locations(
    img: Pixels, number_of_times_to_upsample: int = 1, model: Literal["hog", "cnn"] = "hog"
) -> list[Location]:
    """Where faces are, best first. `model` makes no difference: the recognizer's detector is at least as good as
    either. To find smaller faces than 40 pixels, `use` a recognizer with that `smallest_face`."""
    _check("model", model, ("hog", "cnn"))
    if number_of_times_to_upsample > 1:
        smallest = max(80 >> number_of_times_to_upsample, 1)
        raise UnsupportedError(
            "images are not enlarged; to find faces of so few pixels, "
            f"face_recognition.use(facecore.Recognizer(…, smallest_face={smallest}))"
        )
    found = _faces(img)
    height, width = img.shape[:2]
    return [_location(face.box, width, height) for face in found]


def batch_face_locations(
    images: Iterable[Pixels], number_of_times_to_upsample: int = 1, batch_size: int = 128
) -> list[list[Location]]:
    """`face_locations` of each image. `batch_size` makes no difference."""
    return [face_locations(img, number_of_times_to_upsample) for img in images]


def face_encodings(
    face_image: Pixels,
    known_face_locations: Sequence[Location] | None = None,
    num_jitters: int = 1,
    model: Literal["small", "large"] = "small",
) -> list[Encoding]:
    """The encodings of the faces at `known_face_locations`, in their order, or of all faces.

    A location says which face is meant; how it is turned is found by detecting it: in the whole image, or else around
    the location by itself. Raises `NoFaceError` if there is none. `model` makes no difference.
    """
    _check("model", model, ("small", "large"))
    if num_jitters > 1:
        raise UnsupportedError(
            "faces are not encoded several times over: leave num_jitters out, and for a little more accuracy "
            'face_recognition.use(facecore.Recognizer(…, flip="sum"))'
        )
    scale = _scale(_recognizer().space.threshold)
    return [face.embedding.values.astype(numpy.float64) * scale for face in _meant(face_image, known_face_locations)]


def face_landmarks(
    face_image: Pixels,
    face_locations: Sequence[Location] | None = None,
    model: Literal["small", "large"] = "large",
) -> list[dict[str, list[tuple[int, int]]]]:
    """Points of the faces at `face_locations` (see `face_encodings`), or of all faces, in pixels: one each as
    `left_eye`, `right_eye` and `nose_tip`, and two as `mouth_corners`; left is left in the image. There are no others,
    so `model` must be `"small"`. Faces of a detector without points are left out."""
    _check("model", model, ("small", "large"))
    if model == "large":
        raise UnsupportedError('there are five points and no outlines: ask for model="small"')
    found = []
    for face in _meant(face_image, face_locations):
        if face.landmarks is not None:
            left_eye, right_eye, nose, *mouth = [(round(x), round(y)) for x, y in face.landmarks]
            found.append(
                {"left_eye": [left_eye], "right_eye": [right_eye], "nose_tip": [nose], "mouth_corners": mouth}
            )
    return found


def face_distance(face_encodings: Sequence[ArrayLike] | NDArray[Any], face_to_compare: ArrayLike) -> Encoding:
    """The distance of each encoding to `face_to_compare`: 0 for equal ones, up to 0.6 for faces taken for one
    person."""
    if not len(face_encodings):
        return numpy.empty(0)
    differences = numpy.asarray(face_encodings) - numpy.asarray(face_to_compare)
    distances: Encoding = numpy.linalg.norm(differences, axis=1)
    return distances


def compare_faces(
    known_face_encodings: Sequence[ArrayLike] | NDArray[Any],
    face_encoding_to_check: ArrayLike,
    tolerance: float = _TOLERANCE,
) -> list[bool]:
    """Which of the known encodings are at most `tolerance` away."""
    return [bool(near) for near in face_distance(known_face_encodings, face_encoding_to_check) <= tolerance]


def _check(name: str, value: object, known: tuple[str, ...]) -> None:
    if value not in known:
        raise InvalidArgumentError(f"{name} is one of {', '.join(known)}, not {value!r}")


def _recognizer() -> Recognizer:
    return _chosen or default_recognizer()


def _scale(threshold: float) -> float:
    """The length of encodings."""
    # Unit vectors with that cosine are sqrt(2 - 2 cos) apart.
    apart = (2.0 - 2.0 * threshold) ** 0.5
    if apart < 1e-6:
        raise InvalidArgumentError(f"a threshold of {threshold} leaves no distance to tell people by")
    return float(_TOLERANCE / apart)


def _color(img: Pixels) -> Color:
    return "gray" if img.ndim == 2 else "rgb"


def _faces(img: Pixels) -> tuple[RecognizedFace, ...]:
    """The faces of an image. They are kept until the thread sees another one."""
    if not isinstance(img, numpy.ndarray):
        raise InvalidArgumentError(f"an image is an array, as load_image_file gives it, not {type(img).__name__}")
    recognizer = _recognizer()
    last = getattr(_seen, "last", None)
    # Compared by value: callers draw on images, and cameras reuse their buffers.
    if last is not None and last[0] is recognizer and numpy.array_equal(last[1], img):
        found: tuple[RecognizedFace, ...] = last[2]
        return found
    found = recognizer.recognize(img, color=_color(img)).faces
    _seen.last = (recognizer, img.copy(), found)
    return found


def _meant(img: Pixels, locations: Sequence[Location] | None) -> Sequence[RecognizedFace]:
    return _faces(img) if locations is None else [_face_at(img, location) for location in locations]


def _face_at(img: Pixels, location: Location) -> RecognizedFace:
    top, right, bottom, left = location
    wanted = Box(left, top, right, bottom)
    best = max(_faces(img), key=lambda face: _overlap(face.box, wanted), default=None)
    if best is not None and _overlap(best.box, wanted) >= _SAME_FACE:
        return best
    return _face_around(img, wanted)


def _face_around(img: Pixels, wanted: Box) -> RecognizedFace:
    """The face whose centre is in the box, looked for in that part of the image alone."""
    height, width = img.shape[:2]
    x, y = wanted.width * _MARGIN, wanted.height * _MARGIN
    left, top = max(int(wanted.x1 - x), 0), max(int(wanted.y1 - y), 0)
    right, bottom = min(int(wanted.x2 + x), width), min(int(wanted.y2 + y), height)
    best, most = None, 0.0
    if left < right and top < bottom:
        for face in _recognizer().recognize(img[top:bottom, left:right], color=_color(img)):
            box = Box(face.box.x1 + left, face.box.y1 + top, face.box.x2 + left, face.box.y2 + top)
            inside = wanted.x1 <= (box.x1 + box.x2) / 2 <= wanted.x2 and wanted.y1 <= (box.y1 + box.y2) / 2 <= wanted.y2
            if inside and _overlap(box, wanted) > most:
                best, most = (face, box), _overlap(box, wanted)
    if best is None:
        place = tuple(map(int, (wanted.y1, wanted.x2, wanted.y2, wanted.x1)))
        raise NoFaceError(f"there is no face at {place} (top, right, bottom, left): leave locations without a face out")
    face, box = best
    points = face.landmarks and tuple((x + left, y + top) for x, y in face.landmarks)
    return RecognizedFace(box, face.score, cast(Landmarks | None, points), face.embedding)


def _overlap(a: Box, b: Box) -> float:
    """Intersection over union."""
    shared = max(min(a.x2, b.x2) - max(a.x1, b.x1), 0.0) * max(min(a.y2, b.y2) - max(a.y1, b.y1), 0.0)
    union = a.area + b.area - shared
    return shared / union if union > 0 else 0.0


def _location(box: Box, width: int, height: int) -> Location:
    return (
        min(max(round(box.y1), 0), height),
        max(min(round(box.x2), width), 0),
        max(min(round(box.y2), height), 0),
        min(max(round(box.x1), 0), width),
    )
