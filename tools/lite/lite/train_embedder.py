"""Trains the student embedder to follow the teacher."""

import cv2
import numpy as np
import torch

from . import kept
from .embedder import Embedder, loss
from .faces import centre, from_the_wild, invent, load_archives, view
from .lfw import accuracy
from .teacher import OnnxEmbedder, embed_all
from .training import seed_everything, train

HELD_OUT = 500
# Views are harsh for this share of the samples and then less so: what is good enough for bad pictures is learned
# early, the rest of the time goes to the pictures that people enrol.
HARSH, LATER = 0.68, 0.4
# This share of the samples of real faces is of LFW, which has 6 % of them: see `faces.from_the_wild`.
WILD = 0.3


class Faces(torch.utils.data.Dataset):
    """Sample n: a view of a real or an invented face and the teacher's embedding of it.

    `sources` are (share of the samples, crops, targets, which of them).
    """

    def __init__(self, sources, seed, harsh_until):
        self.sources, self.seed, self.harsh_until = sources, seed, harsh_until
        self.shares = np.cumsum([source[0] for source in sources])

    def __getitem__(self, number):
        rng = np.random.default_rng([self.seed, number])
        harshness = 1.0 if number < self.harsh_until else LATER
        _, crops, targets, pool = self.sources[int(np.searchsorted(self.shares, rng.random(), side="right"))]
        chosen = pool[rng.integers(len(pool))]
        return view(crops[chosen], rng, harshness), targets[chosen]


def collate(samples):
    views, targets = zip(*samples)
    return torch.from_numpy(np.stack(views)), torch.from_numpy(np.stack(targets))


def pixels(views):
    """uint8 [n, 112, 112, 3] -> the network's input, channels last in memory."""
    return (views.permute(0, 3, 1, 2).float() - 127.5) / 127.5


def embed(model, faces, chunk=128):
    """Unit embeddings of uint8 faces [n, 112, 112, 3]."""
    device = next(model.parameters()).device
    outputs = []
    with torch.no_grad():
        for start in range(0, len(faces), chunk):
            part = torch.from_numpy(np.ascontiguousarray(faces[start : start + chunk])).to(device)
            outputs.append(torch.nn.functional.normalize(model(pixels(part)).float(), dim=1).cpu().numpy())
    return np.concatenate(outputs)


def train_embedder(archives, teacher_model, folder, lfw, *, steps, batch, invented, seed, threads, workers, device,
                   save_minutes, peak=3e-3):
    """`lfw` is (aligned faces, pairs, who is on each) to watch the training on; they may not be in the archives."""
    cv2.setNumThreads(1)
    seed_everything(seed)
    folder.mkdir(parents=True, exist_ok=True)
    watched, pairs, people = lfw
    source = {"archives": [kept.digest(archive) for archive in archives]}
    wild = from_the_wild(archives, set(people))
    crops = load_archives(archives, folder / "crops.npy", source)
    order = np.random.default_rng(seed).permutation(len(crops))
    held_out, pool = order[:HELD_OUT], order[HELD_OUT:]
    pools = [pool[wild[pool]], pool]
    made_up = {**source, "seed": seed, "invented": invented}
    others = invent(crops, pools, invented, seed, folder / "invented.npy", made_up)
    teacher = OnnxEmbedder(teacher_model, threads)
    taught_by = {"teacher": kept.digest(teacher_model)}
    targets = embed_all(teacher, centre(crops), folder / "crops.targets.npy", source | taught_by)
    other_targets = embed_all(teacher, centre(others), folder / "invented.targets.npy", made_up | taught_by)
    del teacher

    sources = [(WILD / 2, crops, targets, pools[0]), ((1 - WILD) / 2, crops, targets, pool),
               (0.5, others, other_targets, np.arange(invented))]
    samples = Faces(sources, seed, harsh_until=HARSH * steps * batch)
    never_seen = centre(crops[held_out])

    def objective(model, data):
        views, wanted = (part.to(device, non_blocking=True) for part in data)
        return loss(model(pixels(views)), wanted)

    def measure(model):
        cosine = (embed(model, never_seen) * targets[held_out]).sum(1).mean()
        return {"held_out_cosine": float(cosine), "lfw_accuracy": accuracy(embed(model, watched), pairs)[0]}

    return train(Embedder(targets.shape[1]), folder / "training", samples, collate, objective, measure, steps=steps,
                 batch=batch, peak=peak, weight_decay=0.05, columns=["held_out_cosine", "lfw_accuracy"],
                 workers=workers, device=device, save_minutes=save_minutes, settings=made_up | taught_by)
