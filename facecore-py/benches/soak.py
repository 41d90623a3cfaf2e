"""Memory over many photos of mixed sizes: it must stay where it was once every size was seen.

Needs the test data (`FACECORE_TEST_DATA`); `make soak-python`.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import random

import facecore

DATA = pathlib.Path(os.environ.get("FACECORE_TEST_DATA") or pathlib.Path(__file__).resolve().parents[3] / "shared")
SIDES = range(96, 481, 32)


def resident() -> float:
    """MiB of this process."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=20_000)
    parser.add_argument("--runtime", default="auto")
    arguments = parser.parse_args()
    models = {
        "detector": DATA / "models/yunet_n_dynamic.onnx",
        "embedder": DATA / "models/mobilefacenet_128.onnx",
    }
    recognizer = facecore.Recognizer(**models, runtime=arguments.runtime)
    print(recognizer)
    gallery = facecore.Gallery(recognizer=recognizer)
    gallery.enrol("obama", DATA / "images/obama.jpg")
    source = facecore.Image(DATA / "images/two_people.jpg").pixels
    pick = random.Random(7)
    crops = [
        source[top : top + height, left : left + width]
        for _ in range(200)
        for height, width in [(pick.choice(SIDES), pick.choice(SIDES))]
        for top, left in [(pick.randrange(100), pick.randrange(100))]
    ]
    # Every size twice, so that arenas have what they need.
    warm = 2 * len(crops)
    base = 0.0
    for at in range(arguments.photos + warm):
        gallery.identify(crops[at % len(crops)], color="rgb")
        if at % 7 == 0:
            try:
                recognizer.recognize(b"no image")
            except facecore.FacecoreError:
                pass
        if at == warm:
            base = resident()
        if at >= warm and (at - warm) % 2000 == 0:
            print(f"{at - warm:6} photos  {resident():7.1f} MiB  {resident() / base - 1:+.1%}", flush=True)
    grown = resident() / base - 1
    print(f"{arguments.photos} photos: {base:.1f} -> {resident():.1f} MiB, {grown:+.1%} (less than 5 % is meant)")
    raise SystemExit(grown >= 0.05)


if __name__ == "__main__":
    main()
