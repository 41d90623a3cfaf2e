"""Pictures to learn detection from: labelled photographs at all sizes, turns and lights.

A picture is a background, patches of photographs upon it, and the faces and doubts that came along. Its
faces are rows of 14 (box and five points), its doubts boxes: regions that teach nothing.
"""

import cv2
import numpy as np

from .detector import RADIUS, RANGES, STRIDES

SIZE = 320
# Faces smaller than this many pixels, or less visible than this, are doubts.
SMALLEST, VISIBLE = 10.0, 0.65


NOTHING = (np.zeros((0, 14), np.float32), np.zeros((0, 4), np.float32))


class Picture:
    """A canvas and what is on it."""

    def __init__(self, canvas):
        self.canvas = canvas
        self.faces = np.zeros((0, 14), np.float32)
        self.doubts = np.zeros((0, 4), np.float32)

    def paste(self, photo, labels, matrix, region, rng, soft=None):
        """Puts the photograph, moved by `matrix`, into `region` (x1, y1, x2, y2) of the canvas as far as it
        reaches, mixed with what is there where `soft` has weights below 1. What lies below is covered."""
        x1, y1, x2, y2 = region
        size = (x2 - x1, y2 - y1)
        source, inside = level_for(photo, matrix - np.array([[0, 0, x1], [0, 0, y1]]))
        moved = cv2.warpAffine(source, inside, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        weight = cv2.warpAffine(np.ones(source.shape[:2], np.float32), inside, size, flags=cv2.INTER_LINEAR)
        if soft is not None:
            weight *= soft
        below = np.ascontiguousarray(self.canvas[y1:y2, x1:x2])
        self.canvas[y1:y2, x1:x2] = cv2.blendLinear(relit(moved, rng), below, weight, 1 - weight)
        # Faces that are hidden now are gone; those that are cut are doubts.
        hidden = shares(self.faces[:, :4], region, weight)
        self.doubts = np.vstack([self.doubts, self.faces[(hidden > 0.1) & (hidden < 0.95), :4]])
        self.faces = self.faces[hidden <= 0.1]
        faces, doubts = moved_faces(labels[0], matrix), moved_boxes(labels[1], matrix)
        if len(faces):
            seen = shares(faces[:, :4], region, weight)
            side = np.sqrt((faces[:, 2:4] - faces[:, :2]).prod(1))
            clear = (seen >= VISIBLE) & (side >= SMALLEST)
            self.faces = np.vstack([self.faces, faces[clear]])
            doubts = np.vstack([doubts, faces[(seen > 0.05) & ~clear, :4]])
        doubts = np.hstack([np.maximum(doubts[:, :2], [x1, y1]), np.minimum(doubts[:, 2:], [x2, y2])])
        self.doubts = np.vstack([self.doubts, doubts[(doubts[:, 2:] > doubts[:, :2]).all(1)]])


def shares(boxes, region, weight):
    """How much of each box is covered by a paste into the region with these weights."""
    covered = visible(boxes, region)
    x1, y1, x2, y2 = region
    for at in np.flatnonzero(covered > 0):
        left, top = np.floor(np.maximum(boxes[at, :2] - [x1, y1], 0)).astype(int)
        right, bottom = np.ceil(np.minimum(boxes[at, 2:4], [x2, y2]) - [x1, y1]).astype(int)
        covered[at] *= weight[top:bottom, left:right].mean()
    return covered


def visible(boxes, region):
    """The share of each box that lies in the region."""
    x1, y1, x2, y2 = region
    low, high = np.maximum(boxes[:, :2], [x1, y1]), np.minimum(boxes[:, 2:4], [x2, y2])
    area = (boxes[:, 2:4] - boxes[:, :2]).prod(1)
    return np.clip(high - low, 0, None).prod(1) / np.maximum(area, 1e-6)


def moved_points(points, matrix):
    return points @ matrix[:, :2].T + matrix[:, 2]


def moved_boxes(boxes, matrix):
    """Boxes after a similarity: those around the ellipses that the old ones hold."""
    if not len(boxes):
        return np.zeros((0, 4), np.float32)
    middle = moved_points((boxes[:, :2] + boxes[:, 2:4]) / 2, matrix)
    half = (boxes[:, 2:4] - boxes[:, :2]) / 2
    half = np.sqrt((half**2) @ (matrix[:, :2] ** 2).T)
    return np.hstack([middle - half, middle + half]).astype(np.float32)


def moved_faces(faces, matrix):
    if not len(faces):
        return np.zeros((0, 14), np.float32)
    points = moved_points(faces[:, 4:].reshape(-1, 2), matrix).reshape(-1, 10)
    if matrix[0, 0] * matrix[1, 1] - matrix[0, 1] * matrix[1, 0] < 0:
        # A mirrored face: left and right eye, left and right corner of the mouth change their names.
        points = points.reshape(-1, 5, 2)[:, [1, 0, 2, 4, 3]].reshape(-1, 10)
    return np.hstack([moved_boxes(faces[:, :4], matrix), points]).astype(np.float32)


def some_face(rng, labels):
    """The middle and the side of the largest face, now and then of another one, or nothing."""
    faces = labels[0]
    if not len(faces):
        return None
    sides = np.sqrt((faces[:, 2:4] - faces[:, :2]).prod(1))
    chosen = rng.integers(len(faces)) if rng.random() < 0.3 else sides.argmax()
    return (faces[chosen, :2] + faces[chosen, 2:4]) / 2, sides[chosen]


def face_and_place(rng, labels, size, room):
    """A matrix's ingredients: a face's middle, where it goes in the room, and the scale for `size`."""
    face = some_face(rng, labels)
    if face is None:
        return None
    (at, side), (x1, y1, x2, y2) = face, room
    towards = [rng.uniform(x1, x2), rng.uniform(y1, y2)]
    return at, towards, size / side


def tiles(rng, draw):
    """Tiles with a face each, from one large to sixty-four small ones."""
    picture = background(rng, draw)
    across = int(rng.choice([1, 2, 3, 4, 5, 6, 8], p=[0.1, 0.2, 0.22, 0.18, 0.14, 0.1, 0.06]))
    edges = []
    for _ in range(2):
        even = np.linspace(0, SIZE, across + 1)
        even[1:-1] += rng.uniform(-0.2, 0.2, across - 1) * SIZE / across
        edges.append(even.astype(int))
    for x1, x2 in zip(edges[0], edges[0][1:]):
        for y1, y2 in zip(edges[1], edges[1][1:]):
            width, height = x2 - x1, y2 - y1
            if across > 1 and rng.random() < 0.15:
                paste_nothing(rng, picture, draw, (x1, y1, x2, y2))
                continue
            room = (x1 + 0.35 * width, y1 + 0.35 * height, x1 + 0.65 * width, y1 + 0.65 * height)
            picture_of(rng, picture, draw, rng.uniform(0.3, 0.8) * min(width, height), room, (x1, y1, x2, y2))
    return picture


def album(rng, draw):
    """Whole photographs side by side, as they were taken or a little turned."""
    picture = background(rng, draw)
    across = int(rng.choice([1, 2, 3, 4], p=[0.3, 0.4, 0.2, 0.1]))
    edges = np.linspace(0, SIZE, across + 1).astype(int)
    for x1, x2 in zip(edges, edges[1:]):
        for y1, y2 in zip(edges, edges[1:]):
            photo, labels = draw(rng)
            side = photo[0].shape[0]
            scale = (x2 - x1) / side * np.exp(rng.uniform(0, 0.5))
            centre = ((x1 + x2) / 2, (y1 + y2) / 2)
            matrix = similarity(rng, (side / 2, side / 2), centre, scale, 0.1)
            picture.paste(photo, labels, matrix, (x1, y1, x2, y2), rng)
    return picture


def scene(rng, draw):
    """One photograph that fills the picture, its face anything from far to filling the frame."""
    picture = background(rng, draw)
    size = np.exp(rng.uniform(np.log(60), np.log(380)))
    room = (0.15 * SIZE, 0.15 * SIZE, 0.85 * SIZE, 0.85 * SIZE) if size < 200 else (
        0.4 * SIZE, 0.4 * SIZE, 0.6 * SIZE, 0.6 * SIZE)
    picture_of(rng, picture, draw, size, room, (0, 0, SIZE, SIZE), turn=0.25)
    return picture


def crowd(rng, draw):
    """Heads cut from their photographs, at all sizes, upon a background without faces."""
    picture = background(rng, draw)
    for _ in range(rng.integers(1, 12)):
        size = np.exp(rng.uniform(np.log(12), np.log(150)))
        half = int(size * rng.uniform(0.75, 1.1))
        x, y = rng.uniform(0, SIZE, 2).astype(int)
        region = (max(0, x - half), max(0, y - half), min(SIZE, x + half), min(SIZE, y + half))
        if region[2] - region[0] < 8 or region[3] - region[1] < 8:
            continue
        across = (np.arange(region[0], region[2]) - x) / half
        down = (np.arange(region[1], region[3]) - y) / half
        radius = np.sqrt(across**2 + down[:, None] ** 2)
        soft = np.clip((1 - radius) / rng.uniform(0.05, 0.3), 0, 1).astype(np.float32)
        if rng.random() < 0.35:
            # A spot that is no face, lest every spot be one.
            paste_nothing(rng, picture, draw, region, soft)
        else:
            picture_of(rng, picture, draw, size, (x, y, x, y), region, turn=0.25, soft=soft)
    return picture


def picture_of(rng, picture, draw, size, room, region, turn=0.15, soft=None):
    photo, labels = draw(rng)
    found = face_and_place(rng, labels, size, room)
    if found is None:
        return
    matrix = similarity(rng, *found, turn)
    picture.paste(photo, labels, matrix, region, rng, soft)


def paste_nothing(rng, picture, draw, region, soft=None):
    """Something in `region` that is no face: a piece of background, or skin and features in disorder."""
    width, height = region[2] - region[0], region[3] - region[1]
    if rng.random() < 0.5:
        empty = piece_without_faces(rng, draw)
    else:
        photo, labels = draw(rng)
        empty = disordered(rng, photo[0], labels[0])
    matrix = np.array([[width / empty.shape[1], 0, region[0]], [0, height / empty.shape[0], region[1]]])
    matrix[:, 2] += (matrix[:, [0, 1]].sum(1) - 1) / 2
    picture.paste([empty] * 4, NOTHING, matrix, region, rng, soft)


def disordered(rng, photo, faces):
    """The largest face in pieces, shuffled and blurred into each other: hands and knees look like that, and a
    single eye is not yet a face."""
    if not len(faces):
        return photo[:64, :64]
    x1, y1, x2, y2 = faces[(faces[:, 2:4] - faces[:, :2]).prod(1).argmax(), :4].astype(int)
    face = photo[max(y1, 0) : y2, max(x1, 0) : x2]
    across = int(rng.integers(2, 5))
    face = cv2.resize(face, (24 * across, 24 * across), interpolation=cv2.INTER_AREA)
    pieces = face.reshape(across, 24, across, 24, 3).swapaxes(1, 2).reshape(-1, 24, 24, 3)
    pieces = rng.permutation(pieces)
    pieces = np.stack([np.rot90(piece, rng.integers(1, 4)) for piece in pieces])
    face = pieces.reshape(across, across, 24, 24, 3).swapaxes(1, 2).reshape(24 * across, 24 * across, 3)
    return cv2.GaussianBlur(np.ascontiguousarray(face), (0, 0), rng.uniform(0.5, 6))


def background(rng, draw):
    """Pieces of photographs without faces or doubts that fill the picture: one, much enlarged, to sixteen."""
    canvas = np.empty((SIZE, SIZE, 3), np.uint8)
    edges = np.linspace(0, SIZE, int(rng.integers(1, 5)) + 1).astype(int)
    for x1, x2 in zip(edges, edges[1:]):
        for y1, y2 in zip(edges, edges[1:]):
            piece = cv2.resize(piece_without_faces(rng, draw), (x2 - x1, y2 - y1), interpolation=cv2.INTER_LINEAR)
            canvas[y1:y2, x1:x2] = relit(piece, rng)
    return Picture(canvas)


def piece_without_faces(rng, draw):
    """A square of a photograph that touches no face and no doubt."""
    for attempt in range(40):
        photo, (faces, doubts) = draw(rng)
        height, width = photo[0].shape[:2]
        side = int(rng.uniform(40, max(50, 110 - 2 * attempt)))
        x, y = int(rng.uniform(0, width - side)), int(rng.uniform(0, height - side))
        taken = np.vstack([faces[:, :4], doubts])
        # Hair, ears and necks may come along; eyes and mouths may not.
        if (visible(taken, (x, y, x + side, y + side)) < 0.02).all():
            return photo[0][y : y + side, x : x + side]
    return np.full((8, 8, 3), rng.integers(0, 256, 3), np.uint8)


def similarity(rng, at, towards, scale, turn):
    """Moves the point `at` of a photograph to `towards`, scaled and turned, half of the time mirrored."""
    angle = rng.normal(0, turn)
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    linear = np.array([[cos, -sin], [sin, cos]]) @ np.diag([-1.0 if rng.random() < 0.5 else 1.0, 1.0])
    return np.hstack([linear, (np.asarray(towards) - linear @ np.asarray(at))[:, None]])


def pyramid(photo):
    """The photograph and its halves, quarters and eighths, so that small faces are drawn fast and do not flicker."""
    levels = [photo]
    for _ in range(3):
        levels.append(cv2.resize(levels[-1], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
    return levels


def level_for(photo, matrix):
    """The smallest level of the pyramid that need not be enlarged, and the matrix for it."""
    scale = np.sqrt(abs(np.linalg.det(matrix[:, :2])))
    level = int(np.clip(np.floor(-np.log2(scale * 0.9)), 0, 3))
    # Pixel centres: halves of pixels shift, too.
    factor = photo[0].shape[1] / photo[level].shape[1]
    linear = matrix[:, :2] * factor
    offset = matrix[:, 2] + matrix[:, :2].sum(1) * (factor - 1) / 2
    return photo[level], np.hstack([linear, offset[:, None]])


def relit(image, rng):
    """Another exposure, contrast and colour of the light."""
    if rng.random() < 0.3:
        return image
    levels = np.arange(256, dtype=np.float32) / 255
    levels = levels ** np.exp(rng.normal(0, 0.3))
    levels = (levels - 0.5) * np.exp(rng.normal(0, 0.25)) + 0.5 + rng.normal(0, 0.08)
    gains = np.exp(rng.normal(0, 0.1, 3))
    table = np.clip(levels[:, None] * gains * 255, 0, 255).astype(np.uint8)
    return cv2.LUT(image, table.reshape(256, 1, 3))


def finished(image, rng):
    """What lenses, sensors and files do to a whole picture."""
    if rng.random() < 0.1:
        image = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    if rng.random() < 0.15:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.5))
    if rng.random() < 0.15:
        noise = rng.standard_normal(image.shape, np.float32) * rng.uniform(2, 12)
        image = np.clip(image + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.25:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(30, 90))]
        image = cv2.imdecode(cv2.imencode(".jpg", image, quality)[1], cv2.IMREAD_COLOR)
    return image


def make(rng, draw):
    """A picture; `draw(rng)` gives a photograph's pyramid and its (faces, doubts)."""
    kind = rng.random()
    arrange = tiles if kind < 0.35 else album if kind < 0.55 else scene if kind < 0.75 else crowd
    picture = arrange(rng, draw)
    picture.canvas = finished(picture.canvas, rng)
    return picture


def targets(picture):
    """What each cell is to answer, a map [h, w, 15] a stride: see `detector.loss`."""
    maps = []
    boxes = picture.faces[:, :4]
    middles, sides = (boxes[:, :2] + boxes[:, 2:]) / 2, np.sqrt((boxes[:, 2:] - boxes[:, :2]).prod(1))
    for stride, (smallest, largest) in zip(STRIDES, RANGES):
        cells = SIZE // stride
        target = np.zeros((cells, cells, 15), np.float32)
        y, x = np.mgrid[0:cells, 0:cells].astype(np.float32) * stride
        for x1, y1, x2, y2 in picture.doubts:
            target[(x >= x1) & (x <= x2) & (y >= y1) & (y <= y2), 0] = -1
        nearest = np.full((cells, cells), np.inf)
        for face, middle, side in zip(picture.faces, middles, sides):
            away = np.maximum(abs(x - middle[0]), abs(y - middle[1]))
            near = away <= RADIUS * stride
            if smallest <= side < largest:
                mine = near & (away < nearest)
                target[mine, 0] = 1
                target[mine, 1:] = face
                nearest[mine] = away[mine]
            elif smallest / 1.4 <= side < largest * 1.4:
                target[near & (target[..., 0] == 0), 0] = -1
        maps.append(target)
    return maps
