"""The student: a small residual network of plain 3 x 3 convolutions from a 112 x 112 face to as many numbers as the
teacher gives.

Depthwise convolutions have fewer multiplications and are slower for each of them, in training more than
anything; a stem of stride 4 saves where MobileFaceNet spends most.
"""

from torch import nn
from torch.nn import functional

CHANNELS = (48, 96, 160)
BLOCKS = (2, 3, 2)


class Block(nn.Module):
    """x + conv(relu(conv(x))), batch norm after each convolution."""

    def __init__(self, channels):
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.first_norm = nn.BatchNorm2d(channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.second_norm = nn.BatchNorm2d(channels)
        # Each block starts as the identity, so that depth costs nothing early in training.
        nn.init.zeros_(self.second_norm.weight)

    def forward(self, x):
        inner = functional.relu(self.first_norm(self.first(x)), inplace=True)
        return x + self.second_norm(self.second(inner))


class Embedder(nn.Module):
    """[n, 3, 112, 112] RGB, (pixel - 127.5) / 127.5 -> [n, dimension], not normalised."""

    def __init__(self, dimension, channels=CHANNELS, blocks=BLOCKS):
        super().__init__()
        layers, width = [], 3
        for stage, (out, count) in enumerate(zip(channels, blocks)):
            size, stride, padding = (7, 4, 3) if stage == 0 else (3, 2, 1)
            layers += [nn.Conv2d(width, out, size, stride, padding, bias=False), nn.BatchNorm2d(out), nn.ReLU(True)]
            layers += [Block(out) for _ in range(count)]
            width = out
        self.body = nn.Sequential(*layers)
        self.head = nn.Conv2d(width, width, 7, groups=width, bias=False)
        self.head_norm = nn.BatchNorm2d(width)
        self.project = nn.Linear(width, dimension)

    def forward(self, x):
        return self.project(self.head_norm(self.head(self.body(x))).flatten(1))


def loss(student, teacher):
    """How far the student's embeddings are from the teacher's, one by one and in their relations."""
    student = functional.normalize(student.float(), dim=1)
    apart = 1 - (student * teacher).sum(1).mean()
    relations = functional.mse_loss(student @ student.T, teacher @ teacher.T)
    return 4 * apart + 10 * relations, apart
