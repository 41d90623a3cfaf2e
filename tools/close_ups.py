#!/usr/bin/env python3
"""What a detector still sees of a face too large for it: the constants of `facecore/src/detect/close_ups.rs`.

    target/compare-peers/venv/bin/python tools/close_ups.py scrfd_2.5g_bnkps.onnx

Faces of LFW are enlarged to 0.65 to 1.5 of the longer side of 640 pixels, in five proportions, two of three with another
person's face in a corner. Of those that one look misses, it is counted how many leave a candidate beside the faces found:
so large, and of such a score. Then the same for the reference photographs, in which nobody fills the frame. Some minutes.
"""

from __future__ import annotations

import argparse
import os
import random
from pathlib import Path

import cv2
import numpy as np

import facecore

TRACE_SCORE, TRACE_SHARE, OVERLAP, SURE = 0.03, 0.45, 0.4, {"scrfd": 0.5, "yunet": 0.6}
SIZES = [(640, 640), (640, 448), (640, 360), (448, 640), (360, 640)]
SHARES = [0.65, 0.7, 0.75, 0.8, 0.9, 1.0, 1.2, 1.5]
CORNER = 130  # pixels

Box = tuple[float, float, float, float]


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="a detector of the test data")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("FACECORE_TEST_DATA") or "../shared"))
    parser.add_argument("--shares", type=float, nargs="*", default=SHARES, help="of the longer side")
    options = parser.parse_args()
    sure = SURE[options.model.split("_")[0]]
    loaded = {"detector": options.data / "models" / options.model, "close_ups": False}
    usual, faint = facecore.Detector(**loaded), facecore.Detector(**loaded, score_threshold=0.01, nms_iou=1.0)

    def seen(picture: np.ndarray) -> list[tuple[Box, float]]:
        return [(tuple(face.box), face.score) for face in faint.detect(picture, color="bgr")]

    chance = random.Random(3)
    files = chance.sample(sorted((options.data / "lfw").rglob("*.jpg")), 60)
    photos = [cv2.imread(str(file)) for file in files]
    people = [(photo, tuple(found[0].box)) for photo in photos if (found := usual.detect(photo, color="bgr"))]
    missed = {True: [0, 0], False: [0, 0]}
    for size in SIZES:
        for share in options.shares:
            for at, (photo, box) in enumerate(people):
                picture, true = enlarged(photo, box, size, share, chance)
                beside = at % 3 != 0
                if beside:
                    other = people[(at + 7) % len(people)][0][60 : 60 + CORNER, 60 : 60 + CORNER]
                    x, y = chance.choice([0, size[0] - CORNER]), chance.choice([0, size[1] - CORNER])
                    picture[y : y + CORNER, x : x + CORNER] = other
                candidates = seen(picture)
                if not any(score >= sure and overlap(place, true) > 0.5 for place, score in candidates):
                    missed[beside][0] += 1
                    missed[beside][1] += twice(candidates, sure, 640)
    for beside, (count, told) in missed.items():
        where = "another face in a corner" if beside else "alone"
        print(f"{options.model}, {where}: of {count} faces missed {told} would be looked for again")
    pictures = [cv2.imread(str(path)) for path in sorted((options.data / "images").iterdir())]
    pictures = [picture for picture in pictures if picture is not None]
    again = sum(twice(seen(picture), sure, max(picture.shape[:2])) for picture in pictures)
    print(f"of {len(pictures)} photographs {again} are looked at again")


def enlarged(photo: np.ndarray, box: Box, size: tuple[int, int], share: float, chance: random.Random):
    """The face at `share` of 640 pixels, somewhere about the middle; and its box, as far as it is in the picture."""
    scale = share * 640 / max(box[2] - box[0], box[3] - box[1])
    x = size[0] * (0.5 + chance.uniform(-0.3, 0.3)) - scale * (box[0] + box[2]) / 2
    y = size[1] * (0.5 + chance.uniform(-0.1, 0.1)) - scale * (box[1] + box[3]) / 2
    moved = np.float32([[scale, 0, x], [0, scale, y]])
    picture = cv2.warpAffine(photo, moved, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    left, top, right, bottom = (scale * value + (x, y)[at % 2] for at, value in enumerate(box))
    return picture, (max(left, 0), max(top, 0), min(right, size[0]), min(bottom, size[1]))


def twice(candidates: list[tuple[Box, float]], sure: float, long_side: float) -> bool:
    """As `possible` in `close_ups.rs`."""
    found = [box for box, score in candidates if score >= sure]
    if not found or any(side(box) >= 0.6 * long_side for box in found):
        return True
    return any(
        TRACE_SCORE <= score < sure
        and side(box) >= TRACE_SHARE * long_side
        and all(overlap(box, face) <= OVERLAP for face in found)
        for box, score in candidates
    )


def side(box: Box) -> float:
    return max(box[2] - box[0], box[3] - box[1])


def overlap(a: Box, b: Box) -> float:
    """Intersection over union."""
    shared = max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


if __name__ == "__main__":
    main()
