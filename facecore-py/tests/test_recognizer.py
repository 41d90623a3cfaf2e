"""Recognizers and their parts."""

from __future__ import annotations

import json
import pickle
import shutil
import threading
from unittest import mock

import numpy
import pytest

import facecore

from .conftest import embedding


def test_parts_give_what_the_whole_gives(recognizer, pack_options, images) -> None:
    photo = images / "knn_obama_and_biden.jpg"
    found = recognizer.recognize(photo)
    with (
        facecore.Detector(detector=pack_options["detector"], runtime="rten") as detector,
        facecore.Embedder(embedder=pack_options["embedder"], runtime="rten") as embedder,
    ):
        faces = detector.detect(photo)
        assert [(face.box, face.score, face.landmarks) for face in faces] == [
            (face.box, face.score, face.landmarks) for face in found
        ]
        crops = [embedder.aligner.align(photo, face.landmarks) for face in faces]
        assert all((crop.width, crop.height) == (112, 112) for crop in crops)
        assert embedder.embed(crops) == [face.embedding for face in found]
        arrays = [crop.pixels[:, :, ::-1] for crop in crops]
        assert embedder.embed(arrays, color="bgr") == [face.embedding for face in found]
        assert embedder.space == recognizer.space and embedder.space.dimension == 128
        assert "rten" in repr(detector) and "rten" in repr(embedder)
    aligned = facecore.Aligner().align(photo, numpy.array(found[0].landmarks), color=None)
    assert aligned == crops[0] and repr(facecore.Aligner()) == "<Aligner to arcface-112, 112 x 112 pixels>"
    with pytest.raises(facecore.InvalidArgumentError):
        facecore.Aligner("dlib-68")
    with pytest.raises(facecore.LandmarksError):
        facecore.Aligner().align(photo, [(float("nan"), 0.0)] * 5)


def test_results_are_values(recognizer, images) -> None:
    found = recognizer.recognize(images / "obama.jpg")
    (face,) = found
    assert found == recognizer.recognize(images / "obama.jpg"), "what it took does not count"
    assert hash(face) == hash(found[0]) and pickle.loads(pickle.dumps(found)) == found
    with pytest.raises(AttributeError):
        face.score = 1.0  # type: ignore[misc]
    plain = found.to_dict()
    assert json.loads(json.dumps(plain)) == plain
    assert "faces=(RecognizedFace(" in repr(found) and repr(found.faces[0]).endswith(")")
    assert "embedding" not in plain["faces"][0], "biometric data leaves only when it is asked for"
    assert len(found.to_dict(embeddings=True)["faces"][0]["embedding"]) == 128
    assert str(face.embedding.values[0]) not in repr(face) and "RecognizedFace(box=(" in repr(face)
    assert face.box.width == face.box.x2 - face.box.x1 and face.box.area == face.box.width * face.box.height
    assert found.timings.total > 0 and found[0:1] == (face,)


def test_embeddings_lend_their_values(recognizer, images) -> None:
    made = recognizer.recognize_one(images / "obama.jpg").embedding
    values = made.values
    assert values.dtype == numpy.float32 and values.shape == (128,) == (len(made),)
    assert not values.flags.writeable and numpy.shares_memory(values, made.values)
    assert abs(float(numpy.linalg.norm(values)) - 1) < 1e-5 and made.norm > 0
    assert (numpy.asarray(made) == values).all() and numpy.asarray(made, dtype="float64").dtype == numpy.float64
    assert numpy.array(made, copy=True).flags.writeable
    assert bytes(memoryview(made)) == values.tobytes()
    kept = pickle.loads(pickle.dumps(made))
    assert kept == made and hash(kept) == hash(made) and kept.norm == made.norm and kept.space == made.space
    assert facecore.Embedding._restore(values.tobytes(), 2.0, made.space, 0.4) == made, "its norm is not who it is"
    assert recognizer.space.threshold == 0.4 == made.threshold
    assert kept != embedding(1) and made != 1


def test_embeddings_of_ones_own() -> None:
    made = facecore.Embedding([3.0, 4.0], "mine", threshold=0.5)
    assert made.values.tolist() == pytest.approx([0.6, 0.8]) and made.norm == 5 and made.threshold == 0.5
    other = facecore.Embedding(numpy.array([4.0, -3.0]), "mine", threshold=0.5)
    assert made.cosine(other) == pytest.approx(0, abs=1e-6) and made.euclidean(other) == pytest.approx(2**0.5)
    strided = facecore.Embedding(numpy.array([3, 9, 4, 9], dtype="float32")[::2], "mine", threshold=0.5)
    assert strided == made
    for bad in ([0.0, 0.0], [float("nan"), 1.0], []):
        with pytest.raises(facecore.InvalidEmbeddingError):
            facecore.Embedding(bad, "mine", threshold=0.5)
    with pytest.raises(facecore.EmbeddingSpaceMismatchError):
        made.cosine(facecore.Embedding([3.0, 4.0], "another", threshold=0.5))
    with pytest.raises(facecore.DimensionMismatchError):
        made.euclidean(facecore.Embedding([3.0, 4.0, 5.0], "mine", threshold=0.5))
    with pytest.raises(TypeError):
        facecore.Embedding("text", "mine", threshold=0.5)
    numbers = numpy.random.default_rng(1).standard_normal(64).astype("float32")
    for dtype in (">f4", "<f4", "float64", ">f8"):
        assert facecore.Embedding(numbers.astype(dtype), "mine", threshold=0.5) == facecore.Embedding(
            numbers, "mine", threshold=0.5
        ), dtype
    zero, minus = facecore.Embedding([1.0, 0.0], "m", threshold=0.5), facecore.Embedding([1.0, -0.0], "m", threshold=0.5)
    assert zero == minus and hash(zero) == hash(minus) and zero == mock.ANY
    with pytest.raises(facecore.InvalidEmbeddingError, match="at most"):
        facecore.Embedding(range(10**13), "mine", threshold=0.5)


def test_comparing_photos_and_cached_embeddings(recognizer, images) -> None:
    same = recognizer.compare(images / "obama.jpg", images / "obama2.jpg")
    assert same and same.same_person and same.score > 0.5 and same.first and same.second and same.seconds > 0
    assert same.distance == pytest.approx((2 - 2 * same.score) ** 0.5, abs=1e-5) and same.probability is None
    assert not recognizer.compare(images / "obama.jpg", images / "biden.jpg")
    cached = recognizer.recognize_one(images / "obama2.jpg").embedding
    again = recognizer.compare(images / "obama.jpg", cached)
    assert again.score == pytest.approx(same.score, abs=1e-6) and again.second is None
    assert not recognizer.compare(cached, images / "obama.jpg", threshold=0.99)
    assert facecore.compare(cached, images / "obama.jpg", recognizer=recognizer).score == again.score


def test_choosing_the_face_that_is_meant(recognizer, images) -> None:
    crowd = images / "knn_obama_and_biden.jpg"
    with pytest.raises(facecore.SeveralFacesError, match="knn_obama_and_biden.jpg"):
        recognizer.recognize_one(crowd)
    largest = recognizer.recognize_one(crowd, choice="largest")
    assert largest.box.area == max(face.box.area for face in recognizer.recognize(crowd))
    assert recognizer.recognize_one(crowd, choice="central").box.area > 0
    with pytest.raises(facecore.NoFaceError):
        recognizer.recognize_one(numpy.zeros((64, 64, 3), dtype="uint8"), color="rgb")
    with pytest.raises(facecore.InvalidArgumentError, match="only, largest or central"):
        recognizer.recognize_one(crowd, choice="best")


def test_many_images_with_an_error_for_each_that_fails(recognizer, images) -> None:
    asked: list[str] = []

    def photos():
        for name in ("obama.jpg", "not-there.jpg", "biden.jpg", "knn_obama_and_biden.jpg"):
            asked.append(name)
            yield images / name

    outcomes = recognizer.recognize_many(photos(), workers=1)
    first = next(outcomes)
    assert len(asked) < 4, "images are taken as results are asked for"
    rest = list(outcomes)
    assert [outcome.index for outcome in (first, *rest)] == [0, 1, 2, 3]
    assert len(first.unwrap()) == 1 and len(rest[2].unwrap()) == 3
    assert isinstance(rest[0].error, facecore.IoError) and rest[0].source == images / "not-there.jpg"
    with pytest.raises(facecore.IoError):
        rest[0].unwrap()
    assert rest[0].to_dict()["error"]["code"] == 110
    next(recognizer.recognize_many(iter([images / "obama.jpg"] * 1000)))
    with pytest.raises(facecore.InvalidArgumentError, match="such as a list"):
        recognizer.recognize_many("obama.jpg")
    ones = list(recognizer.recognize_one_many([images / "obama.jpg", images / "two_people.jpg"]))
    assert ones[0].unwrap().embedding and isinstance(ones[1].error, facecore.SeveralFacesError)


def test_an_error_that_is_not_facecores_comes_through(recognizer) -> None:
    def photos():
        yield b""
        raise RuntimeError("the disk is gone")

    seen = []
    with pytest.raises(RuntimeError, match="the disk is gone"):
        for outcome in recognizer.recognize_many(photos()):
            seen.append(outcome)
    assert len(seen) == 1, "what was taken before is not lost"


class Broken:
    """A file, or a path, that fails with any error."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def read(self, size: int) -> bytes:
        raise self.error

    def __fspath__(self) -> str:
        raise self.error


def test_one_image_that_cannot_be_taken_loses_nobody_elses(recognizer, images) -> None:
    closed = (images / "obama.jpg").open("rb")
    closed.close()
    bad = [
        Broken(OSError(5, "the disk")),
        Broken(RuntimeError("odd")),
        closed,
        "\ud800.jpg",
        "a\0b.jpg",
        "data:image/png;base64,\u00e4",
        numpy.array(3, dtype="uint8"),
        object(),
    ]
    outcomes = list(recognizer.recognize_many([*bad, images / "obama.jpg"]))
    assert all(isinstance(outcome.error, facecore.FacecoreError) for outcome in outcomes[:-1]), outcomes
    assert len(outcomes[-1].unwrap()) == 1 and isinstance(outcomes[0].error, facecore.IoError)
    assert repr(outcomes[0].error.__cause__) == "OSError(5, 'the disk')"
    with pytest.raises(KeyboardInterrupt):
        recognizer.recognize(Broken(KeyboardInterrupt()))
    photo = (images / "obama.jpg").read_bytes()
    (outcome,) = recognizer.recognize_many([photo])
    assert "source=<bytes>" in repr(outcome) and outcome.to_dict()["source"] == "<bytes>"
    assert pickle.loads(pickle.dumps(outcomes[0].error)) == outcomes[0].error
    assert pickle.loads(pickle.dumps(outcomes[0].error)).errno == 5
    with pytest.raises(FileNotFoundError):
        recognizer.recognize("not-there.jpg")


def test_sixteen_threads_answer_as_one_does(recognizer, images) -> None:
    names = ["obama.jpg", "biden.jpg", "knn_obama_and_biden.jpg", "two_people.jpg"]
    expected = {name: recognizer.recognize(images / name).faces for name in names}
    gallery = facecore.Gallery(recognizer=recognizer)
    for name in ("obama", "biden"):
        gallery.enrol(name, images / f"{name}.jpg")
    identified = {name: gallery.identify(images / name).faces for name in names}
    wrong: list[object] = []

    def ask(number: int) -> None:
        for at in range(6):
            name = names[(number + at) % len(names)]
            if recognizer.recognize(images / name).faces != expected[name]:
                wrong.append(name)
            if gallery.identify(images / name).faces != identified[name]:
                wrong.append(name)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_the_interpreter_goes_on_while_a_photo_is_worked_at(recognizer, images) -> None:
    done, counted = threading.Event(), 0
    thread = threading.Thread(target=lambda: (recognizer.recognize(images / "group_sample5.jpg"), done.set()))
    thread.start()
    while not done.is_set():
        counted += 1
    thread.join()
    assert counted > 100


def test_closing(pack_options, images) -> None:
    with facecore.Recognizer(**pack_options, runtime="rten") as made:
        assert not made.closed
    assert made.closed and repr(made) == "<Recognizer, closed>"
    with pytest.raises(facecore.InvalidArgumentError, match="recognizer was closed"):
        made.recognize(images / "obama.jpg")
    made.close()
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(made)


def test_options_are_checked(pack_options, data, monkeypatch, tmp_path) -> None:
    with pytest.raises(TypeError, match="no option 'treads'"):
        facecore.Recognizer(**pack_options, treads=2)  # type: ignore[call-arg]
    for option, value, says in [
        ("runtime", "tensorflow", "known are"),
        ("provider", "npu", "known are"),
        ("precision", "double", "known are"),
        ("flip", "yes", "none, sum or concat"),
        ("input_size", "large", "auto, native"),
        ("threads", 0, "1 to 1024"),
        ("score_threshold", 2.0, "0 to 1"),
    ]:
        with pytest.raises(facecore.InvalidArgumentError, match=says):
            facecore.Recognizer(**{"runtime": "rten", **pack_options, option: value})
    for option in ("detector_kind", "embedder_kind"):
        with pytest.raises(facecore.ModelKindUnknownError, match="known are"):
            facecore.Recognizer(**{"runtime": "rten", **pack_options, option: "dlib"})
    with pytest.raises(TypeError, match=r"Recognizer\(\) takes no threads='two'; see RecognizerOptions"):
        facecore.Recognizer(**pack_options, threads="two")
    with pytest.raises(TypeError, match="no option 'embedder'"):
        facecore.Detector(**pack_options)
    with pytest.raises(facecore.InvalidArgumentError, match="shows nothing"):
        facecore.Recognizer(**pack_options, runtime="rten", input_size=(0, 0))
    with facecore.Recognizer(**pack_options, runtime="rten", precision="fast") as made:
        assert "f32" in made.placement[1].notes[0]
    monkeypatch.delenv("FACECORE_PACK", raising=False)
    with pytest.raises(facecore.InvalidArgumentError, match="a kind can be named only for a bare file"):
        facecore.Recognizer(runtime="rten", detector_kind="yunet")
    with pytest.raises(facecore.PackInvalidError):
        facecore.Recognizer(tmp_path)
    with pytest.raises(facecore.PackInvalidError, match="is a file"):
        facecore.Recognizer(pack_options["detector"])
    with pytest.raises(facecore.ModelNotFoundError):
        facecore.Recognizer(tmp_path / "nope")
    with pytest.raises(facecore.ModelNotFoundError) as missing:
        facecore.Detector(detector=tmp_path / "none.onnx")
    assert isinstance(missing.value, FileNotFoundError)
    (tmp_path / "page.onnx").write_bytes(b"<!DOCTYPE html>")
    with pytest.raises(facecore.ModelCorruptError, match="page.onnx"):
        facecore.Detector(detector=tmp_path / "page.onnx", detector_kind="scrfd", runtime="rten")
    shutil.copy(pack_options["detector"], tmp_path / "yunet.onnx")
    (tmp_path / "pack.toml").write_text(
        f'format = 1\nname = "changed"\n[detector]\nfile = "yunet.onnx"\nkind = "yunet"\nsha256 = "{"0" * 64}"\n'
    )
    with pytest.raises(facecore.ChecksumMismatchError):
        facecore.Detector(tmp_path)
    with pytest.raises(facecore.ModelMismatchError):
        facecore.Detector(detector=data / "models/mtcnn_pnet.onnx", detector_kind="scrfd", runtime="rten")
    with pytest.raises(facecore.ProviderUnavailableError):
        facecore.Recognizer(**pack_options, runtime="rten", provider="cuda")


def test_options_reach_the_library(pack_options, images) -> None:
    crowd = images / "group_sample1.jpg"
    with facecore.Detector(**{"detector": pack_options["detector"], "runtime": "rten"}) as detector:
        everybody = detector.detect(crowd)
    assert len(everybody) > 2
    for options, count in [({"max_faces": 2}, 2), ({"score_threshold": 0.9999}, 0)]:
        with facecore.Detector(detector=pack_options["detector"], runtime="rten", **options) as detector:
            assert len(detector.detect(crowd)) == count
    with facecore.Detector(detector=pack_options["detector"], runtime="rten", input_size=(320, 320)) as detector:
        assert detector.detect(crowd) != everybody
    with facecore.Recognizer(**pack_options, runtime="rten", flip="concat", threshold=0.55) as made:
        assert made.space.dimension == 256 and made.space.threshold == pytest.approx(0.55)
        assert made.recognize_one(images / "obama.jpg").embedding.threshold == pytest.approx(0.55)


def test_the_pack_named_by_the_environment_is_the_default(pack, images, monkeypatch) -> None:
    monkeypatch.setenv("FACECORE_PACK", str(pack))
    with facecore.Recognizer(runtime="rten") as made:
        assert made.space.id == "mobilefacenet-128/arcface-112"
    assert facecore.default_recognizer() is facecore.default_recognizer()
    assert facecore.compare(images / "obama.jpg", images / "obama2.jpg")
