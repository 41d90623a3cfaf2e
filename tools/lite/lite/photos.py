"""Photographs for the detector: which may be learned from, and what faces the teacher sees in them."""

import json
from pathlib import Path

import cv2
import facecore
import numpy as np

from . import kept

# What SCRFD is unsure of, and what YuNet alone sees, is neither face nor background.
SURE, UNSURE = 0.5, 0.2


def listed(path):
    """The names in a list with one a line."""
    return set(Path(path).read_text().split())


def read(path):
    image = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    if image is None:
        raise ValueError(f"{path} is no photograph")
    return image


def overlap(a, b):
    """Intersection over union of boxes [n, 4] with boxes [m, 4]."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(2)
    area = lambda boxes: (boxes[:, 2:] - boxes[:, :2]).prod(1)
    return shared / np.maximum(area(a)[:, None] + area(b)[None] - shared, 1e-9)


def found(detector, image, scale=1):
    """What a facecore detector sees: an array [n, 15] of box, score and five points, in pixels of `image`."""
    if scale != 1:
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
    faces = detector.detect(image, color="rgb")
    rows = [[*face.box, face.score * scale, *np.ravel(face.landmarks)] for face in faces]
    return np.array(rows, np.float32).reshape(-1, 15) / scale


def label(image, scrfd, yunet):
    """(faces [n, 14] of box and points, regions [m, 4] to be left out) of an image.

    SCRFD is the teacher; twice as large it sees smaller faces. YuNet teaches no face: what it alone sees is left out.
    """
    seen = found(scrfd, image)
    for row in found(scrfd, image, scale=2):
        if not len(seen) or overlap(row[None, :4], seen[:, :4]).max() < 0.3:
            seen = np.vstack([seen, row])
    sure = seen[:, 4] >= SURE
    faces, doubts = seen[sure], [seen[~sure, :4]]
    other = found(yunet, image)
    if len(other):
        known = overlap(other[:, :4], faces[:, :4]).max(1, initial=0) >= 0.3
        doubts.append(other[~known, :4])
    return np.delete(faces, 4, 1), np.concatenate(doubts)


def label_all(paths, root, scrfd_model, yunet_model, cache, settings, chunk=250):
    """{path: (faces, doubts)} of photographs below `root`, kept at `cache`."""
    cache = Path(cache)
    if not kept.check(cache, settings):
        kept.claim(cache, settings)
        scrfd = facecore.Detector(detector=scrfd_model, score_threshold=UNSURE, input_size="native")
        yunet = facecore.Detector(detector=yunet_model, input_size="native")
        partial = cache.with_suffix(".partial")
        labels = json.loads(partial.read_text()) if partial.exists() else {}
        for start in range(len(labels), len(paths), chunk):
            for path in paths[start : start + chunk]:
                labels[path] = [part.tolist() for part in label(read(Path(root) / path), scrfd, yunet)]
            kept.replace(partial, lambda place: place.write_text(json.dumps(labels)))
            print(f"labels: {len(labels)} of {len(paths)} photographs", flush=True)
        partial.rename(cache)
    return {path: (np.array(faces, np.float32).reshape(-1, 14), np.array(doubts, np.float32).reshape(-1, 4))
            for path, (faces, doubts) in json.loads(cache.read_text()).items()}


def choose_people(paths, frames, seed):
    """People, drawn until they have so many photographs `NAME/FILE` together: who is never to be learned from."""
    people = sorted({Path(path).parent.name for path in paths})
    np.random.default_rng(seed).shuffle(people)
    chosen, number = [], 0
    for name in people:
        if number >= frames:
            break
        chosen.append(name)
        number += sum(Path(path).parent.name == name for path in paths)
    return sorted(chosen)
