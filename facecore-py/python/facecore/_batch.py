"""Many changes in one commit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeAlias

from ._native import Embedding

Metadata: TypeAlias = Mapping[str, Any]
"""What an application wants to remember: anything that JSON knows, under strings."""


def json_of(metadata: Metadata | None) -> str | None:
    return None if not metadata else json.dumps(dict(metadata), allow_nan=False)


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
        embedding: Embedding,
        *,
        quality: float | None = None,
        source: str | None = None,
        metadata: Metadata | None = None,
    ) -> Batch:
        """Adds a face to a person, who is created if absent."""
        return self._put("enrol", person, [(embedding, quality, source, json_of(metadata))])

    def replace_face(self, face: int, embedding: Embedding) -> Batch:
        """Gives a face another embedding."""
        return self._put("replace_face", face, embedding)

    def set_face_metadata(self, face: int, metadata: Metadata) -> Batch:
        """Replaces what is stored with a face."""
        return self._put("set_face_metadata", face, json_of(metadata))

    def remove_face(self, face: int) -> Batch:
        """Removes a face."""
        return self._put("remove_face", face, None)

    def remove_person(self, person: str) -> Batch:
        """Removes a person with all faces."""
        return self._put("remove_person", person, None)

    def rename(self, person: str, new_id: str) -> Batch:
        """Gives a person another id."""
        return self._put("rename", person, new_id)

    def merge(self, source: str, into: str) -> Batch:
        """Gives all faces of `source` to `into`, and removes `source`."""
        return self._put("merge", source, into)

    def set_name(self, person: str, name: str | None) -> Batch:
        """Sets the name to show for a person, or removes it."""
        return self._put("set_name", person, name)

    def set_metadata(self, person: str, metadata: Metadata) -> Batch:
        """Replaces what is stored with a person."""
        return self._put("set_metadata", person, json_of(metadata))

    def __len__(self) -> int:
        return len(self._items)

    def _put(self, *item: Any) -> Batch:
        self._items.append(item)
        return self
