"""`facecore.compat.insightface` beside what insightface itself answered on the same photographs and models."""

from __future__ import annotations

import copy
import json
import pathlib
import pickle
import shutil
from typing import Any

import numpy
import pytest

import facecore
from facecore.compat import UnsupportedError
from facecore.compat.insightface import Face, FaceAnalysis, _provider_names, _without_overlaps

DETECTOR, EMBEDDER = "scrfd_2.5g_bnkps.onnx", "mobilefacenet_128.onnx"


pytestmark = pytest.mark.filterwarnings("ignore::facecore.FacecoreWarning")


@pytest.fixture(scope="module")
def root(data: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """insightface's folder with one pack. Beside its models lies one that is neither."""
    folder = tmp_path_factory.mktemp("insightface")
    pack = folder / "models" / "small"
    pack.mkdir(parents=True)
    for file in (DETECTOR, EMBEDDER, "minifasnet_v2_2.7_80x80.onnx"):
        shutil.copy(data / "models" / file, pack / file)
    (pack / "1k3d68.onnx").write_bytes(b"not opened")
    return folder


@pytest.fixture(scope="module")
def app(root: pathlib.Path) -> FaceAnalysis:
    made = FaceAnalysis("small", root=root)
    made.prepare(ctx_id=0, det_thresh=0.5, det_size=(640, 640))
    return made


@pytest.fixture(scope="module")
def expected(data: pathlib.Path) -> dict[str, Any]:
    images: dict[str, Any] = json.loads((data / "golden" / "peers.json").read_text())["images"]
    return images


def bgr(path: pathlib.Path) -> Any:
    """As OpenCV reads it, but not turned."""
    return facecore.Image(path, apply_exif=False).pixels[..., ::-1]


def overlap(a: Any, b: Any) -> float:
    shared = numpy.prod(numpy.clip(numpy.minimum(a[2:], b[2:]) - numpy.maximum(a[:2], b[:2]), 0, None))
    return float(shared / (numpy.prod(a[2:] - a[:2]) + numpy.prod(b[2:] - b[:2]) - shared))


def test_answers_are_those_of_insightface(app: FaceAnalysis, expected: dict[str, Any], images: pathlib.Path) -> None:
    for name, answer in expected.items():
        faces = app.get(bgr(images / name))
        assert len(faces) == len(answer["scrfd_2_5g"]), name
        for face, theirs in zip(faces, answer["scrfd_2_5g"]):
            assert numpy.abs(face.bbox - theirs["box"]).max() < 0.5, name
            assert numpy.abs(face.kps - theirs["landmarks"]).max() < 0.5, name
            assert face.det_score == pytest.approx(theirs["score"], abs=1e-3), name
            assert face.normed_embedding @ numpy.float32(theirs["embedding"]) > 0.999, name
            assert face.embedding_norm == pytest.approx(theirs["raw_norm"], rel=0.01), name


def test_faces_have_the_types_of_insightface(app: FaceAnalysis, images: pathlib.Path) -> None:
    face = app.get(bgr(images / "obama.jpg"))[0]
    assert set(face) == {"bbox", "kps", "det_score", "embedding"}
    shapes = {name: (value.shape, value.dtype) for name, value in face.items()}
    single = numpy.dtype(numpy.float32)
    assert shapes == {
        "bbox": ((4,), single),
        "kps": ((5, 2), single),
        "det_score": ((), single),
        "embedding": ((128,), single),
    }
    assert face["bbox"] is face.bbox
    assert numpy.linalg.norm(face.normed_embedding) == pytest.approx(1.0, abs=1e-5)
    numpy.testing.assert_allclose(face.normed_embedding * face.embedding_norm, face.embedding, rtol=1e-5)
    for twin in (copy.deepcopy(face), pickle.loads(pickle.dumps(face))):
        assert isinstance(twin, Face)
        numpy.testing.assert_array_equal(twin.embedding, face.embedding)


def test_attributes_of_faces() -> None:
    face = Face(bbox=numpy.zeros(4), det_score=0.9)
    assert (face.kps, face.embedding, face.normed_embedding, face.embedding_norm) == (None, None, None, None)
    face.name = "ada"
    face["age"] = 36
    assert (face["name"], face.age) == ("ada", 36)
    for name in ("gender", "sex", "pose", "landmark_2d_106", "landmark_3d_68"):
        with pytest.raises(UnsupportedError, match=name):
            getattr(face, name)
        assert not hasattr(face, name) and face.get(name) is None
    assert issubclass(UnsupportedError, facecore.InvalidArgumentError | NotImplementedError)


def test_what_max_num_keeps(app: FaceAnalysis, images: pathlib.Path) -> None:
    photo = bgr(images / "group_sample5.jpg")
    everybody = app.get(photo)
    area = [float(numpy.prod(face.bbox[2:] - face.bbox[:2])) for face in everybody]
    (largest,) = app.get(photo, max_num=1, det_metric="max")
    numpy.testing.assert_array_equal(largest.bbox, everybody[area.index(max(area))].bbox)
    centre = numpy.array([photo.shape[1] // 2, photo.shape[0] // 2])
    weight = [a - 2 * ((f.bbox[:2] + f.bbox[2:]) / 2 - centre) @ ((f.bbox[:2] + f.bbox[2:]) / 2 - centre)
              for a, f in zip(area, everybody)]  # fmt: skip
    best = sorted(range(len(everybody)), key=lambda at: -weight[at])[:2]
    kept = app.get(photo, max_num=2)
    assert [face.bbox.tolist() for face in kept] == [everybody[at].bbox.tolist() for at in best]
    assert len(app.get(photo, max_num=100)) == len(everybody)


def test_several_sizes_are_merged(root: pathlib.Path, expected: dict[str, Any], images: pathlib.Path) -> None:
    app = FaceAnalysis("small", root=root, allowed_modules=["detection"])
    app.prepare(det_size=None)
    for name in ("group_sample1.jpg", "knn_obama_and_biden.jpg", "biden.jpg", "street_test.jpg"):
        faces = app.get(bgr(images / name))
        theirs = [numpy.array(face["box"]) for face in expected[name]["scrfd_2_5g"]]
        assert len(faces) == len(theirs), name
        assert all(max(overlap(face.bbox, box) for face in faces) > 0.8 for box in theirs), name
        assert all(a.det_score >= b.det_score for a, b in zip(faces, faces[1:]))
        assert faces[0].embedding is None


def test_of_overlapping_boxes_the_best_stay() -> None:
    boxes = numpy.array(
        [[0, 0, 9, 9, 0.6], [2, 0, 11, 9, 0.9], [20, 0, 29, 9, 0.7], [12.5, 0, 21.5, 9, 0.5], [300, 0, 309, 9, 0.1]],
        numpy.float32,
    )
    assert _without_overlaps(boxes).tolist() == [1, 2, 3, 4]
    assert _without_overlaps(boxes[:0]).tolist() == []


def test_an_image_without_faces(app: FaceAnalysis) -> None:
    blue = numpy.zeros((480, 640, 3), numpy.uint8)
    assert app.get(blue) == []
    boxes, points = app.det_model.detect(blue)
    assert boxes.shape == (0, 5) and points is not None and points.shape == (0, 5, 2)
    for wrong in (None, numpy.zeros((4, 4), numpy.uint8), numpy.zeros((4, 4, 3), numpy.float32)):
        with pytest.raises(facecore.FacecoreError):
            app.get(wrong)  # type: ignore[arg-type]


def test_models(app: FaceAnalysis, images: pathlib.Path) -> None:
    photo = bgr(images / "two_people.jpg")
    assert {task: model.taskname for task, model in app.models.items()} == {
        "detection": "detection",
        "recognition": "recognition",
    }
    recognition = app.models["recognition"]
    boxes, points = app.models["detection"].detect(photo)
    faces = app.get(photo)
    assert points is not None
    again = Face(bbox=boxes[1, :4], kps=points[1])
    assert recognition.compute_sim(recognition.get(photo, again), faces[1].embedding) > 0.9999
    crop = facecore.Aligner().align(photo, points[0], color="bgr").pixels[..., ::-1]
    assert recognition.compute_sim(recognition.get_feat(crop), faces[0].embedding) > 0.9999
    assert recognition.get_feat([crop, crop]).shape == (2, 128)
    space = app.space
    assert space is not None
    embedding = facecore.Embedding(faces[0].embedding, space.id, threshold=space.threshold)
    assert embedding.norm == pytest.approx(faces[0].embedding_norm, rel=1e-5)


def test_drawing(app: FaceAnalysis, images: pathlib.Path) -> None:
    photo = bgr(images / "obama.jpg")
    before = photo.copy()
    faces = app.get(photo)
    drawn = app.draw_on(photo, [*faces, Face(bbox=numpy.array([-50.0, -50.0, 5000.0, 20.0]))])
    numpy.testing.assert_array_equal(photo, before)
    left, top = faces[0].bbox[:2].astype(int)
    assert drawn[top, left].tolist() == [0, 0, 255]
    x, y = faces[0].kps[0].astype(int)
    assert drawn[y, x].tolist() == [0, 255, 0]
    assert (drawn != before).any(axis=2).mean() < 0.05


def test_any_file_names(root: pathlib.Path, data: pathlib.Path, tmp_path: pathlib.Path, images: pathlib.Path) -> None:
    shutil.copy(data / "models" / EMBEDDER, tmp_path / "a.onnx")
    shutil.copy(data / "models" / DETECTOR, tmp_path / "b.onnx")
    app = FaceAnalysis(tmp_path)
    assert len(app.get(bgr(images / "two_people.jpg"))) == 2
    assert app.space is not None and app.space.dimension == 128


def test_a_pack_of_facecore(pack: pathlib.Path, images: pathlib.Path) -> None:
    app = FaceAnalysis(pack)
    app.prepare(-1)
    (face,) = app.get(bgr(images / "obama.jpg"))
    assert app.space is not None and app.space.id == "mobilefacenet-128/arcface-112"
    assert face.embedding.shape == (128,)


def test_what_runs_is_said(root: pathlib.Path) -> None:
    app = FaceAnalysis("small", root, None, ["CUDAExecutionProvider", "AzureExecutionProvider", "CPUExecutionProvider"])
    assert set(app.placement) == {"detection", "recognition"}
    app.prepare(ctx_id=-1)
    assert {placement.provider for placement in app.placement.values()} == {"CPU"}


def test_names_of_providers() -> None:
    assert _provider_names(None, None) == ("auto",)
    assert _provider_names(["AzureExecutionProvider"], None) == ("cpu",)
    given = ["TensorrtExecutionProvider", ("CUDAExecutionProvider", {"device_id": 0}), "CPUExecutionProvider"]
    assert _provider_names(given, [{}, {"device_id": "0"}]) == ("tensorrt", "cuda", "cpu")
    with pytest.raises(facecore.InvalidArgumentError, match="CPUExecutionProvider"):
        _provider_names(["cpu"], None)
    with pytest.raises(UnsupportedError, match="CUDA_VISIBLE_DEVICES"):
        _provider_names([("CUDAExecutionProvider", {"device_id": 1})], None)
    with pytest.raises(UnsupportedError, match="trt_fp16_enable"):
        _provider_names(["TensorrtExecutionProvider"], [{"trt_fp16_enable": True}])


def test_what_is_not_there_is_said(root: pathlib.Path, tmp_path: pathlib.Path) -> None:
    with pytest.raises(facecore.ModelNotFoundError, match="downloads nothing"):
        FaceAnalysis("buffalo_x", root=root)
    with pytest.raises(facecore.ModelNotFoundError, match="no ONNX file"):
        FaceAnalysis(tmp_path)
    with pytest.raises(UnsupportedError, match="genderage"):
        FaceAnalysis("small", root=root, allowed_modules=["detection", "genderage"])
    with pytest.raises(facecore.InvalidArgumentError, match="detection"):
        FaceAnalysis("small", root=root, allowed_modules=["recognition"])
    with pytest.raises(UnsupportedError, match="threads="):
        FaceAnalysis("small", root=root, sess_options=object())  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="no option 'colour'"):
        FaceAnalysis("small", root=root, colour=1)  # type: ignore[call-arg]
    (tmp_path / "manifest.json").write_text('{"manifest_version": 2}')
    with pytest.raises(UnsupportedError, match="manifest.json"):
        FaceAnalysis(tmp_path)


def test_sizes(root: pathlib.Path) -> None:
    app = FaceAnalysis("small", root=root, allowed_modules=["detection"])
    for wrong in (640, (1, 2, 3), [(1, 2, 3)], [], "ab"):
        with pytest.raises(facecore.InvalidArgumentError, match="det_size"):
            app.prepare(0, 0.5, wrong)  # type: ignore[arg-type]
    app.prepare(0, 0.5, [(320, 320), (320, 320)])
    assert app.det_model.input_size == (320, 320)
