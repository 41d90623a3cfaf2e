"""What an image may be given as, and that it makes no difference."""

from __future__ import annotations

import base64
import io
import os
import pathlib
import pickle
import subprocess
import sys
import textwrap
import threading

import numpy
import pytest
from PIL import Image as Pillow

import facecore


@pytest.fixture(scope="module")
def photo(images: pathlib.Path) -> pathlib.Path:
    return images / "knn_obama_and_biden.jpg"


@pytest.fixture(scope="module")
def pixels(photo: pathlib.Path) -> numpy.ndarray:
    return facecore.Image(photo).pixels


def test_every_kind_of_source_gives_the_same_faces(recognizer, photo, pixels) -> None:
    expected = recognizer.recognize(photo).faces
    assert len(expected) == 3
    content = photo.read_bytes()
    for source in (
        str(photo),
        content,
        bytearray(content),
        memoryview(content),
        numpy.frombuffer(content, dtype="uint8"),
        io.BytesIO(content),
        photo.open("rb"),
        "data:image/jpeg;base64," + base64.b64encode(content).decode(),
        Pillow.open(photo),
        Pillow.open(photo).convert("RGBA"),
        facecore.Image(photo),
    ):
        assert recognizer.recognize(source).faces == expected, type(source)
    bgr = numpy.ascontiguousarray(pixels[:, :, ::-1])
    opaque = numpy.full((*pixels.shape[:2], 1), 255, dtype="uint8")
    framed = numpy.zeros((pixels.shape[0], pixels.shape[1] + 5, 3), dtype="uint8")
    framed[:, :-5] = pixels
    for array, color in (
        (pixels, "rgb"),
        (bgr, "bgr"),
        (bgr[:, :, ::-1], "rgb"),
        (numpy.concatenate([pixels, opaque], axis=2), "rgba"),
        (numpy.concatenate([bgr, opaque], axis=2), "bgra"),
        (framed[:, :-5], "rgb"),
        (numpy.asfortranarray(pixels), "rgb"),
        (memoryview(pixels), "rgb"),
    ):
        assert recognizer.recognize(array, color=color).faces == expected, (color, array.strides)


def test_gray_arrays_have_two_or_three_axes(recognizer, pixels) -> None:
    gray = numpy.asarray(Pillow.fromarray(pixels).convert("L"))
    found = recognizer.recognize(gray, color="gray")
    assert len(found) == 3
    assert recognizer.recognize(gray[:, :, None], color="gray").faces == found.faces
    assert recognizer.recognize(Pillow.fromarray(gray)).faces == found.faces
    flipped = recognizer.recognize(gray[:, ::-1], color="gray")
    assert len(flipped) == 3 and abs(flipped[0].box.x1 - (pixels.shape[1] - found[0].box.x2)) < 10


def test_exif_orientation_is_applied(recognizer, photo, pixels) -> None:
    turned = Pillow.fromarray(pixels).transpose(Pillow.Transpose.ROTATE_90)
    exif = Pillow.Exif()
    exif[0x0112] = 6
    saved = io.BytesIO()
    turned.save(saved, "JPEG", quality=97, exif=exif)
    for source in (saved.getvalue(), Pillow.open(saved)):
        found = recognizer.recognize(source)
        assert (found.width, found.height) == (pixels.shape[1], pixels.shape[0])
        assert len(found) == 3
    for source in (saved.getvalue(), Pillow.open(saved)):
        raw = facecore.Image(source, apply_exif=False)
        assert (raw.width, raw.height) == (pixels.shape[0], pixels.shape[1])


def test_files_that_give_little_at_a_time(photo) -> None:
    reader, writer = os.pipe()
    content = photo.read_bytes()

    def write() -> None:
        with os.fdopen(writer, "wb", buffering=0) as pipe:
            for at in range(0, len(content), 10_000):
                pipe.write(content[at : at + 10_000])

    thread = threading.Thread(target=write)
    thread.start()
    with os.fdopen(reader, "rb", buffering=0) as pipe:
        assert facecore.Image(pipe) == facecore.Image(photo)
    thread.join()


def test_transparent_parts_are_white_however_they_come() -> None:
    image = Pillow.new("RGBA", (8, 4), (255, 0, 0, 255))
    image.putpixel((1, 1), (0, 0, 0, 0))
    saved = io.BytesIO()
    image.save(saved, "PNG")
    assert facecore.Image(image) == facecore.Image(saved.getvalue())
    assert facecore.Image(image).pixels[1, 1].tolist() == [255, 255, 255]


def test_an_image_lends_its_pixels(photo) -> None:
    image = facecore.Image(photo)
    array = image.pixels
    assert array.shape == (image.height, image.width, 3) and array.dtype == numpy.uint8
    assert not array.flags.writeable and not array.flags.owndata
    assert numpy.shares_memory(array, image.pixels)
    expected = array.copy()
    del image
    assert (array == expected).all(), "the array keeps the pixels"
    with pytest.raises(TypeError, match="read-only"):
        memoryview(facecore.Image(photo)).cast("B")[0] = 1  # type: ignore[index]


def test_images_compare_pickle_and_show_their_size() -> None:
    pixels = numpy.arange(2 * 3 * 3, dtype="uint8").reshape(2, 3, 3)
    image = facecore.Image(pixels, color="rgb")
    assert image == facecore.Image(pixels[:, :, ::-1], color="bgr") and hash(image) == hash(facecore.Image(image))
    assert image != facecore.Image(pixels + 1, color="rgb") and image != 3
    assert pickle.loads(pickle.dumps(image)) == image
    assert repr(image) == "<Image of 3 x 2 pixels>"


BAD = numpy.zeros((4, 4, 3), dtype="uint8")


@pytest.mark.parametrize(
    ("source", "color", "error", "says"),
    [
        (BAD, None, facecore.InvalidArgumentError, 'pass color="rgb"'),
        (BAD, "hsv", facecore.InvalidArgumentError, "no color `hsv`"),
        (BAD, "rgba", facecore.ImageLayoutError, "4 channels, as the last axis of its shape, not 3"),
        (BAD.astype("float32"), "rgb", facecore.ImageLayoutError, "uint8"),
        (numpy.broadcast_to(BAD[:1, :1], (10**6, 10**6, 3)), "rgb", facecore.ImageTooLargeError, "not copied"),
        (numpy.zeros((3, 8, 9), dtype="uint8"), "rgb", facecore.ImageLayoutError, "last axis"),
        (BAD[None], "rgb", facecore.ImageLayoutError, r"not \[1, 4, 4, 3\]"),
        (BAD[0, 0].astype("float32"), None, facecore.InvalidArgumentError, "facecore.Embedding"),
        (BAD[:0], "rgb", facecore.ImageLayoutError, "."),
        (BAD[:, :0], "rgb", facecore.ImageLayoutError, "."),
        (b"", None, facecore.ImageCorruptError, "zero bytes"),
        (b"no image at all", None, facecore.ImageFormatError, "."),
        (BAD[0, 0], None, facecore.ImageFormatError, "."),
        ("not/there.jpg", None, facecore.IoError, "not/there.jpg"),
        (pathlib.Path("not/there.jpg"), None, facecore.IoError, "not/there.jpg"),
        ("data:image/png;base64,@@@", None, facecore.ImageCorruptError, "base64"),
        ("data:text/plain,hello", None, facecore.InvalidArgumentError, "data:image/jpeg;base64"),
        (io.StringIO("text"), None, facecore.InvalidArgumentError, "binary mode"),
        (3.5, None, facecore.InvalidArgumentError, "float is no image"),
        (None, None, facecore.InvalidArgumentError, "was the file read"),
    ],
)
def test_what_is_no_image_is_refused_in_words(source, color, error, says) -> None:
    with pytest.raises(error, match=says):
        facecore.Image(source, color=color)


def test_a_damaged_photo_is_refused(recognizer, photo) -> None:
    half = photo.read_bytes()[:20_000]
    with pytest.raises(facecore.ImageCorruptError):
        recognizer.recognize(half)
    with pytest.raises(facecore.ImageCorruptError):
        recognizer.recognize(Pillow.open(io.BytesIO(half)))


def test_arrays_are_not_copied(pack_options) -> None:
    """Not even those with gaps between rows: memory does not grow by the size of the pixels."""
    program = """
        import resource, sys, numpy, facecore
        detector = facecore.Detector(detector=sys.argv[1], runtime="rten")
        detector.detect(numpy.zeros((640, 640, 3), dtype="uint8"), color="rgb")
        pixels = numpy.ones((8000, 10000, 3), dtype="uint8")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for array in (pixels, pixels[:, 10:], pixels[100:]):
            detector.detect(array, color="bgr")
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    """
    command = [sys.executable, "-c", textwrap.dedent(program), str(pack_options["detector"])]
    grown = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert grown < 100_000, "kB, where the pixels have 240,000"


def test_limits_hold(pack_options, photo) -> None:
    with facecore.Detector(detector=pack_options["detector"], runtime="rten", max_pixels=1000) as detector:
        with pytest.raises(facecore.ImageTooLargeError):
            detector.detect(photo)
