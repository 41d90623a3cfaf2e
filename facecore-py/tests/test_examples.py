"""The examples, run on real photographs."""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import nbclient
import nbformat
import numpy
import pytest
from fastapi.testclient import TestClient

import facecore

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples" / "python"
SCRIPTS = sorted(EXAMPLES.glob("*.py"))


def example(name: str, *arguments: object, pack: pathlib.Path) -> str:
    """What an example prints."""
    command = [sys.executable, str(EXAMPLES / name), *map(str, arguments)]
    environment = {**os.environ, "FACECORE_PACK": str(pack), "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(command, capture_output=True, encoding="utf-8", env=environment, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def people(images: pathlib.Path, tmp_path: pathlib.Path) -> pathlib.Path:
    """Three people; one photo of two, and one that is none."""
    folder = tmp_path / "people"
    for person, *photos in (("obama", "obama.jpg", "obama2.jpg", "two_people.jpg"), ("biden", "biden.jpg")):
        (folder / person).mkdir(parents=True)
        for photo in photos:
            shutil.copy(images / photo, folder / person)
    shutil.copy(images / "lin-manuel-miranda.png", folder)
    (folder / "biden" / "broken.jpg").write_bytes(b"no image")
    return folder


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_help(script: pathlib.Path, tmp_path: pathlib.Path) -> None:
    assert script.name in example(script.name, "--help", pack=tmp_path)


def test_a_failure_is_one_line(tmp_path: pathlib.Path) -> None:
    command = [sys.executable, str(EXAMPLES / "enrol_folder.py"), "people", "--gallery", "office", "--pack", "nowhere"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=120)
    assert done.returncode == 1
    assert done.stderr.startswith("error: there is no pack nowhere") and done.stderr.count("\n") == 1


def test_enrol_folder_then_webcam(
    people: pathlib.Path, images: pathlib.Path, pack: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    office = tmp_path / "office"
    said = example("enrol_folder.py", people, "--gallery", office, pack=pack)
    assert "obama  2 photos" in said and "biden  1 photo\n" in said and "lin-manuel-miranda  1 photo\n" in said
    assert re.search(r"skipped: .*broken\.jpg: these bytes are no image", said)
    assert re.search(r"skipped: .*two_people\.jpg: 2 faces where one is expected", said)
    assert "enrolled 3 people, 4 faces; skipped 2 photos" in said

    with facecore.Gallery(office, read_only=True) as gallery:
        assert [person.id for person in gallery] == ["biden", "lin-manuel-miranda", "obama"]

    frames = tmp_path / "frames"
    clip = images / "short_clip.mp4"
    said = example("webcam.py", clip, "--gallery", office, "--out", frames, "--every", 10, pack=pack)
    looked = {int(line.split()[0]): line.split("ms  ")[1] for line in said.splitlines()}
    assert list(looked) == list(range(0, 275, 10))
    assert [path.name for path in sorted(frames.iterdir())] == [f"{number:06}.jpg" for number in looked]
    assert looked[60] == "nobody"
    # He speaks for four seconds of the clip; others look on.
    assert all(looked[number] == "lin-manuel-miranda" for number in range(100, 220, 10))
    assert sum("lin" in names for names in looked.values()) < 16


def test_precompute(people: pathlib.Path, images: pathlib.Path, pack: pathlib.Path, tmp_path: pathlib.Path) -> None:
    file = tmp_path / "faces.npz"
    shutil.copy(images / "knn_obama_and_biden.jpg", people)
    assert "7 photos, 7 to look at" in example("precompute.py", people, file, pack=pack)

    with numpy.load(file) as stored:
        paths, errors, photo, embeddings = (stored[name] for name in ("paths", "errors", "photo", "embeddings"))
        assert {path for path, error in zip(paths, errors) if error} == {"biden/broken.jpg"}
        faces_of = dict(zip(paths, numpy.bincount(photo, minlength=len(paths))))
        assert faces_of["knn_obama_and_biden.jpg"] == 3 and faces_of["biden/broken.jpg"] == 0
        assert stored["boxes"].shape == (len(photo), 4) and stored["scores"].shape == (len(photo),)
        of = {path: embeddings[photo == row] for row, path in enumerate(paths)}
        likeness = of["knn_obama_and_biden.jpg"] @ of["biden/biden.jpg"][0]
        assert sorted(likeness > stored["threshold"]) == [False, False, True]
        before = of["obama/obama.jpg"]

    # Again, with one photo gone, one changed and the others as they were.
    (people / "biden" / "broken.jpg").unlink()
    os.utime(people / "obama" / "obama2.jpg", ns=(1, 1))
    assert "6 photos, 1 to look at" in example("precompute.py", people, file, pack=pack)
    with numpy.load(file) as stored:
        assert len(stored["paths"]) == 6 and not any(stored["errors"])
        after = stored["embeddings"][stored["photo"] == list(stored["paths"]).index("obama/obama.jpg")]
    assert numpy.array_equal(before, after)
    assert "6 photos, 0 to look at" in example("precompute.py", people, file, pack=pack)


@pytest.fixture
def client(pack: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.syspath_prepend(EXAMPLES)
    import service

    recognizer = facecore.Recognizer(pack, many_photos=True, runtime="rten")
    with recognizer, facecore.Gallery(tmp_path / "office", recognizer=recognizer) as gallery:
        with TestClient(service.make_app(gallery, max_bytes=1 << 20)) as client:
            yield client


def test_service(client: TestClient, images: pathlib.Path) -> None:
    def post(url: str, **photos: str | bytes) -> Any:
        files = {
            name: photo if isinstance(photo, bytes) else (images / photo).read_bytes() for name, photo in photos.items()
        }
        return client.post(url, files=files)

    assert client.get("/health").json()["people"] == 0
    assert client.get("/people").json() == []

    added = post("/people/obama/photos?name=Barack", photo="obama.jpg")
    assert added.status_code == 201 and added.json()["person"] == "obama"
    assert post("/people/biden/photos", photo="biden.jpg").status_code == 201
    assert [(person["id"], person["name"], len(person["faces"])) for person in client.get("/people").json()] == [
        ("biden", None, 1),
        ("obama", "Barack", 1),
    ]

    found = post("/identify", photo="knn_obama_and_biden.jpg")
    assert found.status_code == 200
    named = {face["person"]: face for face in found.json()["faces"]}
    assert set(named) == {"obama", "biden", None}
    assert named["biden"]["box"][0] < named["obama"]["box"][0] < named[None]["box"][0]
    assert "embedding" not in named["obama"]

    same = post("/compare", first="biden.jpg", second="train_biden_biden2.jpg")
    assert same.status_code == 200 and same.json()["same_person"] is True
    other = post("/compare", first="biden.jpg", second="obama.jpg")
    assert other.status_code == 200 and other.json()["same_person"] is False

    for photo, status, kind in (
        ("two_people.jpg", 422, facecore.SeveralFacesError),
        (b"no image", 415, facecore.ImageFormatError),
        ((images / "biden.jpg").read_bytes()[:20000], 422, facecore.ImageCorruptError),
    ):
        refused = post("/people/biden/photos", photo=photo)
        said = refused.json()
        assert (refused.status_code, said["code"], said["kind"]) == (status, kind.code, kind.__name__)
    assert post("/identify", photo=bytes(2 << 20)).status_code == 413
    assert post("/identify").status_code == 422

    assert client.delete("/people/biden").status_code == 204
    assert client.delete("/people/biden").status_code == 404
    assert client.get("/health").json()["people"] == 1
    unknown = post("/identify", photo="biden.jpg").json()["faces"]
    assert [face["person"] for face in unknown] == [None]


def test_service_under_load(client: TestClient, images: pathlib.Path) -> None:
    """Requests at the same time, some of which change the gallery."""
    photo = (images / "obama.jpg").read_bytes()
    assert client.post("/people/obama/photos", files={"photo": photo}).status_code == 201

    def request(number: int) -> int:
        if number % 4 == 0:
            return int(client.post(f"/people/visitor-{number}/photos", files={"photo": photo}).status_code)
        return int(client.post("/identify", files={"photo": photo}).status_code)

    with ThreadPoolExecutor(8) as threads:
        statuses = list(threads.map(request, range(24)))
    assert statuses == [201 if number % 4 == 0 else 200 for number in range(24)]
    assert client.get("/health").json()["people"] == 7


def test_notebook(data: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notebook = nbformat.read(EXAMPLES / "recognition.ipynb", as_version=4)  # type: ignore[no-untyped-call]
    assert not any(cell.get("outputs") for cell in notebook.cells), "the notebook is kept without outputs"

    monkeypatch.setenv("FACECORE_TEST_DATA", str(data))
    nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(EXAMPLES)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    said = "".join(output["text"] for output in outputs if output.output_type == "stream")
    assert [line.split()[0] for line in said.splitlines() if "margin" in line or "unknown" in line] == [
        "obama",
        "biden",
        "unknown",
    ]

    def percent(what: str) -> float:
        found = re.search(rf"{what} +([\d.]+)%", said)
        assert found, said
        return float(found[1])

    assert percent("accuracy") > 96
    assert percent("mates recognised") > 93
    assert percent("impostors accepted") < 0.5
    assert percent("equal error rate") < 1.5
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 3
