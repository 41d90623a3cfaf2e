"""People who are compared with each other."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, TypeAlias, TypedDict, Unpack

from . import _many, _native
from ._batch import Batch, Metadata, embedding_of, json_of, metadata_of, person_id
from ._default import default_recognizer
from ._errors import (
    DimensionMismatchError,
    FaceNotFoundError,
    FacecoreError,
    InvalidArgumentError,
    InvalidEmbeddingError,
)
from ._images import Color, ImageLike
from ._models import Recognizer
from ._native import Embedding
from ._packs import StrPath
from ._pickles import read_pickle
from ._results import (
    Choice,
    Done,
    EnrolledFace,
    EnrolledPhoto,
    Enrolment,
    Identification,
    IdentifiedFace,
    Match,
    Outcome,
    Person,
    PickledFace,
    Recognition,
    RecognizedFace,
    Space,
    Timings,
    Vote,
)

Reach: TypeAlias = Literal["auto", "exact"] | int | float
"""How far a search looks, see `SearchOptions`."""


class SearchOptions(TypedDict, total=False):
    """Whom a search considers, and how far it looks.

    top_k: At most so many people; 10 by default.
    threshold: The cosine from which on a person matches, -1 (everybody) to 1. By default that of the probe's space.
    among: Only these people. Others are as if they were not enrolled.
    excluding: Not these people.
    where: Only people for whom it answers true; it is called with ids, in no particular order and from any thread.
    reach: `"auto"` (the default); `"exact"`, comparing every face in full; the number of nearest faces to compare;
        or the accepted probability (0 to 1) of missing a face exactly at the threshold.
    """

    top_k: int
    threshold: float | None
    among: Iterable[str] | None
    excluding: Iterable[str] | None
    where: Callable[[str], bool] | None
    reach: Reach


Face: TypeAlias = Embedding | RecognizedFace | IdentifiedFace
"""An embedding, or a face that has one."""

# What a crash costs at most when many photos are enrolled, and few enough commits not to matter.
_PHOTOS_A_COMMIT = 256

# Faces that were computed before are stored faster.
_FACES_A_COMMIT = 4096


def _origin(image: object) -> str | None:
    """Where an image comes from, if that is known: a path, or the name of a file object."""
    name = os.fspath(image) if isinstance(image, (str, os.PathLike)) else getattr(image, "name", None)
    if not isinstance(name, str) or name.startswith("data:"):
        return None
    # What is no UTF-8 in a file's name is shown as such.
    return name.encode("utf-8", "backslashreplace").decode()


def _several(images: Any) -> list[Any]:
    """The images of one or several; those that can be gone through themselves, as arrays and files can, are one."""
    several = isinstance(images, (list, tuple)) or (isinstance(images, Iterator) and not hasattr(images, "read"))
    return list(images) if several else [images]


def _person(parts: _native._PersonParts) -> Person:
    return Person(parts[0], parts[1], metadata_of(parts[2]), tuple(parts[3]))


class Namespace:
    """A set of people who are compared with each other. Get one from `Gallery.namespace`; it comes to be when the first
    face is added. Until then reading it raises `NamespaceNotFoundError`.

    The first face pins the embedding space: faces of another model raise `EmbeddingSpaceMismatchError`. What a method
    changes is on disk when it returns. Images need a recognizer: the gallery's, see `Gallery`.
    """

    __slots__ = ("_gallery", "_name", "_recognizer")

    def __init__(self, gallery: _native.Gallery, name: str, recognizer: Recognizer | None) -> None:
        self._gallery = gallery
        self._name = name
        self._recognizer = recognizer

    # --- With images.

    @property
    def recognizer(self) -> Recognizer:
        """What looks at images."""
        if self._recognizer is None:
            self._recognizer = default_recognizer()
        return self._recognizer

    def enrol(
        self,
        person: str,
        images: ImageLike | Embedding | Iterable[ImageLike | Embedding],
        *,
        color: Color | None = None,
        choice: Choice = "only",
        skip_errors: bool = False,
        source: str | None = None,
        name: str | None = None,
        metadata: Metadata | None = None,
    ) -> Enrolment:
        """Adds the face of each image (or embedding) to a person, who is created if absent.

        All faces are stored with one commit. If an image shows no face, or several, or cannot be read, the error is
        raised and nothing is stored; with `skip_errors` the others are stored and the error is in the answer; if
        none is left, nothing changes. `source` is remembered with faces whose image has no path of its own. `name`
        and `metadata` are the person's and replace what is there; without them it stays.
        """
        person = person_id(person)
        given = _several(images)
        looking = self.recognizer if any(not isinstance(image, Embedding) for image in given) else None
        photos: list[EnrolledPhoto] = []
        faces: list[_native._FaceToEnrol] = []
        for at, image in enumerate(given):
            origin = _origin(image) or source
            try:
                if isinstance(image, Embedding) or looking is None:
                    embedding = image
                else:
                    embedding = looking.recognize_one(image, color=color, choice=choice).embedding
            except FacecoreError as error:
                if not skip_errors:
                    if len(given) > 1:
                        error.add_note(f"image {at} of {len(given)}; nothing was enrolled")
                    raise
                photos.append(EnrolledPhoto(origin, person, None, error))
            else:
                photos.append(EnrolledPhoto(origin, person, None, None))
                faces.append((embedding, None, origin, None))
        if given and not faces:
            return Enrolment(tuple(photos))
        ids = iter(self._enrol(person, faces, name, metadata))
        return Enrolment(
            tuple(photo if photo.error else dataclasses.replace(photo, face=next(ids)) for photo in photos)
        )

    def _enrol(
        self, person: str, faces: list[_native._FaceToEnrol], name: str | None, metadata: Metadata | None
    ) -> list[int]:
        """The ids of the faces, stored with name and metadata in one commit."""
        if name is None and metadata is None:
            return self._gallery.enrol(self._name, person, faces)
        batch = Batch()._put("enrol", person, faces)
        if name is not None:
            batch.set_name(person, name)
        if metadata is not None:
            batch.set_metadata(person, metadata)
        return list(self.apply(batch, all_or_nothing=True)[0].faces)

    def enrol_many(
        self,
        items: Iterable[tuple[str, ImageLike | Embedding]],
        *,
        color: Color | None = None,
        choice: Choice = "only",
        workers: int | None = None,
    ) -> Iterator[EnrolledPhoto]:
        """Enrols (person, image) pairs, and tells of each, in order, what became of it. One that fails loses nobody
        else's. Pairs are taken from `items` as answers are asked for; faces are stored 256 at a time."""
        recognizer = self.recognizer

        def look(item: tuple[str, ImageLike | Embedding]) -> Embedding:
            person, image = item
            person_id(person)
            if isinstance(image, Embedding):
                return image
            return recognizer.recognize_one(image, color=color, choice=choice).embedding

        if isinstance(items, Mapping):
            raise InvalidArgumentError("(person, image) pairs are taken here, such as a dictionary's items()")
        return self._stored(_many.outcomes(items, look, workers or _many.workers(True)))

    def _stored(self, looked: Iterator[Outcome[Embedding]]) -> Iterator[EnrolledPhoto]:
        """Stores what was seen, many with a commit; also what was seen before the pairs came to a bad end."""
        some: list[Outcome[Embedding]] = []
        broken: Exception | None = None
        while broken is None:
            try:
                some.append(next(looked))
            except StopIteration:
                break
            except Exception as error:
                broken = error
            if len(some) == _PHOTOS_A_COMMIT:
                yield from self._store(some)
                some = []
        yield from self._store(some)
        if broken is not None:
            raise broken

    def _store(self, looked: list[Outcome[Embedding]]) -> list[EnrolledPhoto]:
        batch = Batch()
        for outcome in looked:
            if outcome.value is not None:
                batch.add(outcome.source[0], outcome.value, source=_origin(outcome.source[1]))
        done = iter(self.apply(batch) if batch else [])
        photos = []
        for outcome in looked:
            person, image = outcome.source
            change = next(done) if outcome.error is None else Done((), outcome.error)
            face = change.faces[0] if change.faces else None
            photos.append(EnrolledPhoto(_origin(image), person, face, change.error))
        return photos

    def enrol_folder(
        self, folder: StrPath, *, choice: Choice = "only", each: Callable[[EnrolledPhoto], object] | None = None
    ) -> Enrolment:
        """Enrols a folder with a sub-folder of photos for each person, or a photo named after them. A photo that
        fails loses nobody else's. `each` is called with each photo that is done."""
        found, skipped = _native.photos_by_person(folder)
        return self._enrol_found(found, skipped, choice, each)

    def enrol_csv(
        self, table: StrPath, *, choice: Choice = "only", each: Callable[[EnrolledPhoto], object] | None = None
    ) -> Enrolment:
        """Enrols the photos that a CSV lists, a row for each: the columns are `person` (or `id`) and `photo` (relative to
        the table), and if wanted `name`, `metadata` (JSON), `namespace` (which has to be this one's name), and others, which
        become metadata. Names and metadata are stored with those of the people who are here then. A row or photo that fails
        loses nobody else's. `each` is called with each photo that is done."""
        found, skipped, people = _native.photos_in_csv(table, self._name)
        enrolment = self._enrol_found(found, skipped, choice, each)
        batch = Batch()
        for person, name, metadata in people:
            if name is not None:
                batch.set_name(person, name)
            if metadata is not None:
                batch.set_metadata(person, metadata_of(metadata))
        # Who has no face of theirs enrolled is not here, and the photos tell why.
        self.apply(batch)
        return enrolment

    def _enrol_found(
        self,
        found: list[tuple[str, Any]],
        skipped: list[tuple[str, Any, FacecoreError]],
        choice: Choice,
        each: Callable[[EnrolledPhoto], object] | None,
    ) -> Enrolment:
        photos: list[EnrolledPhoto] = []
        for photo in self.enrol_many(found, choice=choice):
            photos.append(photo)
            if each is not None:
                each(photo)
        photos += [EnrolledPhoto(os.fspath(path), person, None, error) for person, path, error in skipped]
        return Enrolment(tuple(photos))

    def import_pickle(
        self,
        file: StrPath,
        *,
        space: Space,
        person: Callable[[dict[str, Any]], str] | None = None,
        skip_errors: bool = False,
        each: Callable[[EnrolledPhoto], object] | None = None,
    ) -> Enrolment:
        """Enrols the names and vectors of another program's pickle, as `read_pickle` finds them, without executing
        anything of it. `space` says of which model the vectors are, from which cosine on two faces are one person, and how
        many dimensions there have to be: a pickle tells nothing of it.

        A vector that is none, or has other dimensions, raises, and nothing is enrolled; with `skip_errors` the others are,
        and its error is in the answer. `each` is called with each face that is done.
        """
        faces = read_pickle(file, person=person)
        found = [self._pickled(at, face, space) for at, face in enumerate(faces)]
        broken = [item for item in found if isinstance(item, FacecoreError)]
        if broken and not skip_errors:
            raise broken[0]
        done: list[EnrolledPhoto] = []
        # With one commit all or nothing, or in parts.
        part = _FACES_A_COMMIT if skip_errors else max(len(found), 1)
        for start in range(0, len(found), part):
            some = list(zip(faces[start : start + part], found[start : start + part]))
            batch = Batch()
            for face, item in some:
                if isinstance(item, Embedding):
                    batch.add(face.person, item, source=face.source)
            changes = iter(self.apply(batch, all_or_nothing=not skip_errors) if batch else [])
            for face, item in some:
                change = Done((), item) if isinstance(item, FacecoreError) else next(changes)
                photo = EnrolledPhoto(face.source, face.person, next(iter(change.faces), None), change.error)
                done.append(photo)
                if each is not None:
                    each(photo)
        return Enrolment(tuple(done))

    def _pickled(self, at: int, face: PickledFace, space: Space) -> Embedding | FacecoreError:
        """The embedding, or what is wrong with it."""
        what = f"face {at}, of {face.person!r}"
        try:
            person_id(face.person)
            if face.vector is None:
                raise InvalidEmbeddingError(f"{what}: there is no vector")
            if face.vector.size != space.dimension:
                message = f"{what}: the vector has {face.vector.size} dimensions, and {space.id} has {space.dimension}"
                raise DimensionMismatchError(message)
            return Embedding(face.vector, space.id, threshold=space.threshold)
        except FacecoreError as error:
            error.add_note(what)
            return error

    def identify(
        self,
        image: ImageLike,
        *,
        color: Color | None = None,
        **options: Unpack[SearchOptions],
    ) -> Identification:
        """The faces of an image, and who they are; `person` of an unknown face is `None`. The options are those of
        `search`."""
        wanted = _wanted(options)
        return self._identified(self.recognizer.recognize(image, color=color), wanted)

    def identify_many(
        self,
        images: Iterable[ImageLike],
        *,
        color: Color | None = None,
        workers: int | None = None,
        **options: Unpack[SearchOptions],
    ) -> Iterator[Outcome[Identification]]:
        """`identify` for many images, worked at by `workers` threads, in their order. An image that fails loses
        nobody else's: its outcome holds the error."""
        wanted, recognizer = _wanted(options), self.recognizer

        def look(image: ImageLike) -> Identification:
            return self._identified(recognizer.recognize(image, color=color), wanted)

        return _many.outcomes(images, look, workers or recognizer._workers)

    def identify_faces(self, found: Recognition, **options: Unpack[SearchOptions]) -> Identification:
        """Who the faces are that a recognizer found. The options are those of `search`."""
        return self._identified(found, _wanted(options))

    def _identified(self, found: Recognition, wanted: dict[str, Any]) -> Identification:
        start = time.perf_counter()
        probes = [face.embedding for face in found.faces]
        matches = self._search(probes, wanted)
        unknown = [at for at, of_face in enumerate(matches) if not of_face]
        nearest: dict[int, Match] = {}
        if unknown:
            closest = self._search([probes[at] for at in unknown], {**wanted, "top_k": 1, "threshold": -1.0})
            nearest = {at: of_face[0] for at, of_face in zip(unknown, closest) if of_face}
        faces = []
        for at, (face, of_face) in enumerate(zip(found.faces, matches)):
            best = of_face[0] if of_face else None
            shown = best or nearest.get(at)
            faces.append(
                IdentifiedFace(
                    best.person if best else None,
                    shown.score if shown else 0.0,
                    best.margin if best else 0.0,
                    best.probability if best else None,
                    face.box,
                    face.score,
                    face.landmarks,
                    face.embedding,
                    tuple(of_face),
                )
            )
        seconds = time.perf_counter() - start
        timings = found.timings
        timings = Timings(timings.decode, timings.detect, timings.align, timings.embed, seconds)
        return Identification(found.width, found.height, tuple(faces), timings)

    # --- With embeddings.

    def add(
        self,
        person: str,
        embedding: Face,
        *,
        quality: float | None = None,
        source: str | None = None,
        metadata: Metadata | None = None,
    ) -> int:
        """Adds a face to a person, who is created if absent, and returns the face's id. A face that the person has
        already, value for value, is not added again: its id is returned."""
        face = (embedding_of(embedding), quality, source, json_of(metadata))
        return self._gallery.enrol(self._name, person_id(person), [face])[0]

    def search(self, probe: Face, **options: Unpack[SearchOptions]) -> list[Match]:
        """The people whose best face is at least as near to `probe` as the threshold, best first. An unknown face
        gives an empty list. `SearchOptions` says what can be told."""
        return self._search([embedding_of(probe)], _wanted(options))[0]

    def search_many(self, probes: Iterable[Face], **options: Unpack[SearchOptions]) -> list[list[Match]]:
        """`search` for many probes, which costs less than one at a time."""
        return self._search([embedding_of(probe) for probe in probes], _wanted(options))

    def _search(self, probes: Sequence[Embedding], wanted: dict[str, Any]) -> list[list[Match]]:
        if not probes:
            return []
        found = self._gallery.search(self._name, probes, wanted)
        return [[Match(*parts) for parts in of_probe] for of_probe in found]

    def vote(self, probe: Face, faces: int = 5, **options: Unpack[SearchOptions]) -> Vote | None:
        """Lets the nearest faces vote: those under the threshold are dropped, and the person with the most of the
        rest is the answer. `None` if no face reaches the threshold. `top_k` has no meaning here."""
        if faces < 1:
            raise InvalidArgumentError(f"one face at least votes, not {faces}")
        parts = self._gallery.vote(self._name, embedding_of(probe), faces, _wanted(options))
        return None if parts is None else Vote(*parts)

    # --- People.

    def apply(self, batch: Batch, *, all_or_nothing: bool = False) -> list[Done]:
        """Makes all changes of a batch with one commit, and tells for each what it did or why it was refused. A
        refused change does not hinder the others, unless `all_or_nothing`."""
        outcomes = self._gallery.apply(self._name, batch._items, all_or_nothing)
        return [Done(tuple(faces), error) for faces, error in outcomes]

    def person(self, person: str) -> Person:
        """A person. Raises `PersonNotFoundError`."""
        return _person(self._gallery.person(self._name, person_id(person)))

    def persons(self) -> Iterator[Person]:
        """Everybody, in the order of the ids."""
        after: str | None = None
        while some := self._gallery.persons_after(self._name, after, 1000):
            yield from map(_person, some)
            after = some[-1][0]

    def face(self, face: int) -> EnrolledFace:
        """A face. Raises `FaceNotFoundError`."""
        parts = self._gallery.face(self._name, self._known(face))
        return EnrolledFace(*parts[:5], metadata_of(parts[5]))

    def _known(self, face: int) -> int:
        if not 0 <= face < 2**64:
            raise FaceNotFoundError(f"namespace `{self._name}` has no face {face}")
        return face

    def replace_face(self, face: int, embedding: Face) -> int:
        """Gives a face another embedding. Returns its id: another one if the person has that embedding already."""
        return self._gallery.replace_face(self._name, self._known(face), embedding_of(embedding))

    def remove_face(self, face: int) -> None:
        """Removes a face. Its person stays."""
        self._gallery.remove_face(self._name, self._known(face))

    def remove(self, person: str) -> None:
        """Removes a person with all faces. `Gallery.compact` erases them from the files."""
        self._gallery.remove_person(self._name, person_id(person))

    def rename(self, person: str, new_id: str) -> None:
        """Gives a person another id. Raises `PersonExistsError` if it is taken."""
        self._gallery.rename(self._name, person_id(person), person_id(new_id))

    def set_name(self, person: str, name: str | None) -> None:
        """Sets the name to show for a person, or removes it."""
        self._gallery.set_name(self._name, person_id(person), name)

    def set_metadata(self, person: str, metadata: Metadata) -> None:
        """Replaces what is stored with a person."""
        self._gallery.set_metadata(self._name, person_id(person), json_of(metadata) or "{}")

    def set_face_metadata(self, face: int, metadata: Metadata) -> None:
        """Replaces what is stored with a face."""
        self._gallery.set_face_metadata(self._name, self._known(face), json_of(metadata) or "{}")

    def merge(self, source: str, into: str) -> None:
        """Makes one person of two: gives all faces of `source` to `into`, and removes `source`."""
        self._gallery.merge(self._name, person_id(source), person_id(into))

    def move(self, person: str, to: Namespace) -> None:
        """Moves a person with all faces to another namespace of the gallery."""
        if to._gallery is not self._gallery:
            raise InvalidArgumentError("a person moves within a gallery; export and import move between galleries")
        self._gallery.move_person(self._name, person_id(person), to._name)

    def clear(self) -> None:
        """Removes everybody, and forgets the embedding space."""
        self._gallery.clear(self._name)

    def pin(self, space: Space) -> None:
        """Pins the embedding space before the first face does."""
        self._gallery.pin(self._name, space.id, space.threshold, space.dimension)

    @property
    def space(self) -> Space | None:
        """The embedding space of the faces here; `None` until it is pinned."""
        pinned = self._gallery.pinned(self._name)
        return None if pinned is None else Space(*pinned)

    @property
    def name(self) -> str:
        """The namespace's name."""
        return self._name

    @property
    def face_count(self) -> int:
        """How many faces are enrolled."""
        return self._gallery.counts(self._name)[1]

    def __len__(self) -> int:
        """How many people are enrolled."""
        return self._gallery.counts(self._name)[0]

    def __bool__(self) -> bool:
        # An empty namespace is a namespace all the same.
        return True

    def __iter__(self) -> Iterator[Person]:
        return self.persons()

    def __contains__(self, person: object) -> bool:
        if not isinstance(person, str):
            return False
        try:
            self._gallery.person(self._name, person)
        except KeyError:
            return False
        return True

    def __repr__(self) -> str:
        return f"<Namespace {self._name!r}>"


def _wanted(options: SearchOptions) -> dict[str, Any]:
    """What the native half takes."""
    for name in options:
        if name not in SearchOptions.__annotations__:
            raise TypeError(f"a search has no option {name!r}; it has {', '.join(SearchOptions.__annotations__)}")
    for name in ("among", "excluding"):
        if isinstance(options.get(name), str):
            raise InvalidArgumentError(f"{name} takes several ids, such as [{options.get(name)!r}]")
    among, excluding = options.get("among"), options.get("excluding")
    top_k, reach = options.get("top_k", 10), options.get("reach", "auto")
    if top_k < 0 or (not isinstance(reach, str) and reach < 0):
        raise InvalidArgumentError(f"top_k ({top_k}) and reach ({reach}) are not negative")
    return {
        "top_k": top_k,
        "threshold": options.get("threshold"),
        "among": None if among is None else set(map(person_id, among)),
        "excluding": None if excluding is None else set(map(person_id, excluding)),
        "predicate": options.get("where"),
        "reach": reach,
    }
