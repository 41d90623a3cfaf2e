"""`facecore.compat.face_recognition` on real photographs."""

from __future__ import annotations

import io
import pathlib
from collections.abc import Iterator
from typing import Any

import numpy
import pytest

import facecore
from facecore.compat import UnsupportedError, face_recognition


pytestmark = pytest.mark.filterwarnings("ignore::facecore.FacecoreWarning")


@pytest.fixture(scope="module")
def recognizer(pack_options: dict[str, Any]) -> Iterator[facecore.Recognizer]:
    """On the fastest runtime there is."""
    with facecore.Recognizer(**pack_options) as made:
        yield made


@pytest.fixture(autouse=True)
def chosen(request: pytest.FixtureRequest) -> Iterator[None]:
    if "data" in request.fixturenames:
        face_recognition.use(request.getfixturevalue("recognizer"))
    yield
    face_recognition.use(None)


@pytest.fixture
def crowd(images: pathlib.Path) -> Any:
    return face_recognition.load_image_file(images / "knn_obama_and_biden.jpg")


def alike(a: Any, b: Any) -> float:
    """The cosine."""
    return float(a @ b / numpy.linalg.norm(a) / numpy.linalg.norm(b))


def test_who_is_who(images: pathlib.Path, crowd: Any) -> None:
    names = {"obama": "obama.jpg", "biden": "biden.jpg"}
    known = [
        face_recognition.face_encodings(face_recognition.load_image_file(images / file))[0] for file in names.values()
    ]
    named = []
    for encoding in face_recognition.face_encodings(crowd):
        assert encoding.dtype == numpy.float64 and encoding.shape == (128,)
        same = face_recognition.compare_faces(known, encoding)
        named += [name for name, match in zip(names, same) if match]
    assert sorted(named) == ["biden", "obama"]


def test_distances_say_what_the_threshold_says(data: pathlib.Path, recognizer: facecore.Recognizer) -> None:
    lines = (data / "lfw" / "pairs_folds_1_5.txt").read_text().splitlines()[::10]
    space = recognizer.space
    right = 0
    for line in lines:
        _, *files, same = line.split("\t")
        photos = [face_recognition.load_image_file(data / "lfw" / "images" / file) for file in files]
        first, second = (face_recognition.face_encodings(photo)[0] for photo in photos)
        # Their directions are those of the embeddings.
        a, b = (facecore.Embedding(encoding, space.id, threshold=space.threshold) for encoding in (first, second))
        cosine = a.cosine(b)
        (distance,) = face_recognition.face_distance([first], second)
        assert distance == pytest.approx(0.6 * ((1 - cosine) / (1 - space.threshold)) ** 0.5, abs=1e-5)
        (match,) = face_recognition.compare_faces([first], second)
        assert match is recognizer.compare(a, b).same_person, line
        right += match is (same == "1")
    assert right / len(lines) >= 0.95


def test_encodings_are_the_embeddings(images: pathlib.Path, recognizer: facecore.Recognizer) -> None:
    photo = images / "group_sample5.jpg"
    encodings = face_recognition.face_encodings(face_recognition.load_image_file(photo))
    embeddings = [face.embedding for face in recognizer.recognize(photo)]
    assert len(encodings) == len(embeddings)
    for encoding, embedding in zip(encodings, embeddings):
        assert alike(encoding, embedding.values) == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("threshold", [-0.2, 0.0, 0.35, 0.4, 0.9])
def test_the_threshold_is_at_the_tolerance(threshold: float) -> None:
    scale = face_recognition._scale(threshold)
    first = scale * numpy.array([1.0, 0.0])
    angle = numpy.arccos(threshold)
    second = scale * numpy.array([numpy.cos(angle), numpy.sin(angle)])
    assert face_recognition.face_distance([first, second], second).tolist() == pytest.approx([0.6, 0.0])
    nearer, farther = (scale * numpy.array([numpy.cos(at), numpy.sin(at)]) for at in (angle - 1e-6, angle + 1e-6))
    assert face_recognition.compare_faces([nearer, farther], first) == [True, False]


def test_no_threshold_to_scale_by() -> None:
    with pytest.raises(facecore.InvalidArgumentError, match="threshold"):
        face_recognition._scale(1.0)


def test_distances_to_nobody() -> None:
    assert face_recognition.face_distance([], numpy.zeros(128)).shape == (0,)
    assert face_recognition.compare_faces([], numpy.zeros(128)) == []


def test_locations_are_inside_the_image(images: pathlib.Path) -> None:
    for name in ("two_people.jpg", "knn_obama_and_biden.jpg", "obama-240p.jpg"):
        photo = face_recognition.load_image_file(images / name)
        found = face_recognition.face_locations(photo, model="cnn")
        assert found
        for top, right, bottom, left in found:
            assert all(type(side) is int for side in (top, right, bottom, left))
            assert 0 <= top < bottom <= photo.shape[0] and 0 <= left < right <= photo.shape[1]
        assert face_recognition.batch_face_locations([photo, photo], 0) == [found, found]


def test_locations_are_clipped() -> None:
    assert face_recognition._location(facecore.Box(-5.4, -3.0, 640.7, 481.0), 640, 480) == (0, 640, 480, 0)
    assert face_recognition._location(facecore.Box(10.4, 20.6, 30.0, 40.0), 640, 480) == (21, 30, 40, 10)


def test_known_locations_keep_their_order(crowd: Any) -> None:
    locations = face_recognition.face_locations(crowd)
    encodings = face_recognition.face_encodings(crowd)
    assert len(locations) == len(encodings) == 3
    backwards = face_recognition.face_encodings(crowd, locations[::-1])
    numpy.testing.assert_array_equal(backwards, encodings[::-1])


def test_locations_of_other_detectors(crowd: Any) -> None:
    """Squares from the brows to the chin, as dlib gives them."""
    for (top, right, bottom, left), encoding in zip(
        face_recognition.face_locations(crowd), face_recognition.face_encodings(crowd)
    ):
        side = right - left
        square = (bottom - side, right, bottom, left)
        (same,) = face_recognition.face_encodings(crowd, [square], model="large")
        numpy.testing.assert_array_equal(same, encoding)


def test_a_crop_that_is_all_location(crowd: Any) -> None:
    for (top, right, bottom, left), encoding in zip(
        face_recognition.face_locations(crowd), face_recognition.face_encodings(crowd)
    ):
        y, x = (bottom - top) // 5, (right - left) // 5
        crop = crowd[max(top - y, 0) : bottom + y, max(left - x, 0) : right + x]
        height, width = crop.shape[:2]
        (same,) = face_recognition.face_encodings(crop, [(0, width, height, 0)])
        assert alike(same, encoding) > 0.8


def test_a_face_too_small_for_the_whole_image(images: pathlib.Path) -> None:
    photo = face_recognition.load_image_file(images / "obama-240p.jpg")
    ((top, right, bottom, left),) = face_recognition.face_locations(photo)
    (encoding,) = face_recognition.face_encodings(photo)
    # So large that the whole, shrunk to 640 pixels, shows nothing.
    field = numpy.zeros((6000, 6000, 3), numpy.uint8)
    field[3000 : 3000 + photo.shape[0], 2000 : 2000 + photo.shape[1]] = photo
    assert face_recognition.face_locations(field) == []
    location = (top + 3000, right + 2000, bottom + 3000, left + 2000)
    (same,) = face_recognition.face_encodings(field, [location])
    assert alike(same, encoding) > 0.9
    (points,) = face_recognition.face_landmarks(field, [location], model="small")
    ((x, y),) = points["nose_tip"]
    assert left < x - 2000 < right and top < y - 3000 < bottom


def test_a_location_without_a_face(crowd: Any) -> None:
    for nowhere in ((0, 60, 60, 0), (5, 5, 5, 5), (-90, -10, -20, -80)):
        with pytest.raises(facecore.NoFaceError, match="top, right, bottom, left"):
            face_recognition.face_encodings(crowd, [nowhere])


def test_landmarks(images: pathlib.Path, recognizer: facecore.Recognizer) -> None:
    photo = face_recognition.load_image_file(images / "obama.jpg")
    (points,) = face_recognition.face_landmarks(photo, model="small")
    (face,) = recognizer.recognize(photo, color="rgb")
    assert face.landmarks is not None
    assert {name: len(some) for name, some in points.items()} == {
        "left_eye": 1,
        "right_eye": 1,
        "nose_tip": 1,
        "mouth_corners": 2,
    }
    assert points["left_eye"][0][0] < points["nose_tip"][0][0] < points["right_eye"][0][0]
    assert points["nose_tip"] == [tuple(round(value) for value in face.landmarks[2])]
    with pytest.raises(UnsupportedError, match='model="small"'):
        face_recognition.face_landmarks(photo)


def test_images_are_looked_at_again_when_they_change(images: pathlib.Path) -> None:
    photo = face_recognition.load_image_file(images / "obama.jpg")
    assert photo.flags.writeable
    assert len(face_recognition.face_locations(photo)) == 1
    photo[:] = 0
    assert face_recognition.face_locations(photo) == []
    assert face_recognition.face_encodings(photo) == []


def test_one_look_for_location_and_encoding(
    images: pathlib.Path, recognizer: facecore.Recognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []
    recognize = facecore.Recognizer.recognize

    def counted(*args: Any, **more: Any) -> facecore.Recognition:
        looks.append(args)
        return recognize(*args, **more)

    monkeypatch.setattr(facecore.Recognizer, "recognize", counted)
    photo = face_recognition.load_image_file(images / "two_people.jpg")
    locations = face_recognition.face_locations(photo)
    face_recognition.face_encodings(photo, locations)
    face_recognition.face_landmarks(photo, locations, "small")
    assert len(looks) == 1


def test_loading(images: pathlib.Path) -> None:
    path = images / "obama-240p.jpg"
    rgb, grey = (face_recognition.load_image_file(path, mode) for mode in ("RGB", "L"))
    numpy.testing.assert_array_equal(rgb, facecore.Image(path).pixels)
    numpy.testing.assert_array_equal(rgb, face_recognition.load_image_file(io.BytesIO(path.read_bytes())))
    pillow = pytest.importorskip("PIL.Image")
    numpy.testing.assert_array_equal(grey, numpy.asarray(pillow.fromarray(rgb).convert("L")))
    assert len(face_recognition.face_locations(grey)) == 1
    with pytest.raises(UnsupportedError, match="RGB or L"):
        face_recognition.load_image_file(path, "CMYK")


def test_without_use_the_usual_models_serve(
    pack: pathlib.Path, images: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    face_recognition.use(None)
    photo = face_recognition.load_image_file(images / "obama.jpg")
    monkeypatch.setenv("FACECORE_PACK", str(pack / "none"))
    with pytest.raises(facecore.ModelNotFoundError):
        face_recognition.face_locations(photo)
    monkeypatch.setenv("FACECORE_PACK", str(pack))
    assert len(face_recognition.face_encodings(photo)) == 1


def test_what_is_not_there_is_said(crowd: Any) -> None:
    with pytest.raises(UnsupportedError, match="smallest_face=20"):
        face_recognition.face_locations(crowd, number_of_times_to_upsample=2)
    with pytest.raises(UnsupportedError, match='flip="sum"'):
        face_recognition.face_encodings(crowd, num_jitters=10)
    with pytest.raises(facecore.InvalidArgumentError, match="load_image_file"):
        face_recognition.face_locations("crowd.jpg")  # type: ignore[arg-type]
    with pytest.raises(facecore.InvalidArgumentError, match="hog, cnn"):
        face_recognition.face_locations(crowd, model="mtcnn")  # type: ignore[arg-type]
    with pytest.raises(facecore.InvalidArgumentError, match="small, large"):
        face_recognition.face_landmarks(crowd, model="huge")  # type: ignore[arg-type]
