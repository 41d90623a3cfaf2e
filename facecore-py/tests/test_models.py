"""Packs by name: installed from folders and servers on this machine, with generated lies."""

from __future__ import annotations

import http.server
import pathlib
import shutil
import threading
import zipfile
from collections.abc import Iterator

import pytest

import facecore
from facecore import models

from .conftest import ROOT

LITE = ROOT / "facecore/models/lite"


@pytest.fixture(autouse=True)
def cache(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """An empty cache, which is the user's."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("FACECORE_CACHE", str(folder))
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture
def own(tmp_path: pathlib.Path) -> pathlib.Path:
    """A folder with a pack of one's own, which allows any use."""
    folder = tmp_path / "mine"
    shutil.copytree(LITE, folder)
    manifest = (LITE / "pack.toml").read_text()
    manifest = manifest.replace('name = "facecore-lite"', 'name = "office"').replace("research-only", "permissive")
    (folder / "pack.toml").write_text(manifest)
    return folder


@pytest.fixture
def server(tmp_path: pathlib.Path) -> Iterator[str]:
    """A web server with the files of a folder."""
    folder = tmp_path / "served"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(folder))  # type: ignore[arg-type]

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{serving.server_address[1]}"
        serving.shutdown()


def test_the_list_has_what_is_known() -> None:
    listed = models.list()
    assert [pack.name for pack in listed] == ["lite", "opencv", "buffalo_l", "buffalo_s", "buffalo_sc", "antelopev2"]
    assert listed[0].state == "embedded" and listed[1].state == "available"
    detector = listed[1].files[0]
    assert (detector.part, detector.bytes, detector.checksum) == ("detector", 232589, "pinned")
    assert listed[2].files[0].sha256 is None and listed[2].licence_class == "research-only"
    assert listed[1].to_dict()["files"][0]["name"] == "face_detection_yunet_2023mar.onnx"


def test_a_pack_is_imported_opened_verified_and_removed(own: pathlib.Path, cache: pathlib.Path) -> None:
    found = models.find_in(own)
    assert (found.name, found.licence_class) == ("office", "permissive")
    with pytest.raises(facecore.LicenceRefusedError, match="accept_licence"):
        models.import_(own)
    assert not (cache / "packs/office").exists()

    heard: list[tuple[str, str]] = []

    def hear(stage: models.Stage, file: str, done: int, total: int | None) -> None:
        assert total is None or done <= total
        heard.append((stage, file))

    pack = models.import_(own, accept_licence=True, progress=hear)
    assert {stage for stage, _ in heard} == {"unpacking", "testing"}
    assert pack.folder == cache / "packs/office" and pack.files[0].checksum == "declared"
    with facecore.Recognizer("office", runtime="rten", pack_policy="commercial") as recognizer:
        assert recognizer.pack is not None and recognizer.pack.folder == pack.folder
    assert facecore.read_pack("office").name == "office"
    assert models.verify("office") == pack
    with pytest.raises(facecore.LicenceRefusedError):
        facecore.Recognizer(facecore.LITE, runtime="rten", pack_policy="commercial")

    (pack.folder / "detector.onnx").write_bytes(b"changed")
    assert next(each for each in models.list() if each.name == "office").state == "damaged"
    with pytest.raises(facecore.ChecksumMismatchError):
        models.verify("office")
    assert models.remove("office") > 1_000_000
    with pytest.raises(facecore.ModelNotFoundError):
        models.remove("office")


def test_an_archive_of_another_maker_is_taken(own: pathlib.Path, tmp_path: pathlib.Path) -> None:
    with zipfile.ZipFile(tmp_path / "mine.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for file in own.iterdir():
            archive.write(file, f"mine/{file.name}")
    assert models.import_(tmp_path / "mine.zip", "office-2", accept_licence=True).name == "office-2"
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr("../evil", b"x")
    with pytest.raises(facecore.ArchiveInvalidError, match="leads out"):
        models.import_(tmp_path / "evil.zip", accept_licence=True)


def test_a_callback_stops_the_work(own: pathlib.Path, cache: pathlib.Path) -> None:
    with pytest.raises(facecore.CancelledError):
        models.import_(own, accept_licence=True, progress=lambda *_: False)

    def fails(*_: object) -> None:
        raise KeyError("of the callback's own")

    with pytest.raises(KeyError, match="of the callback's own"):
        models.import_(own, accept_licence=True, progress=fails)
    assert not (cache / "packs/office").exists()


def test_what_is_not_installed_is_told_with_the_command() -> None:
    with pytest.raises(facecore.ModelNotFoundError, match="facecore models pull buffalo_l"):
        facecore.Recognizer("buffalo_l", runtime="rten")
    with pytest.raises(facecore.ModelNotFoundError, match="known are lite, opencv"):
        facecore.Recognizer("bufalo", runtime="rten")
    with pytest.raises(facecore.InvalidArgumentError, match="no policy"):
        facecore.Recognizer(facecore.LITE, runtime="rten", pack_policy="strict")  # type: ignore[arg-type]


def test_downloads_tell_what_went_wrong(server: str, tmp_path: pathlib.Path, cache: pathlib.Path) -> None:
    with pytest.raises(facecore.LicenceRefusedError):
        models.pull("opencv", mirrors=[server], mirrors_only=True)
    with pytest.raises(facecore.LicenceRefusedError, match="commercial use"):
        models.pull("buffalo_l", accept_licence=True, policy="commercial", mirrors=[server], mirrors_only=True)
    with pytest.raises(facecore.DownloadFailedError, match="HTTP status 404"):
        models.pull("buffalo_sc", accept_licence=True, mirrors=[server], mirrors_only=True)
    (tmp_path / "served/face_detection_yunet_2023mar.onnx").write_bytes(bytes(232589))
    with pytest.raises(facecore.ChecksumMismatchError, match="another file"):
        models.pull("opencv", accept_licence=True, mirrors=[server], mirrors_only=True)
    (tmp_path / "served/buffalo_sc.zip").write_bytes(b"<html>")
    with pytest.raises(facecore.ArchiveInvalidError):
        models.pull("buffalo_sc", accept_licence=True, mirrors=[server], mirrors_only=True)
    with pytest.raises(facecore.InvalidArgumentError, match="only https"):
        models.pull("buffalo_sc", accept_licence=True, mirrors=["http://models.example.org"], mirrors_only=True)
    assert [file for file in cache.rglob("*") if file.is_file() and file.parent.name != ".locks"] == []
