"""Face crops: the archives they come in, faces that nobody has, and the views that the student sees.

Crops are 128 x 128 RGB, aligned with the 112-pixel template moved by (8, 8), so that a view of
112 x 112 pixels can be shifted, turned and scaled; where it reaches beyond, the crop is mirrored.
Everything drawn is a function of a seed and a counter: which process draws it does not matter,
and an interrupted training goes on with the very samples it would have seen.
"""

import tarfile

import cv2
import numpy as np

from . import kept

CROP = 128
VIEW = 112
MARGIN = (CROP - VIEW) // 2


def members(archives):
    """(archive, tar, member) of each crop, in the order in which everything here counts them."""
    for archive in archives:
        with tarfile.open(archive) as tar:
            for member in tar:
                if member.isfile():
                    yield archive, tar, member


def from_the_wild(archives, never):
    """Which crops are of LFW: `lfw_NAME_NNNN.jpg`, press photographs as students meet them later, while UTKFace's
    are sharp and mostly frontal. A crop of somebody in `never` is an error: that person is there to measure on."""
    wild = []
    for archive, _, member in members(archives):
        name = member.name.removeprefix("lfw_").rpartition("_")[0]
        wild.append(member.name.startswith("lfw_"))
        if wild[-1] and name in never:
            raise SystemExit(f"{archive}: {member.name} shows somebody who is measured on")
    return np.array(wild)


def load_archives(archives, cache, settings):
    """All crops of the archives as one uint8 array [n, 128, 128, 3], kept at `cache`."""

    def read():
        crops = []
        for archive, tar, member in members(archives):
            data = np.frombuffer(tar.extractfile(member).read(), np.uint8)
            crop = cv2.imdecode(data, cv2.IMREAD_COLOR_RGB)
            if crop is None or crop.shape != (CROP, CROP, 3):
                raise SystemExit(f"{archive}: {member.name} is no crop of {CROP} x {CROP} pixels")
            crops.append(without_borders(crop))
        return np.stack(crops)

    return kept.array(cache, settings, read)


def centre(crops):
    """The views that the template defines, of one crop or many."""
    return crops[..., MARGIN : MARGIN + VIEW, MARGIN : MARGIN + VIEW, :]


def without_borders(crop):
    """The crop with the black that lay beyond the photograph's edge replaced by the nearest pixels, blurred:
    no face that the student will meet stands in a black frame."""
    dark = (crop.max(2) <= 8).astype(np.uint8)
    number, labels = cv2.connectedComponents(dark, connectivity=4)
    edge = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    beyond = np.isin(labels, edge[edge > 0]).astype(np.uint8)
    if beyond.mean() < 0.01 or beyond.mean() > 0.8:
        return crop
    beyond = cv2.dilate(beyond, np.ones((5, 5), np.uint8))
    _, nearest = cv2.distanceTransformWithLabels(beyond, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    inside = beyond == 0
    colours = np.zeros((nearest.max() + 1, 3), np.uint8)
    colours[nearest[inside]] = crop[inside]
    filled = colours[nearest]
    return np.where(inside[..., None], crop, cv2.GaussianBlur(filled, (0, 0), 3))


def invent(crops, pools, number, seed, cache, settings):
    """`number` faces that nobody has, each made of crops that two of the `pools` list, kept at `cache`."""

    def make():
        faces = np.empty((number, CROP, CROP, 3), np.uint8)
        for i in range(number):
            rng = np.random.default_rng([seed, i])
            parents = [crops[rng.choice(pools[rng.integers(len(pools))])] for _ in range(2)]
            faces[i] = invented(*parents, rng)
        return faces

    return kept.array(cache, settings, make)


def invented(face, other, rng):
    """A face of a population that does not exist: two people's crops mixed, the proportions changed, and turned.

    Aligned faces mix into pictures that a face embedder takes for a person of their own. The teacher says
    where that person lies, so that the student learns the whole space and not only 25,000 points of it.
    """
    if rng.random() < 0.5:
        face = face[:, ::-1]
    if rng.random() < 0.5:
        other = other[:, ::-1]
    face, other = np.ascontiguousarray(face), np.ascontiguousarray(other)
    kind = rng.random()
    if kind < 0.4:
        share = rng.uniform(0.3, 0.7)
        face = cv2.addWeighted(face, share, _in_the_light_of(other, face), 1 - share, 0)
    elif kind < 0.85:
        share = _soft_half_plane(rng)
        face = cv2.blendLinear(face, _in_the_light_of(other, face), share, 1 - share)
    if rng.random() < 0.4:
        face = _turned_aside(face, rng.normal(0, 0.3))
    stretch = np.exp(rng.normal(0, 0.05, 2))
    shear = rng.normal(0, 0.03)
    middle = CROP / 2
    matrix = np.array([[stretch[0], shear, 0], [0, stretch[1], 0]])
    matrix[:, 2] = middle - matrix[:, :2] @ [middle, middle]
    return cv2.warpAffine(face, matrix, (CROP, CROP), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)


def _turned_aside(face, angle):
    """The face as if painted on an upright cylinder that turns by `angle`, in radians: one half gets narrower,
    the other wider. What is beyond the cylinder stays."""
    radius = 0.45 * CROP
    across = (np.arange(CROP, dtype=np.float32) - CROP / 2 + 0.5) / radius
    inside = np.abs(across) < 1
    place = np.where(inside, np.arcsin(np.clip(across, -1, 1)) + angle, 0)
    source = np.where(inside, np.sin(np.clip(place, -np.pi / 2, np.pi / 2)), across)
    # So that the eyes stay where the template has them.
    source = source - np.where(inside, np.sin(angle) * np.sqrt(np.maximum(1 - across**2, 0)), 0) * 0.7
    columns = np.float32(source * radius + CROP / 2 - 0.5)
    columns, rows = np.meshgrid(columns, np.arange(CROP, dtype=np.float32))
    return cv2.remap(face, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)


def _in_the_light_of(face, model):
    """`face` with the mean and spread of each channel of `model`, both taken where the face is."""
    inner = slice(32, 96)
    (own, spread), (wanted, model_spread) = (cv2.meanStdDev(image[inner, inner]) for image in (face, model))
    gain = np.clip(model_spread / np.maximum(spread, 1), 0.5, 2)
    table = (np.arange(256) - own) * gain + wanted
    return cv2.LUT(face, np.clip(table, 0, 255).T.astype(np.uint8).reshape(256, 1, 3))


def _soft_half_plane(rng):
    """Weights that go from 0 to 1 across a line through the middle of the face."""
    angle = rng.uniform(0, 2 * np.pi)
    width = rng.uniform(4, 16)
    along = np.arange(CROP, dtype=np.float32) - CROP / 2
    distance = along * np.cos(angle) + (along * np.sin(angle))[:, None] - rng.normal(0, 10)
    return (1 / (1 + np.exp(-distance / width))).astype(np.float32)


def view(crop, rng, harshness=1.0):
    """A view of 112 x 112 pixels as a camera and an imperfect detector might give it.

    `harshness` scales how often it is made worse, and half of it how far it is moved."""
    moved = (1 + harshness) / 2
    shift = rng.normal(0, 1.5 * moved, 2)
    angle = rng.normal(0, 0.06 * moved)
    scale = np.exp(rng.normal(0, 0.04 * moved))
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    matrix = np.array([[cos, -sin, 0], [sin, cos, 0]])
    matrix[:, 2] = VIEW / 2 + shift - matrix[:, :2] @ [CROP / 2, CROP / 2]
    if rng.random() < 0.5:
        crop = crop[:, ::-1]
    face = cv2.warpAffine(np.ascontiguousarray(crop), matrix, (VIEW, VIEW), flags=cv2.INTER_LINEAR,
                          borderMode=cv2.BORDER_REFLECT_101)
    if rng.random() < 0.25 * harshness:
        side = int(rng.uniform(28, 90))
        small = cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA)
        face = cv2.resize(small, (VIEW, VIEW), interpolation=cv2.INTER_LINEAR)
    elif rng.random() < 0.1 * harshness:
        face = cv2.GaussianBlur(face, (0, 0), rng.uniform(0.5, 2))
    if rng.random() < 0.6:
        face = _relit(face, rng)
    if rng.random() < 0.1 * harshness:
        face = cv2.cvtColor(cv2.cvtColor(face, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    if rng.random() < 0.1 * harshness:
        noise = rng.standard_normal((VIEW, VIEW, 1 if rng.random() < 0.5 else 3), np.float32) * rng.uniform(2, 14)
        face = np.clip(face + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.15 * harshness:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 85))]
        face = cv2.imdecode(cv2.imencode(".jpg", face, quality)[1], cv2.IMREAD_COLOR)
    if rng.random() < 0.1 * harshness:
        face = face.copy()
        width, height = rng.integers(12, 48, 2)
        left, top = int(rng.integers(VIEW - width)), int(rng.integers(VIEW - height))
        face[top : top + height, left : left + width] = rng.integers(0, 256, 3)
    return face


def _relit(face, rng):
    """Exposure, contrast and the colour of the light, by one table a channel."""
    levels = np.arange(256, dtype=np.float32) / 255
    levels = levels ** np.exp(rng.normal(0, 0.25))
    levels = (levels - 0.5) * np.exp(rng.normal(0, 0.2)) + 0.5 + rng.normal(0, 0.06)
    gains = np.exp(rng.normal(0, 0.08, 3)) if rng.random() < 0.5 else np.ones(3)
    table = np.clip(levels[:, None] * gains * 255, 0, 255).astype(np.uint8)
    return cv2.LUT(face, table.reshape(256, 1, 3))
