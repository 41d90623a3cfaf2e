"""How good a pack is: its detector beside YuNet and by SCRFD 2.5G, and how its scores tell people apart."""

import cv2
import facecore
import numpy as np

from .lfw import photographs, scores, threshold_at
from .photos import found, listed, overlap, read
from .train_detector import agreement

# The longer side of what is looked at, how many frames lie along a mosaic's side, and what they are laid by.
SIDE, ACROSS, SEEDS = 640, (2, 3, 4, 6, 8), (7, 8, 9, 10)
SMALLEST = 24


def photographs_to_measure(data):
    return [path for path in sorted((data / "images").iterdir()) if path.suffix in (".jpg", ".png")]


def as_looked_at(photo):
    scale = SIDE / max(photo.shape[:2])
    return cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else photo


def mosaics(photos, across, rng):
    """Pictures of across x across photographs, each turned and lit its own way; those that fill no picture are left."""
    edges = np.linspace(0, SIDE, across + 1).astype(int)
    order = rng.permutation(len(photos))
    for start in range(0, len(order) - across * across + 1, across * across):
        canvas = np.zeros((SIDE, SIDE, 3), np.uint8)
        for at, chosen in enumerate(order[start : start + across * across]):
            (y1, y2), (x1, x2) = (edges[i : i + 2] for i in divmod(at, across))
            photo = photos[chosen]
            side = photo.shape[0]
            turned = cv2.getRotationMatrix2D((side / 2, side / 2), rng.normal(0, 8), 1.15)
            photo = cv2.warpAffine(photo, turned, (side, side), flags=cv2.INTER_LINEAR)
            photo = cv2.resize(photo, (x2 - x1, y2 - y1), interpolation=cv2.INTER_AREA)
            light = np.exp(rng.normal(0, 0.2)) * np.arange(256) + rng.normal(0, 12)
            canvas[y1:y2, x1:x2] = cv2.LUT(photo, np.clip(light, 0, 255).astype(np.uint8))
        yield canvas


def pictures(data, held_out):
    """(name, images) of each set that nobody learned from, one after the other."""
    yield "photographs", [as_looked_at(read(path)) for path in photographs_to_measure(data)]
    root, names = photographs(data)
    people = listed(held_out)
    frames = [read(root / name) for name in names if name.partition("/")[0] in people]
    yield "frames", frames
    # Each seed goes through the sizes in one order, so that its mosaics are those of a run with it alone.
    laid = {across: [] for across in ACROSS}
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        for across in ACROSS:
            laid[across] += mosaics(frames, across, rng)
    for across, canvases in laid.items():
        yield f"mosaics {across} x {across}", canvases


class Tally:
    """What a detector answered on pictures, beside what the judge did."""

    def __init__(self):
        # Faces found, faces, answers right, answers.
        self.counts, self.errors = np.zeros(4, int), []

    def add(self, answers, truth):
        *counts, errors = agreement(answers, truth, np.zeros((0, 4), np.float32), SMALLEST)
        self.counts += counts
        self.errors += errors

    def __iadd__(self, other):
        self.counts, self.errors = self.counts + other.counts, self.errors + other.errors
        return self

    def __str__(self):
        seen, faces, right, answers = self.counts
        share = lambda part, whole: part / whole if whole else np.nan
        error = np.mean(self.errors) if self.errors else np.nan
        return f"recall {share(seen, faces):.4f}  precision {share(right, answers):.4f}  point error {error:.4f}  " \
               f"faces {faces}"


def detection(pack, data, held_out, runtime="auto"):
    """Lines that say what a pack's detector finds of what SCRFD 2.5G sees, and what YuNet does."""
    models = data / "models"
    common = {"input_size": "native", "runtime": runtime}
    judge = facecore.Detector(detector=models / "scrfd_2.5g_bnkps.onnx", **common)
    detectors = {"the pack": facecore.Detector(pack, **common),
                 "YuNet": facecore.Detector(detector=models / "yunet_n_dynamic.onnx", **common)}
    yield f"against SCRFD 2.5G, IoU 0.5, faces from {SMALLEST} pixels"
    totals = {who: Tally() for who in detectors}
    for name, images in pictures(data, held_out):
        truths = [np.delete(found(judge, image), 4, 1) for image in images]
        for who, detector in detectors.items():
            answers, tally = [found(detector, image) for image in images], Tally()
            for one, truth in zip(answers, truths):
                tally.add(one, truth)
            totals[who] += tally
            yield f"{name:<14}  {who:<8}  {tally}"
            if name == "frames" and who == "the pack":
                yield from missed(answers, truths, images)
    for who, tally in totals.items():
        yield f"{'all':<14}  {who:<8}  {tally}"


def missed(answers, truths, images):
    """Lines that say which faces were missed: cut by the picture's edge, or how large."""
    cut, sides, lost = [], [], []
    for one, truth, image in zip(answers, truths, images):
        height, width = image.shape[:2]
        best = overlap(truth[:, :4], one[:, :4]).max(1, initial=0)
        lost += list(best < 0.5)
        cut += list((truth[:, :2] < 0).any(1) | (truth[:, 2] > width) | (truth[:, 3] > height))
        sides += list((truth[:, 2:4] - truth[:, :2]).min(1))
    cut, sides, lost = np.array(cut, bool), np.array(sides), np.array(lost, bool)
    seen, whole = sides >= SMALLEST, ~cut
    classes = {"cut by the edge": seen & cut, f"whole, {SMALLEST} to 64 pixels": seen & whole & (sides < 64),
               "whole, from 64 pixels": whole & (sides >= 64)}
    for name, those in classes.items():
        yield f"  {name}: {(lost & those).sum()} of {those.sum()} missed"


def alone(pack, data, runtime="auto"):
    """Lines that say in how many photographs of one face the pack sees several, asked as people ask it."""
    judge = facecore.Detector(detector=data / "models/scrfd_2.5g_bnkps.onnx", runtime=runtime)
    files = [path for path in photographs_to_measure(data) if len(judge.detect(path)) == 1]
    detector = facecore.Detector(pack, runtime=runtime)
    several = large = small = 0
    for path in files:
        height, width = read(path).shape[:2]
        smallest = SMALLEST * max(1, max(height, width) / SIDE)
        sides = [min(x2 - x1, y2 - y1) for x1, y1, x2, y2 in (face.box for face in detector.detect(path))]
        several += len(sides) > 1
        large += sum(side >= smallest for side in sides) > 1
        small += sum(side < smallest for side in sides)
    yield f"of {len(files)} photographs in which SCRFD 2.5G sees one face the pack sees several in {several}; " \
          f"in {large} without the {small} answers below {SMALLEST} pixels"


def distribution(recognizer, data):
    """Lines that say how the scores of one person's pairs and of different people's lie apart: over all pairs of the
    photographs of LFW's folds 1 to 5, whole path."""
    root, files = photographs(data)
    people, vectors = [], []
    for name, outcome in zip(files, recognizer.recognize_one_many([root / name for name in files], choice="central")):
        if outcome.error is None:
            people.append(name.partition("/")[0])
            vectors.append(np.asarray(outcome.value.embedding))
    yield f"all pairs of {len(vectors)} photographs; {len(files) - len(vectors)} without a face"
    if not vectors:
        return
    mates, others = scores(np.stack(vectors), people)
    for rate in (1e-3, 2e-4, 1e-4, 1e-5):
        if rate * len(others) >= 1:
            threshold = threshold_at(others, rate)
            yield f"  one of {1 / rate:,.0f} pairs of different people reaches {threshold:.3f}; " \
                  f"{(mates >= threshold).mean():.4f} of pairs of one person do"
