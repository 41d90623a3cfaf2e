"""LFW verification: photographs, their aligned faces, and how embeddings of them tell people apart."""

from pathlib import Path

import cv2
import facecore
import numpy as np

from . import kept
from .photos import read

# The usual 112 x 112 template of ArcFace, in pixels.
TEMPLATE = np.array(
    [(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)])


def photographs(data):
    root = data / "lfw/images"
    return root, sorted(str(path.relative_to(root)) for path in root.glob("*/*.jpg"))


def watched_faces(data, work):
    """Aligned faces of LFW's photographs, the pairs of folds 1 to 5, and who is on each: to watch the embedder."""
    root, files = photographs(data)
    model = data / "models/yunet_n_dynamic.onnx"

    def make():
        detector = facecore.Detector(detector=model)
        faces = []
        for file in files:
            image = read(root / file)
            middle = np.array(image.shape[1::-1]) / 2
            away = lambda face: np.hypot(*(np.array(face.landmarks).mean(0) - middle))
            best = min(detector.detect(image, color="rgb"), key=away, default=None)
            faces.append(aligned(image, best.landmarks) if best else cv2.resize(image, (112, 112)))
        return np.stack(faces)

    made_from = {"photographs": kept.listing(root, files), "detector": kept.digest(model)}
    faces = kept.array(work / "lfw.npy", made_from, make)
    index = {file: at for at, file in enumerate(files)}
    pairs = [(fold, index[a], index[b], same) for fold, a, b, same in read_pairs(data / "lfw/pairs_folds_1_5.txt")]
    return faces, np.array(pairs, int), [Path(file).parent.name for file in files]


def read_pairs(path):
    """[(fold, first, second, same)] of a list with a pair a line."""
    pairs = []
    for line in Path(path).read_text().splitlines():
        fold, first, second, same = line.split("\t")
        pairs.append((int(fold), first, second, same == "1"))
    return pairs


def similarity(points):
    """The 2 x 3 matrix that moves five points onto the template with the least squared error (Umeyama)."""
    points = np.asarray(points, np.float64)
    source, target = points.mean(0), TEMPLATE.mean(0)
    a, b = points - source, TEMPLATE - target
    u, s, vt = np.linalg.svd(b.T @ a / len(a))
    flip = np.diag([1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = u @ flip @ vt
    scale = np.trace(np.diag(s) @ flip) / a.var(0).sum()
    return np.hstack([scale * rotation, (target - scale * rotation @ source)[:, None]])


def aligned(image, points):
    return cv2.warpAffine(image, similarity(points), (112, 112), flags=cv2.INTER_LINEAR)


def accuracy(embeddings, pairs):
    """(mean accuracy over folds, each at the threshold that is best on the others; deviation) of unit
    embeddings and pairs of indices into them: an int array [n, 4] of fold, first, second, same."""
    score = (embeddings[pairs[:, 1]] * embeddings[pairs[:, 2]]).sum(1)
    same = pairs[:, 3] == 1
    thresholds = np.arange(-1, 1, 0.005)
    right = (score[:, None] >= thresholds) == same[:, None]
    folds = []
    for fold in np.unique(pairs[:, 0]):
        tested = pairs[:, 0] == fold
        best = right[~tested].mean(0).argmax()
        folds.append(right[tested, best].mean())
    return float(np.mean(folds)), float(np.std(folds))


def scores(embeddings, people):
    """The cosines of all pairs of one person, and, rising, those of all pairs of different people."""
    people = np.asarray(people)
    pairs = np.triu_indices(len(embeddings), 1)
    same = (people[:, None] == people[None])[pairs]
    cosines = (embeddings @ embeddings.T)[pairs]
    return cosines[same], np.sort(cosines[~same])


def threshold_at(others, rate):
    """The score that so many of the rising `others` reach. Too few of them to tell end the program."""
    number = int(rate * len(others))
    if not number:
        raise SystemExit(f"{len(others):,} pairs of different people do not tell what one of {1 / rate:,.0f} reaches")
    return others[-number]
