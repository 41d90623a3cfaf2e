"""Galleries: folders of namespaces of people."""

from __future__ import annotations

import os
from typing import Literal

from . import _native
from ._errors import FacecoreError, InvalidArgumentError
from ._models import Closable, Recognizer
from ._namespace import Namespace
from ._packs import StrPath
from ._results import ExportReport, ImportReport, NamespaceStats, Stats, VerifyReport

# As on the command line.
DEFAULT_NAMESPACE = "people"


class Gallery(Namespace, Closable):
    """People one knows, in a folder, or without `folder` in memory.

    A gallery is its default namespace, called `people` as on the command line, and gives others with `namespace`.
    `recognizer` looks at images; by default one is made as `Recognizer()` when it is first needed. One process may
    write a gallery in a folder, and any number may read it while none does.

    `create=False` raises `GalleryNotFoundError` where there is none. With `durability="relaxed"` changes are on disk
    after `flush`, or when the gallery is closed.

    >>> from facecore import Embedding, Gallery
    >>> face = Embedding([1.0] * 64, "example-64", threshold=0.4)
    >>> gallery = Gallery()
    >>> gallery.add("ada", face)
    1
    >>> gallery.search(face)[0].person
    'ada'
    >>> len(gallery), gallery
    (1, <Gallery in memory, people: 1>)
    """

    __slots__ = ("_native", "_folder", "__weakref__")

    _native: _native.Gallery

    def __init__(
        self,
        folder: StrPath | None = None,
        *,
        recognizer: Recognizer | None = None,
        create: bool = True,
        read_only: bool = False,
        durability: Literal["full", "relaxed"] = "full",
        cache_bytes: int | None = None,
    ) -> None:
        if folder is None and read_only:
            raise InvalidArgumentError("a gallery in memory is empty at first: it cannot be read-only")
        if cache_bytes is not None and cache_bytes < 0:
            raise InvalidArgumentError(f"cache_bytes is not negative, as {cache_bytes} is")
        native = _native.Gallery(folder, create, read_only, durability, cache_bytes)
        super().__init__(native, DEFAULT_NAMESPACE, recognizer)
        self._native = native
        self._folder = folder
        if not read_only:
            native.create_namespace(DEFAULT_NAMESPACE)

    def namespace(self, name: str) -> Namespace:
        """The namespace (tenant, directory, department) called `name`. If there is none, adding the first face makes
        it, and reading it raises `NamespaceNotFoundError`."""
        return Namespace(self._native, name, self._recognizer)

    def namespaces(self) -> list[str]:
        """The names of all namespaces, sorted."""
        return self._native.namespaces()

    def drop_namespace(self, name: str) -> None:
        """Removes a namespace with everybody in it."""
        self._native.drop_namespace(name)

    def flush(self) -> None:
        """Makes durable what was changed so far. Of use with `durability="relaxed"` only."""
        self._native.flush()

    def compact(self) -> None:
        """Gives back the space of what was removed, and erases it from the gallery's files."""
        self._native.compact()

    def backup(self, folder: StrPath) -> None:
        """Writes a copy of one moment to another folder, which is made, or empty; changes go on meanwhile."""
        self._native.backup(folder)

    def verify(self) -> VerifyReport:
        """Reads everything and checks it. The answer is true if nothing is wrong."""
        persons, faces, problems, probes, agreeing = self._native.verify()
        return VerifyReport(persons, faces, tuple(problems), probes, agreeing)

    def stats(self) -> Stats:
        """What the gallery takes up."""
        namespaces, store, index = self._native.stats()
        return Stats(tuple(NamespaceStats(*parts) for parts in namespaces), store, index)

    def export_to(self, file: StrPath) -> ExportReport:
        """Writes everything as JSON Lines to a new file, which only its owner may read. What is damaged is left out
        and reported."""
        persons, faces, damaged = self._native.export_to(file)
        return ExportReport(persons, faces, tuple(damaged))

    def import_from(self, file: StrPath) -> ImportReport:
        """Adds what `export_to` wrote."""
        return ImportReport(*self._native.import_from(file))

    @property
    def folder(self) -> StrPath | None:
        """Where it lives; `None` in memory."""
        return self._folder

    def __repr__(self) -> str:
        place = "in memory" if self._folder is None else repr(os.fspath(self._folder))
        try:
            return f"<Gallery {place}, closed>" if self.closed else f"<Gallery {place}, people: {len(self)}>"
        except FacecoreError as error:
            return f"<Gallery {place}, {type(error).__name__}>"
