"""LFW verification: photographs, their aligned faces, and the accuracy on the pairs of folds 1 to 5."""

from pathlib import Path

import cv2
import numpy as np

# The usual 112 x 112 template of ArcFace, in pixels.
TEMPLATE = np.array(
    [(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)])


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
