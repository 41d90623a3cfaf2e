#!/usr/bin/env python3
"""Writes the small pictures in tests/data/images, which the decoder's tests read.

Needs Pillow and numpy (made with Pillow 12). Run from anywhere: python3 tools/make_test_images.py

Nearly all of them show the same upright picture of 64 x 32 pixels, whose quarters have different
colours, so that any turn, flip or swap of channels shows:

    red   | green
    blue  | yellow
"""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

OUT = Path(__file__).resolve().parent.parent / "tests" / "data" / "images"
RED, GREEN, BLUE, YELLOW = (200, 30, 40), (20, 180, 60), (40, 60, 210), (240, 220, 30)
WIDTH, HEIGHT = 64, 32


def quarters(values, dtype=np.uint8):
    """A picture whose quarters (upper left, upper right, lower left, lower right) hold `values`."""
    values = np.array(values, dtype=dtype)
    index = (np.arange(HEIGHT)[:, None] >= HEIGHT // 2) * 2 + (np.arange(WIDTH)[None, :] >= WIDTH // 2)
    return values[index]


PICTURE = quarters([RED, GREEN, BLUE, YELLOW])


def exif(orientation):
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags.tobytes()


def stored_as(orientation):
    """The pixels a camera stores so that undoing `orientation` gives PICTURE."""
    turn = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }
    return Image.fromarray(np.ascontiguousarray(turn[orientation](PICTURE)))


def save(image, name, **options):
    image.save(OUT / name, **options)


def jpeg_bytes(image, **options):
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=95, **options)
    return buffer.getvalue()


def png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(colour_type, bits, rows, width=WIDTH, height=HEIGHT):
    """A PNG of a kind that Pillow does not write."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", data) + png_chunk(b"IEND", b"")


def without_segment(jpeg, marker):
    """`jpeg` without its header segments of one kind."""
    at, kept = 2, jpeg[:2]
    while jpeg[at + 1] != 0xDA:
        length = 2 + struct.unpack(">H", jpeg[at + 2 : at + 4])[0]
        if jpeg[at + 1] != marker:
            kept += jpeg[at : at + length]
        at += length
    return kept + jpeg[at:]


def jpegs():
    for orientation in range(1, 9):
        data = jpeg_bytes(stored_as(orientation), subsampling=0, exif=exif(orientation))
        (OUT / f"exif_{orientation}.jpg").write_bytes(data)
    upright = Image.fromarray(PICTURE)
    (OUT / "jpeg_named.png").write_bytes(jpeg_bytes(upright))
    (OUT / "progressive.jpg").write_bytes(jpeg_bytes(upright, progressive=True))
    (OUT / "truncated.jpg").write_bytes(jpeg_bytes(upright)[:-200])
    save(Image.fromarray(quarters([200, 180, 60, 220])), "grey.jpg", quality=95)
    # Red, green and blue stored as they are: an Adobe segment says so, or else the components' names.
    rgb = jpeg_bytes(upright, keep_rgb=True)
    (OUT / "rgb_adobe.jpg").write_bytes(rgb)
    (OUT / "rgb_by_id.jpg").write_bytes(without_segment(rgb, 0xEE))

    # Ink values with a black share, so that a wrong formula shows: red = (255 - c) (255 - k) / 255.
    rgb = PICTURE.astype(np.float64)
    black = 255 - rgb.max(axis=2, keepdims=True)
    ink = np.rint(255 - rgb * 255 / (255 - black))
    cmyk = np.concatenate([ink, black], axis=2).astype(np.uint8)
    # Pillow stores ink inverted and says so with an Adobe segment, as Photoshop does.
    adobe = jpeg_bytes(Image.fromarray(cmyk, "CMYK"))
    (OUT / "cmyk_adobe.jpg").write_bytes(adobe)
    # YCCK: the ink of the first three channels as YCbCr (libjpeg's ycck_cmyk_convert inverts it), black
    # inverted, and Adobe's transform set to 2. Pillow inverts all four channels while it writes.
    ycc = np.asarray(Image.fromarray(cmyk[..., :3].copy()).convert("YCbCr"))
    channels = np.concatenate([255 - ycc, cmyk[..., 3:]], axis=2)
    ycck = bytearray(jpeg_bytes(Image.fromarray(np.ascontiguousarray(channels), "CMYK")))
    ycck[ycck.index(b"Adobe") + 11] = 2
    (OUT / "ycck_adobe.jpg").write_bytes(ycck)


def pngs():
    upright = Image.fromarray(PICTURE)
    save(upright, "rgb.png")
    save(stored_as(6), "exif_6.png", exif=exif(6))
    # Some programs append the note instead of inserting it before the pixels.
    save(stored_as(6), "exif_6_late.png")
    data = (OUT / "exif_6_late.png").read_bytes()
    (OUT / "exif_6_late.png").write_bytes(data[:-12] + png_chunk(b"eXIf", exif(6)[6:]) + data[-12:])
    # A little over 257 times the 8-bit value: rounds to that value, while cutting to the low byte would not.
    wide = (PICTURE.astype(int) * 257 + 100).astype(">u2")
    (OUT / "rgb16.png").write_bytes(png(2, 16, [row.tobytes() for row in wide]))
    grey = (quarters([200, 180, 60, 220]).astype(int) * 257 + 100).astype(">u2")
    (OUT / "grey16.png").write_bytes(png(0, 16, [row.tobytes() for row in grey]))
    grey_alpha = quarters([(200, 255), (180, 255), (60, 0), (100, 128)])
    (OUT / "grey_alpha.png").write_bytes(png(4, 8, [row.tobytes() for row in grey_alpha]))
    save(Image.fromarray(quarters([(*RED, 255), (*GREEN, 255), (*BLUE, 0), (*YELLOW, 128)])), "rgba.png")
    bits = quarters([False, True, True, True], bool)
    save(Image.fromarray(bits), "bit.png")
    palette = Image.fromarray(quarters([0, 1, 2, 3]), "P")
    palette.putpalette([*RED, *GREEN, *BLUE, *YELLOW])
    save(palette, "palette_transparent.png", transparency=bytes([0, 255, 255, 255]))
    save(palette, "palette.bmp")
    save(upright, "rgb.bmp")
    (OUT / "huge_header.png").write_bytes(png(2, 8, [bytes(90000)], 30000, 30000))
    data = (OUT / "rgb.png").read_bytes()
    (OUT / "truncated.png").write_bytes(data[: len(data) - 40])


def animations_and_webp():
    first, second = Image.fromarray(PICTURE), Image.fromarray(255 - PICTURE)
    more = {"save_all": True, "append_images": [second], "duration": 100}
    palettes = [frame.quantize(4, dither=Image.Dither.NONE) for frame in (first, second)]
    palettes[0].save(OUT / "animated.gif", save_all=True, append_images=palettes[1:], duration=100)
    save(first, "animated.png", **more)
    save(first, "animated.webp", lossless=True, **more)
    save(first, "lossless.webp", lossless=True)
    save(first, "lossy.webp", quality=95)
    save(Image.fromarray(quarters([(*RED, 255), (*GREEN, 255), (*BLUE, 0), (*YELLOW, 128)])), "rgba.webp",
         lossless=True, exact=True)
    save(stored_as(6), "exif_6.webp", lossless=True, exif=exif(6))
    lossy = (OUT / "lossy.webp").read_bytes()
    (OUT / "truncated.webp").write_bytes(lossy[: len(lossy) * 2 // 3])


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    jpegs()
    pngs()
    animations_and_webp()
    (OUT / "empty.jpg").write_bytes(b"")
    (OUT / "text.jpg").write_text("This is no picture.\n")
    for name in ("cmyk_adobe.jpg", "ycck_adobe.jpg", "rgb_adobe.jpg", "rgb_by_id.jpg"):
        # What Pillow reads from them must be the picture, or the fixture itself is wrong.
        seen = np.asarray(Image.open(OUT / name).convert("RGB")).astype(int)
        print(f"{name}: largest difference {abs(seen - PICTURE).max()} as Pillow reads it")


if __name__ == "__main__":
    main()
