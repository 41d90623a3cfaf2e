"""Galleries of people."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess

import pytest

import facecore

from .conftest import ROOT, embedding


def near(base: facecore.Embedding, other: int, share: float = 0.3) -> facecore.Embedding:
    """A second photo of whom `base` shows."""
    return facecore.Embedding(base.values + share * embedding(other).values, base.space, threshold=base.threshold)


def test_three_lines(recognizer, images, tmp_path) -> None:
    gallery = facecore.Gallery(tmp_path / "office", recognizer=recognizer)
    gallery.enrol("obama", [images / "obama.jpg", facecore.Image(images / "obama2.jpg").pixels], color="rgb")
    gallery.enrol("biden", images / "biden.jpg", name="Joe", metadata={"room": 12})
    found = gallery.identify(images / "knn_obama_and_biden.jpg")
    assert [face.person for face in found] == ["obama", "biden", None]
    obama, biden, child = found
    assert obama.score > 0.5 and obama.margin > 0.3 and obama.matches[0].person == "obama"
    assert 0 < child.score < 0.4 and child.margin == 0 and not child.matches
    assert found.timings.search > 0 and (found.width, found.height) == (2000, 1428)
    assert json.loads(json.dumps(found.to_dict()))["faces"][2]["person"] is None
    assert gallery.person("biden").name == "Joe" and gallery.person("biden").metadata == {"room": 12}
    assert len(gallery) == 2 and gallery.face_count == 3 and "biden" in gallery and "nobody" not in gallery
    assert gallery.face(gallery.person("obama").faces[0]).source == str(images / "obama.jpg")
    assert gallery.face(gallery.person("obama").faces[1]).source is None


def test_nobody_is_enrolled(recognizer, images) -> None:
    (face,) = facecore.Gallery(recognizer=recognizer).identify(images / "obama.jpg")
    assert face.person is None and face.score == 0 and face.margin == 0


def test_an_enrolment_is_whole_or_not_at_all(recognizer, images) -> None:
    gallery = facecore.Gallery(recognizer=recognizer)
    photos = [images / "obama.jpg", images / "knn_obama_and_biden.jpg", b"no image"]
    with pytest.raises(facecore.SeveralFacesError) as caught:
        gallery.enrol("obama", photos)
    assert caught.value.__notes__ == ["image 1 of 3; nothing was enrolled"]
    assert len(gallery) == 0
    enrolment = gallery.enrol("obama", photos, skip_errors=True)
    assert len(enrolment.faces) == 1 and enrolment.persons == ("obama",)
    assert [type(photo.error) for photo in enrolment.failed] == [
        facecore.SeveralFacesError,
        facecore.ImageFormatError,
    ]
    assert enrolment.photos[0].source == str(images / "obama.jpg") and enrolment.photos[2].source is None
    assert gallery.enrol("nobody", [b"no image"], skip_errors=True).faces == () and "nobody" not in gallery
    assert gallery.enrol("obama", embedding(1, 128, recognizer.space.id)).faces[0] > 0


def test_what_enrolling_takes_and_remembers(recognizer, images) -> None:
    gallery = facecore.Gallery(recognizer=recognizer)
    (face,) = gallery.enrol("obama", (images / name for name in ["obama.jpg"])).faces
    assert gallery.face(face).source == str(images / "obama.jpg")
    content = (images / "biden.jpg").read_bytes()
    (face,) = gallery.enrol("biden", content, source="upload 7").faces
    assert gallery.face(face).source == "upload 7"
    with (images / "biden.jpg").open("rb") as file:
        assert gallery.enrol("joe", file).photos[0].source == str(images / "biden.jpg")
    gallery.enrol("nobody yet", [], name="N. Y.", metadata={"since": 2026})
    assert gallery.person("nobody yet").faces == () and gallery.person("nobody yet").name == "N. Y."


def test_many_pairs_with_an_outcome_each(recognizer, images) -> None:
    gallery = facecore.Gallery(recognizer=recognizer)
    pairs = [("obama", images / "obama.jpg"), ("gone", "not-there.jpg"), ("biden", images / "biden.jpg")]
    done = list(gallery.enrol_many(pairs))
    assert [photo.person for photo in done] == ["obama", "gone", "biden"]
    assert isinstance(done[1].error, facecore.IoError) and done[1].face is None
    assert [person.id for person in gallery] == ["biden", "obama"]
    outcomes = list(gallery.identify_many([images / "obama2.jpg", b""], top_k=1))
    assert outcomes[0].unwrap()[0].person == "obama" and outcomes[1].error is not None


def test_what_was_seen_before_a_bad_end_is_stored(recognizer, images) -> None:
    gallery = facecore.Gallery(recognizer=recognizer)

    def pairs():
        yield "obama", images / "obama.jpg"
        yield "biden", images / "biden.jpg"
        raise RuntimeError("the camera is gone")

    done = []
    with pytest.raises(RuntimeError, match="the camera is gone"):
        done.extend(gallery.enrol_many(pairs()))
    assert [person.id for person in gallery] == ["biden", "obama"]
    with pytest.raises(facecore.InvalidArgumentError, match="items"):
        gallery.enrol_many({"obama": images / "obama.jpg"})


@pytest.mark.skipif(os.name != "posix", reason="file names are text here")
def test_file_names_that_are_no_text(recognizer, images, tmp_path) -> None:
    (tmp_path / "people/bo").mkdir(parents=True)
    odd = os.path.join(os.fsencode(tmp_path), b"people/bo/caf\xe9.jpg")
    shutil.copy(images / "obama.jpg", odd)
    gallery = facecore.Gallery(recognizer=recognizer)
    (face,) = gallery.enrol_folder(tmp_path / "people").faces
    assert gallery.face(face).source.endswith("caf\\udce9.jpg")


def test_a_folder_of_people(recognizer, images, tmp_path) -> None:
    (tmp_path / "people/obama").mkdir(parents=True)
    for name, place in [("obama", "obama/1"), ("obama2", "obama/2"), ("biden", "biden"), ("two_people", "two")]:
        shutil.copy(images / f"{name}.jpg", tmp_path / f"people/{place}.jpg")
    gallery = facecore.Gallery(recognizer=recognizer)
    seen: list[str] = []
    enrolment = gallery.enrol_folder(tmp_path / "people", each=lambda photo: seen.append(os.path.basename(photo.source)))
    assert enrolment.persons == ("biden", "obama") and len(enrolment.faces) == 3
    assert sorted(seen) == ["1.jpg", "2.jpg", "biden.jpg", "two.jpg"]
    (failed,) = enrolment.failed
    assert failed.person == "two" and isinstance(failed.error, facecore.SeveralFacesError)
    with pytest.raises(ZeroDivisionError):
        gallery.enrol_folder(tmp_path / "people", each=lambda photo: 1 / 0)
    with pytest.raises(facecore.IoError):
        gallery.enrol_folder(tmp_path / "none")


def test_people_change_and_stay_changed(tmp_path) -> None:
    with facecore.Gallery(tmp_path / "g") as gallery:
        ada, bo = embedding(1), embedding(2)
        face = gallery.add("ada", ada, quality=0.5, source="ada.jpg", metadata={"camera": [1, "ä"]})
        assert gallery.add("ada", ada) == face, "the same face is not added twice"
        second = gallery.add("ada", near(ada, 7))
        gallery.add("bo", bo)
        gallery.set_name("ada", "Ada L.")
        gallery.set_metadata("ada", {"badge": "7", "none": None})
        gallery.set_face_metadata(second, {"x": 1.5})
        assert gallery.replace_face(second, near(ada, 8)) == second
        kept = gallery.face(face)
        assert (kept.id, kept.person, kept.quality, kept.source) == (face, "ada", 0.5, "ada.jpg")
        assert kept.embedding == ada and kept.metadata == {"camera": [1, "ä"]}
        gallery.rename("bo", "bob")
        gallery.add("bob-2", near(bo, 9))
        gallery.merge("bob-2", "bob")
        staff = gallery.namespace("staff")
        gallery.move("bob", staff)
        with pytest.raises(facecore.InvalidArgumentError):
            gallery.move("ada", facecore.Gallery())
    with facecore.Gallery(tmp_path / "g", read_only=True) as gallery:
        person = gallery.person("ada")
        assert person.name == "Ada L." and person.metadata == {"badge": "7", "none": None}
        assert person.faces == (face, second) and gallery.face(second).metadata == {"x": 1.5}
        assert gallery.namespaces() == ["people", "staff"]
        assert len(gallery.namespace("staff").person("bob").faces) == 2
        assert repr(gallery) == f"<Gallery '{tmp_path / 'g'}', people: 1>"
        with pytest.raises(facecore.GalleryReadOnlyError):
            gallery.remove("ada")
        with pytest.raises(facecore.NamespaceNotFoundError, match="staff"):
            len(gallery.namespace("visitors"))
    with pytest.raises(facecore.InvalidArgumentError, match="gallery was closed"):
        len(gallery)
    assert repr(gallery).endswith("closed>") and bool(gallery)


def test_searching() -> None:
    gallery = facecore.Gallery()
    for number in range(40):
        gallery.add(f"person-{number:02}", embedding(number))
    gallery.add("person-03", near(embedding(3), 100))
    probe = near(embedding(3), 200)
    best, *others = gallery.search(probe, threshold=-1, top_k=3)
    assert best.person == "person-03" and best.score > 0.9 and best.margin > 0.3 and len(others) == 2
    assert gallery.search(probe)[0].hits == 2 and gallery.search(probe, reach="exact")[0] == gallery.search(probe)[0]
    assert gallery.search(embedding(1000)) == []
    assert [m.person for m in gallery.search(probe, threshold=-1, among=["person-07"])] == ["person-07"]
    assert gallery.search(probe, excluding={"person-03"}) == []
    asked: list[str] = []
    assert gallery.search(probe, where=lambda person: asked.append(person) or person != "person-03") == []
    assert len(set(asked)) == 40
    assert gallery.search_many([probe, embedding(5)], reach=50)[1][0].person == "person-05"
    assert gallery.search_many([]) == []
    vote = gallery.vote(probe, 3)
    assert vote is not None and (vote.person, vote.votes, vote.voters) == ("person-03", 2, 2)
    assert gallery.vote(embedding(1000)) is None and gallery.search(probe, reach=0.001)[0].person == "person-03"
    calls: list[str] = []
    with pytest.raises(ZeroDivisionError):
        gallery.search(probe, where=lambda person: calls.append(person) or 1 / 0, threshold=-1, reach="exact")
    assert len(calls) == 1, "after an exception nobody is asked any more"
    with pytest.raises(ZeroDivisionError):
        gallery.search_many([probe] * 100, where=lambda person: 1 / 0)
    with pytest.raises(TypeError, match="no option 'treshold'"):
        gallery.identify_many([], treshold=0.5)  # type: ignore[call-arg]
    for options in (
        {"reach": "far"},
        {"reach": 2.0},
        {"threshold": float("nan")},
        {"threshold": 1.5},
        {"top_k": -1},
        {"reach": -1},
        {"among": "person-03"},
    ):
        with pytest.raises(facecore.InvalidArgumentError):
            gallery.search(probe, **options)
    with pytest.raises(facecore.EmbeddingSpaceMismatchError):
        gallery.search(embedding(3, space="another"))
    with pytest.raises(facecore.DimensionMismatchError):
        gallery.search(embedding(3, dimension=128))


def test_a_callback_may_use_the_gallery() -> None:
    gallery = facecore.Gallery()
    for number in range(10):
        gallery.add(f"p{number}", embedding(number))
        gallery.set_metadata(f"p{number}", {"on duty": number % 2 == 0})
    found = gallery.search_many(
        [embedding(number) for number in range(10)],
        where=lambda person: gallery.person(person).metadata["on duty"],
    )
    assert [bool(matches) for matches in found] == [True, False] * 5


def test_batches() -> None:
    gallery = facecore.Gallery()
    batch = facecore.Batch()
    batch.add("ada", embedding(1), quality=1, source="a", metadata={"k": 1}).add("bo", embedding(2))
    batch.rename("nobody", "somebody").set_name("ada", "Ada").set_metadata("bo", {"m": [1]})
    first, second, refused, *rest = gallery.apply(batch)
    assert len(batch) == 5 and isinstance(refused.error, facecore.PersonNotFoundError)
    assert all(done.error is None and not done.faces for done in rest)
    changes = facecore.Batch().replace_face(first.faces[0], embedding(3)).set_face_metadata(second.faces[0], {"n": 2})
    changes.merge("bo", "ada").remove_face(first.faces[0]).rename("ada", "eve")
    assert [done.error for done in gallery.apply(changes)] == [None] * 5
    assert gallery.person("eve").faces == second.faces and gallery.person("eve").metadata == {"m": [1]}
    assert gallery.face(second.faces[0]).metadata == {"n": 2}
    with pytest.raises(facecore.PersonNotFoundError, match="item 1"):
        gallery.apply(facecore.Batch().remove_person("eve").remove_person("nobody"), all_or_nothing=True)
    assert "eve" in gallery and gallery.apply(facecore.Batch()) == []


def test_metadata_is_json() -> None:
    gallery = facecore.Gallery()
    gallery.add("ada", embedding(1))
    for bad in (
        {"x": object()},
        {"x": b"bytes"},
        {"x": float("nan")},
        {"x": [{"deep": 2**64}]},
        {"x": -(2**63) - 1},
        {3: "x"},
    ):
        with pytest.raises(facecore.InvalidArgumentError):
            gallery.set_metadata("ada", bad)
    gallery.set_metadata("ada", {"x": [2**64 - 1, -(2**63), 0.1]})
    assert gallery.person("ada").metadata == {"x": [2**64 - 1, -(2**63), 0.1]}
    gallery.set_metadata("ada", {"x": 1})
    gallery.set_metadata("ada", {})
    assert gallery.person("ada").metadata == {}


def test_errors_of_people() -> None:
    gallery = facecore.Gallery()
    gallery.add("ada", embedding(1))
    gallery.add("bo", embedding(2))
    with pytest.raises(facecore.PersonNotFoundError) as missing:
        gallery.person("eve")
    assert isinstance(missing.value, KeyError) and str(missing.value) == "namespace `people` has no person `eve`"
    with pytest.raises(facecore.PersonExistsError):
        gallery.rename("ada", "bo")
    for call in (gallery.face, gallery.remove_face):
        with pytest.raises(facecore.FaceNotFoundError):
            call(999)
    for name in ("", "x" * 513):
        with pytest.raises(facecore.InvalidArgumentError):
            gallery.add(name, embedding(3))
        with pytest.raises(facecore.FaceNotFoundError):
            call(-1)
        with pytest.raises(facecore.FaceNotFoundError):
            call(2**64)
    with pytest.raises(facecore.InvalidArgumentError, match="UTF-8"):
        gallery.add("\ud800", embedding(3))
    with pytest.raises(facecore.InvalidArgumentError, match="at least votes"):
        gallery.vote(embedding(1), 0)
    for call in (gallery.person, gallery.remove, lambda person: gallery.add(person, embedding(3))):
        with pytest.raises(TypeError, match="a person's id is a str, not int"):
            call(7)
    for call in (gallery.search, gallery.vote, lambda face: gallery.add("ada", face)):
        with pytest.raises(TypeError, match="an Embedding, or a face that has one, is wanted here, not ndarray"):
            call(embedding(1).values)


def test_namespaces_are_apart() -> None:
    gallery = facecore.Gallery()
    north, south = gallery.namespace("north"), gallery.namespace("south")
    north.add("ada", embedding(1))
    south.pin(facecore.Space("other", 0.3, 128))
    assert south.space == facecore.Space("other", pytest.approx(0.3), 128) and north.space.id == "test"
    assert gallery.space is None and north.search(embedding(1)) and len(south) == 0 and repr(north) == "<Namespace 'north'>"
    with pytest.raises(facecore.EmbeddingSpaceMismatchError):
        south.add("ada", embedding(1))
    west = gallery.namespace("west")
    for read in (lambda: len(west), lambda: west.search(embedding(1)), lambda: west.remove("ada")):
        with pytest.raises(facecore.NamespaceNotFoundError, match="north"):
            read()
    assert "west" not in gallery.namespaces(), "a name that was mistyped leaves nothing behind"
    gallery.drop_namespace("north")
    with pytest.raises(facecore.NamespaceNotFoundError):
        north.search(embedding(1))
    south.clear()
    assert south.space is None and gallery.namespaces() == ["people", "south"]


@pytest.mark.parametrize("folder", [None, "g"])
def test_the_index_that_is_asked_for_serves(tmp_path, folder) -> None:
    where = folder and tmp_path / folder
    with pytest.raises(facecore.InvalidArgumentError, match="auto, flat or hnsw"):
        facecore.Gallery(where, index="tree")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with facecore.Gallery(where, index="hnsw", durability="relaxed") as gallery:
        faces = {f"p{number}": embedding(number) for number in range(2100)}
        for person, face in faces.items():
            gallery.add(person, face)
        (stats,) = gallery.stats().namespaces
        assert (stats.index, stats.index_reason) == ("flat", "asked for; no graph is there yet")
        gallery.compact()
        (stats,) = gallery.stats().namespaces
        assert (stats.index, stats.index_reason) == ("hnsw", "asked for")
        assert gallery.search(faces["p77"])[0].person == "p77"
        gallery.remove("p77")
        assert all(match.person != "p77" for match in gallery.search(faces["p77"]))
    with facecore.Gallery(where) as gallery:
        (stats,) = gallery.stats().namespaces
        assert stats.index == "flat" and (stats.faces in (0, 2099)) and "200000" in stats.index_reason


def test_looking_after_a_gallery(tmp_path) -> None:
    with facecore.Gallery(tmp_path / "g", durability="relaxed") as gallery:
        for number in range(50):
            gallery.add(f"p{number}", embedding(number))
        gallery.flush()
        gallery.remove("p7")
        assert gallery.verify() and gallery.verify().persons == 49
        (stats,) = gallery.stats().namespaces
        assert (stats.persons, stats.faces, stats.dimension) == (49, 49, 64)
        gallery.backup(tmp_path / "copy")
        exported = gallery.export_to(tmp_path / "all.jsonl")
        assert (exported.persons, exported.faces, exported.damaged) == (49, 49, ())
        assert embedding(7).values.tobytes() in (tmp_path / "g/gallery.redb").read_bytes()
        gallery.compact()
        assert all(
            embedding(7).values.tobytes() not in file.read_bytes()
            for file in (tmp_path / "g").rglob("*")
            if file.is_file()
        )
        with pytest.raises(facecore.GalleryLockedError) as locked:
            facecore.Gallery(tmp_path / "g")
        assert isinstance(locked.value, OSError)
        assert "open in this process already" in str(locked.value)
        with pytest.raises(facecore.InvalidArgumentError):
            gallery.backup(tmp_path / "copy")
        assert (tmp_path / "all.jsonl").stat().st_mode & 0o077 == 0, "for its owner alone"
        with pytest.raises(facecore.IoError):
            gallery.export_to(tmp_path / "all.jsonl")
    with facecore.Gallery(tmp_path / "copy", create=False) as copy:
        assert len(copy) == 49
    other = facecore.Gallery()
    imported = other.import_from(tmp_path / "all.jsonl")
    assert (imported.persons, imported.faces, imported.kept_ids) == (49, 49, True)
    assert other.import_from(tmp_path / "all.jsonl").duplicates == 49
    with pytest.raises(facecore.GalleryNotFoundError):
        facecore.Gallery(tmp_path / "none", create=False)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/ada.jpg").touch()
    for wrong in (
        lambda: facecore.Gallery(tmp_path / "g", durability="none"),
        lambda: facecore.Gallery(read_only=True),
        lambda: facecore.Gallery(tmp_path / "g", cache_bytes=-1),
        lambda: facecore.Gallery(""),
        lambda: facecore.Gallery(tmp_path / "photos"),
    ):
        with pytest.raises(facecore.InvalidArgumentError):
            wrong()
    assert os.listdir(tmp_path / "photos") == ["ada.jpg"]


def test_damage_is_said(tmp_path) -> None:
    with facecore.Gallery(tmp_path / "g") as gallery:
        gallery.add("ada", embedding(1))
    (tmp_path / "g/gallery.redb").write_bytes(b"no database")
    with pytest.raises(facecore.GalleryCorruptError):
        facecore.Gallery(tmp_path / "g")


@pytest.fixture(scope="module")
def command() -> pathlib.Path:
    """The command `facecore`, built by `cargo build --features cli`."""
    named = os.environ.get("FACECORE_COMMAND")
    for place in [pathlib.Path(named)] if named else [ROOT / "target/debug/facecore", ROOT / "target/release/facecore"]:
        if place.is_file():
            return place
    message = "not tested: the command facecore is not built (cargo build -p facecore --features cli)"
    if os.environ.get("FACECORE_REQUIRE_TEST_DATA") == "1":
        pytest.fail(message)
    pytest.skip(message)


def test_the_command_line_and_python_share_galleries(command, pack, recognizer, images, tmp_path) -> None:
    def run(*arguments: object) -> list[dict]:
        done = subprocess.run([command, *map(str, arguments), "--json"], capture_output=True, text=True, check=True)
        return [json.loads(line) for line in done.stdout.splitlines()]

    people = tmp_path / "people"
    people.mkdir()
    shutil.copy(images / "obama.jpg", people)
    models = ("--pack", pack, "--runtime", "rten")
    run("enrol", people, "--gallery", tmp_path / "g", *models)
    looking = facecore.Recognizer(pack, runtime="rten")
    crowd = images / "knn_obama_and_biden.jpg"
    with facecore.Gallery(tmp_path / "g", recognizer=looking) as gallery:
        assert [face.person for face in gallery.identify(crowd)] == ["obama", None, None]
        gallery.enrol("biden", images / "biden.jpg")
    (photo,) = run("identify", crowd, "--gallery", tmp_path / "g", *models)
    assert [face["matches"][0]["person"] if face["matches"] else None for face in photo["faces"]] == [
        "obama",
        "biden",
        None,
    ]
