"""Trains the student detector on pictures made of labelled photographs."""

import json
from pathlib import Path

import cv2
import numpy as np
import torch

from . import kept
from .detector import STRIDES, Detector, boxes_of, loss
from .mosaics import make, pyramid, targets
from .photos import choose_people, overlap, read
from .training import seed_everything, train

# Pictures on which the training is watched, and how many photographs they are made of: of people who are not
# learned from.
WATCHED_PICTURES, WATCHED_FRAMES = 200, 165
# Metrics are of faces from so many pixels on, as the figures in the model card are; the score is settled with
# smaller ones as well, which are the harder ones.
SMALLEST, SMALLEST_SETTLED = 24, 16


class Pictures(torch.utils.data.Dataset):
    """Sample n: a picture and the targets of its cells."""

    def __init__(self, photos, labels, seed):
        self.photos, self.labels, self.seed = photos, labels, seed

    def draw(self, rng):
        chosen = rng.integers(len(self.photos))
        return self.photos[chosen], self.labels[chosen]

    def picture(self, number):
        rng = np.random.default_rng([self.seed, number])
        return make(rng, self.draw)

    def __getitem__(self, number):
        picture = self.picture(number)
        return picture.canvas, targets(picture)


def collate(samples):
    canvases, maps = zip(*samples)
    return torch.from_numpy(np.stack(canvases)), [torch.from_numpy(np.stack(level)) for level in zip(*maps)]


def pixels(canvases):
    return (canvases.permute(0, 3, 1, 2).float() - 127.5) / 128


def detect(model, image, threshold=0.3, nms=0.4):
    """Faces [n, 15] of an RGB image whose sides are multiples of 32: box, score, points."""
    device = next(model.parameters()).device
    with torch.no_grad():
        answers = model(pixels(torch.from_numpy(np.ascontiguousarray(image))[None].to(device)))
    rows = []
    for answer, stride in zip(answers, STRIDES):
        answer = answer.float().permute(0, 2, 3, 1)
        score = torch.sigmoid(answer[..., 0])
        kept = score > threshold
        row, column = torch.nonzero(kept)[:, 1:].T
        cell = torch.stack([column, row], 1).repeat(1, 5)
        points = (answer[kept][:, 5:] + cell) * stride
        rows.append(torch.cat([boxes_of(answer, stride)[kept], score[kept][:, None], points], 1))
    rows = torch.cat(rows).cpu().numpy()
    rows = rows[np.argsort(-rows[:, 4])]
    best = []
    while len(rows):
        best.append(rows[0])
        rows = rows[overlap(rows[:1, :4], rows[:, :4])[0] <= nms]
    return np.array(best, np.float32).reshape(-1, 15)


def agreement(found, faces, doubts, smallest):
    """(faces found, faces, answers right, answers, point errors) of one picture, from `smallest` pixels on.

    Neither faces smaller than that nor doubts count, found or not.
    """
    side = lambda boxes: (boxes[:, 2:4] - boxes[:, :2]).min(1)
    shared = overlap(found[:, :4], faces[:, :4])
    large, pairs = side(faces) >= smallest, []
    free = np.ones(len(faces), bool)
    right = np.zeros(len(found), bool)
    for at in np.argsort(-found[:, 4]):
        best = np.where(free, shared[at], 0).argmax() if free.any() else 0
        if free.any() and shared[at, best] >= 0.5:
            free[best], right[at] = False, True
            pairs.append((at, best))
    excused = side(found) < smallest
    if len(doubts):
        low = np.maximum(found[:, None, :2], doubts[None, :, :2])
        high = np.minimum(found[:, None, 2:4], doubts[None, :, 2:])
        covered = np.clip(high - low, 0, None).prod(2) / (found[:, 2:4] - found[:, :2]).prod(1)[:, None]
        excused |= covered.max(1) > 0.5
    errors = []
    for at, best in pairs:
        if large[best]:
            points = (found[at, 5:] - faces[best, 4:]).reshape(5, 2)
            errors.append(np.sqrt((points**2).sum(1)).mean() / (faces[best, 2] - faces[best, 0]))
    answers = ~excused
    return (~free & large).sum(), large.sum(), right[answers].sum(), answers.sum(), errors


def train_detector(root, labels, folder, *, never, sure, steps, batch, seed, workers, device, save_minutes, made_from,
                   peak=2e-3):
    """`labels` is {NAME/FILE below root: (faces, doubts)}; nobody in `never` may be among them. Leaves the score
    from which on the share `sure` of the answers on the watched pictures is right in `threshold.json`."""
    measured_on = {Path(path).parent.name for path in labels} & never
    if measured_on:
        raise SystemExit(f"the photographs to learn from show {', '.join(sorted(measured_on))}, who are held out")
    cv2.setNumThreads(1)
    seed_everything(seed)
    folder.mkdir(parents=True, exist_ok=True)
    paths = sorted(labels)
    aside = set(choose_people(paths, WATCHED_FRAMES, seed))
    watched = [path for path in paths if Path(path).parent.name in aside]
    learned = [path for path in paths if Path(path).parent.name not in aside]
    photos, known = {path: pyramid(read(root / path)) for path in paths}, labels.get
    samples, others = (Pictures([photos[path] for path in some], list(map(known, some)), seed + number)
                       for number, some in enumerate((learned, watched)))
    pictures = [others.picture(number) for number in range(WATCHED_PICTURES)]

    def objective(model, data):
        canvases, wanted = data[0].to(device), [level.to(device) for level in data[1]]
        value = loss(model(pixels(canvases)), wanted)
        return value, value

    def measure(model):
        return judged([detect(model, picture.canvas) for picture in pictures], pictures, 0.3, SMALLEST)

    model = train(Detector(), folder / "training", samples, collate, objective, measure, steps=steps, batch=batch,
                  peak=peak, weight_decay=0.02, columns=["recall", "precision", "point_error"], workers=workers,
                  device=device, save_minutes=save_minutes, settings={**made_from, "seed": seed})
    model.eval()
    found = [detect(model, picture.canvas, threshold=0.2) for picture in pictures]
    score = least_score(found, pictures, sure)
    kept.replace(folder / "threshold.json", lambda place: place.write_text(json.dumps(score)))


def least_score(found, pictures, sure):
    """The least score from which on the share `sure` of what was found in pictures is right."""
    right = {round(float(score), 2): judged(found, pictures, float(score), SMALLEST_SETTLED)["precision"]
             for score in np.arange(0.3, 0.7, 0.01)}
    for score, precision in right.items():
        if precision >= sure:
            return score
    best = max(right, key=right.get)
    raise SystemExit(f"at no score {sure:.1%} of the answers are right, but {right[best]:.1%} at most, from {best} on: "
                     "learn longer or from more photographs, or give --sure a smaller share")


def judged(found, pictures, score, smallest):
    """Recall, precision and mean point error of what was found in pictures, from `score` and `smallest` pixels on."""
    counts, errors = np.zeros(4), []
    for faces, picture in zip(found, pictures):
        good = faces[faces[:, 4] >= score]
        *count, error = agreement(good, picture.faces, picture.doubts, smallest)
        counts += count
        errors += error
    return {"recall": counts[0] / max(1, counts[1]), "precision": counts[2] / max(1, counts[3]),
            "point_error": float(np.mean(errors or [1]))}
