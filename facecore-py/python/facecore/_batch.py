"""Many changes in one commit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeAlias

from ._errors import InvalidArgumentError
from ._native import Embedding
from ._results import IdentifiedFace, RecognizedFace

Metadata: TypeAlias = Mapping[str, Any]
"""What an application wants to remember: anything that JSON knows, under strings."""


def json_of(metadata: Metadata | None) -> str | None:
    """Metadata as it is stored. `InvalidArgumentError` if it would not come back as it is."""
    if not metadata:
        return None
    _check_json(metadata)
    try:
        return json.dumps(dict(metadata), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidArgumentError(f"metadata is what JSON knows: {error}") from error


def _check_json(value: object) -> None:
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                raise InvalidArgumentError(f"the keys of metadata are strings, not {key!r}")
            _check_json(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _check_json(item)
    elif isinstance(value, int) and not -(2**63) <= value < 2**64:
        raise InvalidArgumentError(f"an integer of metadata has 64 bits at most: {value} does not fit; store it as text")


def person_id(person: object) -> str:
    """The id, if it may be one."""
    if not isinstance(person, str):
        raise TypeError(f"a person's id is a str, not {type(person).__name__}")
    try:
        person.encode()
    except UnicodeEncodeError as error:
        raise InvalidArgumentError(f"a person's id is text that UTF-8 can hold: {error}") from error
    return person


def embedding_of(face: Embedding | RecognizedFace | IdentifiedFace) -> Embedding:
    """The embedding, or the face's."""
    found = face if isinstance(face, Embedding) else getattr(face, "embedding", None)
    if isinstance(found, Embedding):
        return found
    raise TypeError(f"an Embedding, or a face that has one, is wanted here, not {type(face).__name__}")


def metadata_of(text: str) -> dict[str, Any]:
    return json.loads(text) if text else {}


class Batch:
    """Changes that `Namespace.apply` makes with one commit. Each method adds the change that the namespace's method
    of that name makes, and returns the batch.

    >>> from facecore import Batch, Gallery
    >>> done = Gallery().apply(Batch().rename("ada", "eve"))
    >>> done[0].error
    PersonNotFoundError('namespace `people` has no person `ada`')
    """

    __slots__ = ("_items",)

    def __init__(self) -> None:
        self._items: list[tuple[Any, ...]] = []

    def add(
        self,
        person: str,
        embedding: Embedding | RecognizedFace | IdentifiedFace,
        *,
        quality: float | None = None,
        source: str | None = None,
        metadata: Metadata | None = None,
    ) -> Batch:
        """Adds a face to a person, who is created if absent."""
        return self._put("enrol", person_id(person), [(embedding_of(embedding), quality, source, json_of(metadata))])

    def replace_face(self, face: int, embedding: Embedding) -> Batch:
        """Gives a face another embedding."""
        return self._put("replace_face", face, embedding_of(embedding))

    def set_face_metadata(self, face: int, metadata: Metadata) -> Batch:
        """Replaces what is stored with a face."""
        return self._put("set_face_metadata", face, json_of(metadata))

    def remove_face(self, face: int) -> Batch:
        """Removes a face."""
        return self._put("remove_face", face, None)

    def remove_person(self, person: str) -> Batch:
        """Removes a person with all faces."""
        return self._put("remove_person", person_id(person), None)

    def rename(self, person: str, new_id: str) -> Batch:
        """Gives a person another id."""
        return self._put("rename", person_id(person), person_id(new_id))

    def merge(self, source: str, into: str) -> Batch:
        """Gives all faces of `source` to `into`, and removes `source`."""
        return self._put("merge", person_id(source), person_id(into))

    def set_name(self, person: str, name: str | None) -> Batch:
        """Sets the name to show for a person, or removes it."""
        return self._put("set_name", person_id(person), name)

    def set_metadata(self, person: str, metadata: Metadata) -> Batch:
        """Replaces what is stored with a person."""
        return self._put("set_metadata", person_id(person), json_of(metadata))

    def __len__(self) -> int:
        return len(self._items)

    def _put(self, *item: Any) -> Batch:
        self._items.append(item)
        return self
