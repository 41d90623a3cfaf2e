"""The pack that comes with facecore, and what packs say of themselves."""

from __future__ import annotations

import json
import pathlib
import pickle
import warnings
from collections.abc import Callable
from typing import Any

import numpy
import PIL.Image
import pytest

import facecore
from facecore.compat import face_recognition
from facecore.compat.insightface import FaceAnalysis

pytestmark = pytest.mark.filterwarnings("ignore::facecore.FacecoreWarning")

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "facecore" / "models" / "lite"


@pytest.fixture(autouse=True)
def nothing_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FACECORE_PACK", raising=False)


def test_it_is_there_without_a_file() -> None:
    with (
        facecore.Recognizer(runtime="rten") as recognizer,
        facecore.Detector(runtime="rten") as detector,
        facecore.Embedder(runtime="rten") as embedder,
    ):
        pack = recognizer.pack
        assert pack is not None and pack.built_in and pack.folder is None
        assert detector.pack == embedder.pack == pack == facecore.read_pack()
        blank = numpy.full((112, 112, 3), 127, numpy.uint8)
        (embedding,) = embedder.embed([blank], color="rgb")
        assert embedding.space == recognizer.space.id and len(embedding) == recognizer.space.dimension
        assert len(recognizer.recognize(PIL.Image.new("RGB", (320, 240), "skyblue"))) == 0


def test_its_licence_is_told() -> None:
    pack = facecore.read_pack()
    assert "research" in pack.licence and "evaluation" in pack.licence
    assert pack.detector is not None and pack.embedder is not None
    assert 0 < pack.detector.bytes < pack.embedder.bytes and len(pack.embedder.sha256 or "") == 64
    report = facecore.doctor()
    assert report.pack == pack and report.pack_missing is None
    told = str(report)
    for word in (pack.name, pack.licence, "built in", pack.detector.file, pack.embedder.sha256):
        assert str(word) in told
    assert json.loads(json.dumps(report.to_dict()))["pack"]["licence"] == pack.licence
    assert repr(pack).startswith("Pack(name=")


def made_with(make: Callable[[], Any]) -> list[str]:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        make().close()
    assert all(warning.filename == __file__ for warning in said), "warnings point at the caller"
    return [str(warning.message) for warning in said if warning.category is facecore.FacecoreWarning]


def test_a_default_that_nobody_chose_tells_its_licence(monkeypatch: pytest.MonkeyPatch) -> None:
    pack = facecore.read_pack()
    for make in (facecore.Recognizer, facecore.Detector, facecore.Embedder):
        (said,) = made_with(lambda: make(runtime="rten"))
        assert f"{pack.name} {pack.version} ({pack.licence})" in said and "facecore.LITE" in said
        assert made_with(lambda: make(facecore.LITE, runtime="rten")) == []
        assert made_with(lambda: make(FOLDER, runtime="rten")) == []
    monkeypatch.setenv("FACECORE_PACK", str(FOLDER))
    assert made_with(lambda: facecore.Recognizer(runtime="rten")) == []
    with facecore.Recognizer(facecore.LITE, runtime="rten") as recognizer:
        assert recognizer.pack is not None and recognizer.pack.built_in, "whatever the environment says"
    assert facecore.read_pack(facecore.LITE).built_in and not facecore.read_pack().built_in
    assert repr(facecore.LITE) == "facecore.LITE" and pickle.loads(pickle.dumps(facecore.LITE)) is facecore.LITE


def test_every_pack_tells_its_licence(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built_in = facecore.read_pack()
    same = facecore.read_pack(FOLDER)
    assert same.folder == FOLDER and not same.built_in and same.embedder == built_in.embedder
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/a.onnx").write_bytes((FOLDER / "detector.onnx").read_bytes())
    (tmp_path / "mine/pack.toml").write_text(
        'format = 1\nname = "mine"\nversion = "2"\nlicence = "MIT"\n'
        '[detector]\nfile = "a.onnx"\nkind = "yunet"\nlicence = "CC0"\n'
    )
    mine = facecore.read_pack(tmp_path / "mine")
    assert (mine.name, mine.version, mine.licence, mine.embedder) == ("mine", "2", "MIT", None)
    assert mine.detector is not None and (mine.detector.licence, mine.detector.sha256) == ("CC0", None)
    assert "licence: CC0" in str(mine)
    monkeypatch.setenv("FACECORE_PACK", str(tmp_path / "mine"))
    assert facecore.read_pack() == mine == facecore.doctor().pack
    # A pack that was named is not completed by another.
    with pytest.raises(facecore.InvalidArgumentError, match="no embedder was named"):
        facecore.Recognizer(runtime="rten")
    monkeypatch.setenv("FACECORE_PACK", str(tmp_path / "none"))
    report = facecore.doctor()
    assert report.pack is None and "none" in str(report.pack_missing)
    with pytest.raises(facecore.ModelNotFoundError):
        facecore.Recognizer(runtime="rten")


def test_people_are_recognised_with_nothing_named(images: pathlib.Path, tmp_path: pathlib.Path) -> None:
    with facecore.Gallery(tmp_path / "office") as gallery:
        gallery.enrol("obama", images / "obama.jpg")
        gallery.enrol("biden", images / "biden.jpg")
        photos = [images / name for name in ("obama2.jpg", "train_biden_biden2.jpg", "train_rose_leslie_img1.jpg")]
        assert [gallery.identify(photo)[0].person for photo in photos] == ["obama", "biden", None]
    assert facecore.compare(photos[0], images / "obama.jpg")


def test_a_gallery_of_other_models_says_so(images: pathlib.Path, pack: pathlib.Path, tmp_path: pathlib.Path) -> None:
    with (
        facecore.Recognizer(pack, runtime="rten") as recognizer,
        facecore.Gallery(tmp_path / "office", recognizer=recognizer) as gallery,
    ):
        gallery.enrol("obama", images / "obama.jpg")
    with facecore.Gallery(tmp_path / "office") as gallery:
        with pytest.raises(facecore.EmbeddingSpaceMismatchError, match="use the models they were made with"):
            gallery.identify(images / "obama2.jpg")


def test_it_completes_what_files_leave_out(pack_options: dict[str, Any], images: pathlib.Path) -> None:
    built_in = facecore.read_pack()
    with facecore.Recognizer(detector=pack_options["detector"], runtime="rten") as half:
        assert half.pack == built_in and len(half.recognize(images / "obama.jpg")) == 1
    with facecore.Recognizer(**pack_options, runtime="rten") as files:
        assert files.pack is None
    with facecore.Detector(detector=pack_options["detector"], runtime="rten") as detector:
        assert detector.pack is None


def test_other_packages_functions_need_nothing_either(images: pathlib.Path) -> None:
    (known,) = face_recognition.face_encodings(face_recognition.load_image_file(images / "obama.jpg"))
    (same,) = face_recognition.face_encodings(face_recognition.load_image_file(images / "obama2.jpg"))
    (other,) = face_recognition.face_encodings(face_recognition.load_image_file(images / "biden.jpg"))
    assert face_recognition.compare_faces([same, other], known) == [True, False]
    app = FaceAnalysis(None, runtime="rten")
    photo = facecore.Image(images / "obama.jpg").pixels[..., ::-1]
    (face,) = app.get(photo)
    assert app.space is not None and len(face.embedding) == app.space.dimension
