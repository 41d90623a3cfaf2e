"""What both trainings share: schedule, optimizer, averaged weights, checkpoints, metrics and curves."""

import copy
import csv
import math
import random
import time
from pathlib import Path

import numpy as np
import torch

from . import kept


def seed_everything(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def learning_rate(step, steps, peak, warmup):
    """A linear start, then half a cosine to a hundredth of the peak."""
    if step < warmup:
        return peak * (step + 1) / warmup
    progress = (step - warmup) / max(1, steps - warmup)
    return peak * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * progress)))


class Muon(torch.optim.Optimizer):
    """Momentum whose matrix is made orthogonal before each step (Jordan et al. 2024), for convolutions;
    scaled so that a step is as large as AdamW's (Liu et al. 2025), which takes every other parameter."""

    def __init__(self, parameters, lr, weight_decay=0.0, momentum=0.95):
        super().__init__(parameters, dict(lr=lr, weight_decay=weight_decay, momentum=momentum))

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                buffer = self.state[weight].setdefault("momentum", torch.zeros_like(weight))
                buffer.lerp_(weight.grad, 1 - group["momentum"])
                ahead = weight.grad.lerp(buffer, group["momentum"])
                update = orthogonal(ahead.reshape(len(ahead), -1)).reshape_as(weight)
                scale = 0.2 * math.sqrt(max(len(weight), weight[0].numel()))
                weight.mul_(1 - group["lr"] * group["weight_decay"])
                weight.add_(update, alpha=-group["lr"] * scale)


def orthogonal(matrix, steps=5):
    """The nearest orthogonal matrix, nearly: a quintic Newton-Schulz iteration on the singular values."""
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / (x.norm() + 1e-7)
    for _ in range(steps):
        square = x @ x.T
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    return x.T if tall else x


class Optimizers:
    """Muon for the weights of full convolutions, AdamW for the rest, under one schedule."""

    def __init__(self, model, peak, weight_decay):
        matrices, others = [], []
        for weight in model.parameters():
            full = weight.ndim == 4 and weight.shape[1] > 1 and weight.shape[0] > 1
            (matrices if full else others).append(weight)
        self.each = [
            Muon(matrices, lr=peak, weight_decay=weight_decay),
            torch.optim.AdamW(
                [
                    {"params": [w for w in others if w.ndim > 1], "weight_decay": weight_decay},
                    {"params": [w for w in others if w.ndim <= 1], "weight_decay": 0.0},
                ],
                lr=peak,
                betas=(0.9, 0.98),
            ),
        ]

    def step(self, rate):
        for optimizer in self.each:
            for group in optimizer.param_groups:
                group["lr"] = rate
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

    def state_dict(self):
        return [optimizer.state_dict() for optimizer in self.each]

    def load_state_dict(self, states):
        for optimizer, state in zip(self.each, states):
            optimizer.load_state_dict(state)


class Averaged:
    """A running mean of the weights (and of batch norm's statistics), which is what is shipped."""

    def __init__(self, model, decay):
        self.decay = decay
        self.state = {name: value.detach().clone() for name, value in model.state_dict().items()}

    @torch.no_grad()
    def update(self, model, step):
        # Short memory at first: the weights of the beginning are worth nothing.
        keep = min(self.decay, (1 + step) / (10 + step))
        for name, value in model.state_dict().items():
            if value.dtype.is_floating_point:
                self.state[name].lerp_(value, 1 - keep)
            else:
                self.state[name].copy_(value)


class Records:
    """Metrics in a CSV file as they come, and curves of them as a picture."""

    def __init__(self, path, columns):
        self.path, self.columns = Path(path), columns
        self.rows = []
        if self.path.exists():
            with open(self.path, newline="") as file:
                self.rows = [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]

    def keep_until(self, step):
        """Forgets what an interrupted training had recorded after its last checkpoint."""
        self.rows = [row for row in self.rows if row["step"] <= step]

    def add(self, **row):
        self.rows.append(row)
        kept.replace(self.path, self._write)
        print("  ".join(f"{name} {row[name]:.5g}" for name in self.columns), flush=True)

    def _write(self, path):
        with open(path, "w", newline="") as file:
            writer = csv.DictWriter(file, self.columns)
            writer.writeheader()
            writer.writerows(self.rows)

    def draw(self, path, names):
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot

        figure, axes = pyplot.subplots(1, len(names), figsize=(5 * len(names), 3.5))
        for axis, name in zip(np.atleast_1d(axes), names):
            axis.plot([row["step"] for row in self.rows], [row[name] for row in self.rows])
            axis.set_xlabel("step")
            axis.set_title(name)
            axis.grid(alpha=0.3)
        figure.tight_layout()
        figure.savefig(path, dpi=90)
        pyplot.close(figure)


def train(model, folder, samples, collate, objective, measure, *, steps, batch, peak, weight_decay, columns, settings,
          decay=0.998, workers=1, reports=12, save_minutes=3.0, device="cpu"):
    """Trains `model` and leaves `weights.pt` (averaged), `metrics.csv` and `curves.png` in `folder`.

    `samples` is a dataset that makes sample n whatever process asks; `objective(model, batch)` gives
    (loss, what to show); `measure(model)` gives the metrics of `columns` after step, samples, minutes, shown.
    A training that was interrupted goes on from its last checkpoint, if `settings` and the rest are the same.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    finished, checkpoint = folder / "weights.pt", folder / "checkpoint.pt"
    settings = {**settings, "steps": steps, "batch": batch, "peak": peak, "weight_decay": weight_decay}
    if kept.check(finished, settings):
        model.load_state_dict(torch.load(finished, weights_only=True, map_location="cpu"))
        return model
    kept.claim(finished, settings)
    model.to(device, memory_format=torch.channels_last)
    optimizers, average = Optimizers(model, peak, weight_decay), Averaged(model, decay)
    records = Records(folder / "metrics.csv", ["step", "samples", "minutes", "shown", *columns])
    done, minutes = 0, 0.0
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True, map_location=device)
        model.load_state_dict(state["model"])
        optimizers.load_state_dict(state["optimizers"])
        average.state = state["average"]
        done, minutes = state["step"], state["minutes"]
        print(f"goes on at step {done} of {steps}", flush=True)
    records.keep_until(done)
    loader = torch.utils.data.DataLoader(
        samples, batch_size=batch, sampler=range(done * batch, steps * batch), collate_fn=collate,
        num_workers=workers, prefetch_factor=4 if workers else None, drop_last=True)
    averaged = copy.deepcopy(model)
    kind, short = torch.device(device).type, has_short_floats(device)
    began = saved = time.monotonic()
    shown = []
    model.train()
    for step, data in enumerate(loader, done):
        with torch.autocast(kind, torch.bfloat16, enabled=short):
            value, show = objective(model, data)
        value.backward()
        optimizers.step(learning_rate(step, steps, peak, warmup=min(200, steps // 20)))
        average.update(model, step)
        shown.append(float(show.detach()))
        now = time.monotonic()
        if step == done + 100:
            print(f"{(step - done) * batch / (now - began):.0f} samples a second", flush=True)
        last = step + 1 == steps
        if last or (step + 1) % -(-steps // reports) == 0:
            averaged.load_state_dict(average.state)
            averaged.eval()
            records.add(step=step + 1, samples=(step + 1) * batch, minutes=minutes + (now - began) / 60,
                        shown=float(np.mean(shown)), **measure(averaged))
            records.draw(folder / "curves.png", ["shown", *columns])
            shown = []
        if last or now - saved > 60 * save_minutes:
            saved = now
            state = {"model": model.state_dict(), "optimizers": optimizers.state_dict(), "average": average.state,
                     "step": step + 1, "minutes": minutes + (now - began) / 60}
            kept.replace(checkpoint, lambda partial: torch.save(state, partial))
    kept.replace(finished, lambda partial: torch.save(average.state, partial))
    model.load_state_dict(average.state)
    return model


def has_short_floats(device):
    """Whether the device calculates with bf16."""
    if torch.device(device).type == "cuda":
        return torch.cuda.is_bf16_supported()
    try:
        return torch.ops.mkldnn._is_mkldnn_bf16_supported()
    except AttributeError:
        # PyTorch has no public way to ask: a version without this one, or without oneDNN, learns with f32.
        return False
