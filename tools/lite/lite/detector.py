"""The student detector: one shot, no anchors, three strides, five points; outputs as YuNet's.

A cell at column c and row r of stride s answers: is there a face whose middle is near (c, r) * s; where
exactly, middle = (cell + d) * s and size = exp(e) * s; where its points are, (cell + offset) * s.
"""

import torch
from torch import nn
from torch.nn import functional

STRIDES = (8, 16, 32)
# Faces, by the square root of their area in pixels, that each stride answers for. They share the borders.
RANGES = ((0, 56), (40, 136), (100, 1e9))
# A face's cells: those nearer than this to its middle along both axes, in strides.
RADIUS = 1.05


def convolution(inputs, outputs, stride=1):
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(True))


def separable(inputs, outputs, stride=1):
    return nn.Sequential(
        nn.Conv2d(inputs, inputs, 3, stride, 1, groups=inputs, bias=False), nn.BatchNorm2d(inputs),
        nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(True))


class Block(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.first = convolution(channels, channels)
        self.second = nn.Sequential(nn.Conv2d(channels, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels))
        nn.init.zeros_(self.second[1].weight)

    def forward(self, x):
        return functional.relu(x + self.second(self.first(x)))


class Detector(nn.Module):
    """[n, 3, h, w] RGB, (pixel - 127.5) / 128, sides multiples of 32 -> a map [n, 15, h / s, w / s] a stride:
    the logit of the score, d and e, and the points' offsets."""

    def __init__(self, stem=16, early=32, width=48):
        super().__init__()
        self.stem = nn.Sequential(convolution(3, stem, 2), convolution(stem, early, 2), separable(early, early))
        self.fine = nn.Sequential(convolution(early, width, 2), Block(width))
        self.middle = nn.Sequential(convolution(width, width, 2), separable(width, width))
        self.coarse = nn.Sequential(separable(width, width, 2), separable(width, width))
        self.beyond = nn.Sequential(separable(width, width, 2), separable(width, width))
        self.lateral = nn.ModuleList(
            nn.Sequential(nn.Conv2d(width, width, 1, bias=False), nn.BatchNorm2d(width)) for _ in range(4))
        self.merged = nn.ModuleList(separable(width, width) for _ in STRIDES)
        self.answers = nn.ModuleList(nn.Conv2d(width, 15, 1) for _ in STRIDES)
        for answer in self.answers:
            nn.init.normal_(answer.weight, std=0.01)
            nn.init.zeros_(answer.bias)
            nn.init.constant_(answer.bias[:1], -4.6)
            nn.init.constant_(answer.bias[3:5], 1.2)

    def forward(self, x):
        levels = [self.fine(self.stem(x))]
        for stage in (self.middle, self.coarse, self.beyond):
            levels.append(stage(levels[-1]))
        merged, answers = None, []
        for at in (3, 2, 1, 0):
            level = self.lateral[at](levels[at])
            if merged is not None:
                larger = functional.interpolate(merged, scale_factor=2.0, mode="nearest")
                if at == 2:
                    # Sides are multiples of 32, not of 64: the enlarged map may be a cell too long.
                    larger = larger[:, :, : level.shape[2], : level.shape[3]]
                level = level + larger
            merged = functional.relu(level)
            if at < 3:
                merged = self.merged[at](merged)
                answers.append(self.answers[at](merged))
        return answers[::-1]


def boxes_of(answer, stride):
    """Corners [n, h, w, 4] of the boxes in an answer [n, h, w, 15], in pixels."""
    height, width = answer.shape[1:3]
    y, x = torch.meshgrid(torch.arange(height, device=answer.device), torch.arange(width, device=answer.device),
                          indexing="ij")
    middle = (answer[..., 1:3] + torch.stack([x, y], -1)) * stride
    half = torch.exp(answer[..., 3:5].clamp(max=6)) * stride / 2
    return torch.cat([middle - half, middle + half], -1)


def generalised_overlap(a, b):
    """(IoU, GIoU) of boxes, row by row (Rezatofighi et al. 2019)."""
    area = lambda box: (box[:, 2:] - box[:, :2]).clamp(min=0).prod(1)
    shared = (torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2])).clamp(min=0).prod(1)
    union = area(a) + area(b) - shared
    hull = (torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])).clamp(min=0).prod(1)
    iou = shared / union.clamp(min=1e-6)
    return iou, iou - (hull - union) / hull.clamp(min=1e-6)


def loss(answers, targets):
    """Of answers and, a stride, a map [n, h, w, 15]: whether (1, 0, or -1 for no matter), box, points.

    The score learns to be the overlap that the box reaches (quality focal loss, Li et al. 2020), so that of
    several boxes of a face the best is kept.
    """
    score_loss = box_loss = point_loss = 0.0
    number = sum((target[..., 0] > 0).sum() for target in targets).clamp(min=1)
    for answer, target, stride in zip(answers, targets, STRIDES):
        answer = answer.float().permute(0, 2, 3, 1)
        logit, label = answer[..., 0], target[..., 0]
        face = label > 0
        wanted = torch.zeros_like(logit)
        if face.any():
            box, truth = boxes_of(answer, stride)[face], target[face]
            iou, giou = generalised_overlap(box, truth[:, 1:5])
            wanted[face] = iou.detach().clamp(0.05, 1)
            box_loss = box_loss + (1 - giou).sum()
            size = (truth[:, 3:5] - truth[:, 1:3]).mean(1, keepdim=True)
            row, column = torch.nonzero(face)[:, 1:].T
            cell = torch.stack([column, row], 1).repeat(1, 5)
            points = (answer[face][:, 5:] + cell) * stride
            error = (points - truth[:, 5:]) / size
            point_loss = point_loss + functional.smooth_l1_loss(error, torch.zeros_like(error), beta=0.02,
                                                                reduction="none").mean(1).sum()
        chance = torch.sigmoid(logit)
        each = functional.binary_cross_entropy_with_logits(logit, wanted, reduction="none")
        score_loss = score_loss + (each * (wanted - chance).abs().pow(2) * (label >= 0)).sum()
    return (score_loss + 2 * box_loss + 10 * point_loss) / number
