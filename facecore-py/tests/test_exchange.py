"""Galleries as files: JSON Lines, NumPy's archives, tables of people."""

from __future__ import annotations

import csv
import json
import pathlib
import zipfile

import numpy
import pytest

import facecore

from .conftest import embedding

SPACE = facecore.Space("test", 0.4, 64)


def crowd() -> facecore.Gallery:
    """People with everything that can be stored."""
    gallery = facecore.Gallery()
    for number in range(60):
        person = f"Ωμέγα {number % 17}\n, \"quoted\""
        metadata = {"n": [number, None, {"é": 0.1}]} if number % 3 else None
        quality = number / 7 if number % 2 else None
        gallery.add(person, embedding(number), quality=quality, source=f"{number}.jpg", metadata=metadata)
        gallery.set_name(person, "=1+1; Åsa 😀")
        gallery.set_metadata(person, {"floor": number % 17})
    guests = gallery.namespace("Gäste, \"VIP\"")
    guests.add("x" * 500, embedding(7))
    return gallery


def everything(gallery: facecore.Gallery) -> list[object]:
    spaces = [gallery.namespace(name) for name in gallery.namespaces()]
    return [
        (space.name, person, [(space.face(face), space.face(face).embedding.values.tobytes()) for face in person.faces])
        for space in spaces
        for person in space
    ]


@pytest.mark.parametrize("name", ["all.jsonl", "all.npz"])
def test_a_restored_gallery_is_the_same_to_the_bit(tmp_path: pathlib.Path, name: str) -> None:
    gallery, other = crowd(), facecore.Gallery()
    steps: list[facecore.Progress] = []
    exported = gallery.export_to(tmp_path / name, progress=steps.append)
    assert (exported.persons, exported.faces, exported.damaged) == (18, 61, ())
    assert [steps[0].step, steps[-1].done] == ["writing", steps[-1].total]
    steps.clear()
    imported = other.import_from(tmp_path / name, progress=steps.append)
    assert (imported.persons, imported.faces, imported.kept_ids, imported.failed) == (18, 61, True, ())
    assert everything(other) == everything(gallery)
    assert (steps[0].step, steps[-1].step, steps[-1].done) == ("reading", "storing", 18 + 61)
    assert all((file.stat().st_mode & 0o077) == 0 for file in tmp_path.iterdir())


def test_numpy_reads_what_was_exported(tmp_path: pathlib.Path) -> None:
    gallery = crowd()
    gallery.export_to(tmp_path / "all.npz")
    with numpy.load(tmp_path / "all.npz", allow_pickle=False) as arrays:
        assert sorted(arrays) == ["embeddings", "face_ids", "namespaces", "persons"]
        vectors, ids = arrays["embeddings"], arrays["face_ids"]
        assert (vectors.dtype, vectors.shape, ids.dtype) == (numpy.float32, (61, 64), numpy.int64)
        lines = [json.loads(line) for line in (tmp_path / "all.jsonl").read_text().splitlines()]
        faces = [line for line in lines if "face" in line]
        assert [line["row"] for line in faces] == list(range(61))
        for row, line in enumerate(faces):
            assert (line["face"], line["person"]) == (ids[row], arrays["persons"][row])
            assert line["namespace"] == arrays["namespaces"][row]
            face = gallery.namespace(line["namespace"]).face(int(ids[row]))
            assert vectors[row].tobytes() == face.embedding.values.tobytes()


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8", "<f2"])
@pytest.mark.parametrize("save", [numpy.savez, numpy.savez_compressed])
def test_what_numpy_writes_is_read(tmp_path: pathlib.Path, dtype: str, save: object) -> None:
    vectors = (numpy.random.default_rng(3).normal(size=(20, 64)) * 3).astype(dtype)
    names = ["ada", "bo", "Ωμέγα", "😀"] * 5
    save(tmp_path / "hand.npz", embeddings=vectors, persons=names, more=numpy.arange(3))  # type: ignore[operator]
    gallery = facecore.Gallery()
    imported = gallery.import_from(tmp_path / "hand.npz", namespace="staff", space=SPACE)
    staff = gallery.namespace("staff")
    assert (imported.persons, imported.faces, imported.kept_ids) == (4, 20, False)
    for name in set(names):
        rows = [row for row, other in enumerate(names) if other == name]
        for row, face in zip(rows, staff.person(name).faces, strict=True):
            expected = vectors[row].astype(numpy.float64) / numpy.linalg.norm(vectors[row].astype(numpy.float64))
            numpy.testing.assert_allclose(staff.face(face).embedding.values, expected, atol=1e-6)
    assert gallery.import_from(tmp_path / "hand.npz", namespace="staff", space=SPACE).duplicates == 20
    with pytest.raises(facecore.InvalidArgumentError, match="embedding space"):
        gallery.import_from(tmp_path / "hand.npz")
    with pytest.raises(facecore.DimensionMismatchError, match="where 128 are wanted"):
        gallery.import_from(tmp_path / "hand.npz", space=facecore.Space("test", 0.4, 128))


def test_what_is_not_read_says_what_to_do(tmp_path: pathlib.Path) -> None:
    vectors, names = numpy.eye(64, dtype=numpy.float32)[:3], ["ada", "bo", "cy"]
    ones = numpy.asfortranarray(vectors)
    for arrays, remedy in [
        ({"embeddings": ones, "persons": names}, "ascontiguousarray"),
        ({"embeddings": vectors, "persons": numpy.array(names, object)}, r"asarray\(list, str\)"),
        ({"embeddings": vectors.astype(numpy.int32), "persons": names}, "save it as float32"),
        ({"embeddings": vectors, "persons": names[:2]}, "3 rows, and `persons` 2"),
        ({"vectors": vectors, "persons": names}, r"numpy.savez\(file, embeddings=...\)"),
        ({"embeddings": vectors[0], "persons": names}, "reshape"),
    ]:
        numpy.savez(tmp_path / "bad.npz", **arrays)  # type: ignore[arg-type]
        gallery = facecore.Gallery()
        with pytest.raises(facecore.InvalidArgumentError, match=remedy):
            gallery.import_from(tmp_path / "bad.npz", space=SPACE, skip_errors=True)
        assert len(gallery) == 0


def test_bad_rows_are_told_of_and_the_others_imported(tmp_path: pathlib.Path) -> None:
    vectors = numpy.eye(64, dtype=numpy.float32)[:4]
    vectors[1, 1], vectors[2] = numpy.nan, 0
    numpy.savez(tmp_path / "some.npz", embeddings=vectors, persons=["ada", "bo", "cy", ""])
    gallery = facecore.Gallery()
    with pytest.raises(facecore.InvalidEmbeddingError, match="row 1: value 1 of the embedding is NaN"):
        gallery.import_from(tmp_path / "some.npz", space=SPACE)
    assert len(gallery) == 0
    imported = gallery.import_from(tmp_path / "some.npz", space=SPACE, skip_errors=True)
    assert (imported.persons, imported.faces) == (1, 1)
    assert [(item.at, item.person, type(item.error).__name__) for item in imported.failed] == [
        (1, "bo", "InvalidEmbeddingError"),
        (2, "cy", "InvalidEmbeddingError"),
        (3, "", "InvalidArgumentError"),
    ]
    assert imported.to_dict()["failed"][0]["error"]["code"] == 102


def test_damaged_archives_are_refused(tmp_path: pathlib.Path) -> None:
    gallery = crowd()
    gallery.export_to(tmp_path / "all.npz")
    good = (tmp_path / "all.npz").read_bytes()
    for cut in (0, 10, len(good) // 2, len(good) - 1):
        (tmp_path / "all.npz").write_bytes(good[:cut])
        with pytest.raises(facecore.GalleryCorruptError):
            facecore.Gallery().import_from(tmp_path / "all.npz")
    bomb = tmp_path / "bomb.npz"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("embeddings.npy", "w") as array:
        head = {"descr": "<f4", "fortran_order": False, "shape": (1 << 19, 64)}
        numpy.lib.format.write_array_header_1_0(array, head)
        for _ in range(128):
            array.write(bytes(1 << 20))
    with pytest.raises(facecore.GalleryCorruptError, match="do not pack"):
        facecore.Gallery().import_from(bomb, space=SPACE)


def test_what_progress_raises_ends_it(tmp_path: pathlib.Path) -> None:
    class Enough(Exception):
        pass

    def stop(progress: facecore.Progress) -> None:
        if progress.step in wanted:
            raise Enough(progress.step)

    gallery, other = crowd(), facecore.Gallery()
    wanted = {"writing"}
    with pytest.raises(Enough):
        gallery.export_to(tmp_path / "all.npz", progress=stop)
    assert not list(tmp_path.iterdir())
    gallery.export_to(tmp_path / "all.npz")
    for step in ("reading", "storing"):
        wanted = {step}
        with pytest.raises(Enough, match=step):
            other.import_from(tmp_path / "all.npz", progress=stop)
        assert len(other) == 0


def test_one_namespace_and_other_formats(tmp_path: pathlib.Path) -> None:
    gallery = crowd()
    exported = gallery.export_to(tmp_path / "people.txt", format="csv", namespace="people")
    assert (exported.persons, exported.faces) == (17, 0)
    with pytest.raises(facecore.NamespaceNotFoundError):
        gallery.export_to(tmp_path / "none", namespace="none")
    with pytest.raises(facecore.InvalidArgumentError, match="jsonl, npz or csv"):
        gallery.export_to(tmp_path / "none", format="xml")  # type: ignore[arg-type]
    assert not (tmp_path / "none").exists()


def test_people_as_a_table(tmp_path: pathlib.Path) -> None:
    gallery, other = crowd(), facecore.Gallery()
    gallery.export_to(tmp_path / "people.csv")
    with open(tmp_path / "people.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert rows[0].keys() == {"namespace", "person", "name", "faces", "metadata"}
    assert {row["person"]: int(row["faces"]) for row in rows if row["namespace"] == "people"} == {
        person.id: len(person.faces) for person in gallery
    }
    assert other.import_from(tmp_path / "people.csv").persons == 18
    assert [(it.id, it.name, it.metadata) for it in other] == [(it.id, it.name, it.metadata) for it in gallery]

    # Made by hand, with what is wrong in it.
    with open(tmp_path / "staff.csv", "w", newline="", encoding="utf-8-sig") as file:
        csv.writer(file).writerows([["id", "name", "floor"], ["ada", "Ada L.", "2"], ["", "x", ""], ["bo", "", ""]])
    imported = gallery.import_from(tmp_path / "staff.csv", namespace="staff", skip_errors=True)
    assert (imported.persons, [(item.at, item.person) for item in imported.failed]) == (2, [(3, None)])
    ada = gallery.namespace("staff").person("ada")
    assert (ada.name, ada.metadata) == ("Ada L.", {"floor": "2"})


def test_photos_that_a_table_lists_are_enrolled(
    images: pathlib.Path, recognizer: facecore.Recognizer, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/obama.jpg").write_bytes((images / "obama.jpg").read_bytes())
    with open(tmp_path / "people.csv", "w", newline="") as file:
        csv.writer(file).writerows([
            ["person", "name", "photo", "role"],
            ["obama", "Barack Obama", "photos/obama.jpg", "president"],
            ["obama", "", str(images / "obama2.jpg"), ""],
            ["biden", "Joe Biden", "photos/none.jpg", ""],
            ["nobody", "", "", ""],
        ])
    gallery = facecore.Gallery(recognizer=recognizer)
    done: list[facecore.EnrolledPhoto] = []
    enrolment = gallery.enrol_csv(tmp_path / "people.csv", each=done.append)
    assert (enrolment.persons, len(enrolment.faces), len(done)) == (("obama",), 2, 3)
    assert [(photo.person, type(photo.error).__name__) for photo in enrolment.failed] == [
        ("biden", "FileMissingError"),
        ("nobody", "InvalidArgumentError"),
    ]
    (obama,) = gallery
    assert (obama.name, obama.metadata) == ("Barack Obama", {"role": "president"})
