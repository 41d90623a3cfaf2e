"""Measures a pack's detector beside YuNet, and how its scores tell people apart:

    python tools/lite/measure.py --pack facecore/models/lite --data ../shared

Detection is compared with SCRFD 2.5G on photographs that neither student nor recipe ever saw: those of `images/`,
their longer side at most 640 pixels as detectors look at them by default, and mosaics of the LFW frames of the
people in `held_out_people.txt`, the same 500 frames at five sizes.

The distribution is over all pairs of the photographs of LFW's folds 1 to 5; the detector has learned on most of
them, the embedder on nobody in them. The verification figure itself is `facecore evaluate`'s.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
from lite.photos import found, listed, read
from lite.train_detector import agreement

import facecore

HERE = Path(__file__).parent
# The longer side of what is looked at, and how many frames lie along a mosaic's side.
SIDE, ACROSS = 640, (2, 3, 4, 6, 8)
SMALLEST = 24


def as_looked_at(photo):
    scale = SIDE / max(photo.shape[:2])
    return cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else photo


def mosaics(photos, across, rng):
    """Pictures of across x across photographs, each turned and lit its own way."""
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


def compare(detector, truths, images):
    """(faces found, faces, answers right, answers) and the point errors in face widths."""
    counts, errors, doubts = np.zeros(4, int), [], np.zeros((0, 4), np.float32)
    for image, truth in zip(images, truths):
        *count, error = agreement(found(detector, image), truth, doubts, SMALLEST)
        counts += count
        errors += error
    return counts, errors


def detection(detectors, judge, data):
    files = [path for path in sorted((data / "images").iterdir()) if path.suffix in (".jpg", ".png")]
    people = listed(HERE / "held_out_people.txt")
    frames = [read(path) for path in sorted((data / "lfw/images").glob("*/*.jpg")) if path.parent.name in people]
    rng = np.random.default_rng(7)
    sets = {"photographs": [as_looked_at(read(path)) for path in files]}
    for across in ACROSS:
        sets[f"mosaics of {across} x {across}"] = list(mosaics(frames, across, rng))
    truths = {name: [np.delete(found(judge, image), 4, 1) for image in images] for name, images in sets.items()}
    for who, detector in detectors.items():
        print(f"{who} against SCRFD 2.5G, IoU 0.5, faces from {SMALLEST} pixels")
        total, all_errors = np.zeros(4, int), []
        for name, images in sets.items():
            counts, errors = compare(detector, truths[name], images)
            total, all_errors = total + counts, all_errors + errors
            print(f"  {name:<16}", in_words(counts, errors))
        print(f"  {'all':<16}", in_words(total, all_errors))
        close_ups = [path for path in files if path.name.startswith("antispoof_")]
        print(f"  close-ups found: {sum(len(detector.detect(path)) > 0 for path in close_ups)} of {len(close_ups)}")


def in_words(counts, errors):
    recall, precision = counts[0] / max(1, counts[1]), counts[2] / max(1, counts[3])
    error = np.mean(errors) if errors else np.nan
    return f"recall {recall:.4f}  precision {precision:.4f}  point error {error:.4f}  faces {counts[1]}"


def distribution(recognizer, data):
    root = data / "lfw/images"
    files = sorted(root.glob("*/*.jpg"))
    people, vectors = [], []
    for path, outcome in zip(files, recognizer.recognize_one_many(files, choice="central")):
        if outcome.error is None:
            people.append(path.parent.name)
            vectors.append(np.asarray(outcome.value.embedding))
    print(f"all pairs of {len(vectors)} photographs; {len(files) - len(vectors)} without a face")
    people, vectors = np.array(people), np.stack(vectors)
    pairs = np.triu_indices(len(vectors), 1)
    same = (people[:, None] == people[None])[pairs]
    scores = (vectors @ vectors.T)[pairs]
    mates, others = scores[same], np.sort(scores[~same])
    for rate in (1e-3, 2e-4, 1e-4, 1e-5):
        threshold = others[-int(rate * len(others))]
        print(f"  one of {1 / rate:,.0f} pairs of different people reaches {threshold:.3f}; "
              f"{(mates >= threshold).mean():.4f} of pairs of one person do")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pack", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--runtime", default="auto")
    parser.add_argument("--only", choices=["detection", "distribution"])
    options = parser.parse_args()
    common = {"input_size": "native", "runtime": options.runtime}
    models = options.data / "models"
    if options.only != "distribution":
        judge = facecore.Detector(detector=models / "scrfd_2.5g_bnkps.onnx", **common)
        detectors = {"the pack": facecore.Detector(options.pack, **common),
                     "YuNet": facecore.Detector(detector=models / "yunet_n_dynamic.onnx", **common)}
        detection(detectors, judge, options.data)
    if options.only != "detection":
        distribution(facecore.Recognizer(options.pack, runtime=options.runtime, many_photos=True), options.data)


if __name__ == "__main__":
    main()
