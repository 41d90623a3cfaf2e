"""Galleries: folders of namespaces of people."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Literal, TypeAlias

from . import _native
from ._errors import FacecoreError, InvalidArgumentError
from ._models import Closable, Recognizer
from ._namespace import Namespace
from ._packs import StrPath
from ._results import (
    ExportReport,
    ImportFailure,
    ImportReport,
    NamespaceStats,
    Progress,
    Space,
    Stats,
    VerifyReport,
)

Format: TypeAlias = Literal["jsonl", "npz", "csv"]
"""How a gallery is written to a file."""

# As on the command line.
DEFAULT_NAMESPACE = "people"


def _teller(progress: Callable[[Progress], object] | None) -> Callable[[Any, int, int], object] | None:
    return None if progress is None else lambda step, done, total: progress(Progress(step, done, total))


class Gallery(Namespace, Closable):
    """People one knows, in a folder, or without `folder` in memory.

    A gallery is its default namespace, called `people` as on the command line, and gives others with `namespace`.
    `recognizer` looks at images; by default one is made as `Recognizer()` when it is first needed. One process may
    write a gallery in a folder, and any number may read it while none does.

    `create=False` raises `GalleryNotFoundError` where there is none. With `durability="relaxed"` changes are on disk
    after `flush`, or when the gallery is closed.

    `index` says what faces are found with: `flat` scans all of them, `hnsw` follows a graph, which pays for millions;
    `auto` takes whichever is faster here for as many as there are, and `stats` says which, and why.

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
        index: Literal["auto", "flat", "hnsw"] = "auto",
    ) -> None:
        if folder is None and read_only:
            raise InvalidArgumentError("a gallery in memory is empty at first: it cannot be read-only")
        if cache_bytes is not None and cache_bytes < 0:
            raise InvalidArgumentError(f"cache_bytes is not negative, as {cache_bytes} is")
        native = _native.Gallery(folder, create, read_only, durability, cache_bytes, index)
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

    def export_to(
        self,
        file: StrPath,
        *,
        format: Format | None = None,
        namespace: str | None = None,
        progress: Callable[[Progress], object] | None = None,
    ) -> ExportReport:
        """Writes everything, or one namespace, to a new file, which only its owner may read. `format` is by default what
        the file's name says:

        * `"jsonl"`: everything, as JSON Lines; also what has any other suffix;
        * `"npz"`: everything, with the vectors in `NAME.npz` for `numpy.load` (arrays `embeddings`, `persons`, `namespaces`
          and `face_ids`, a row for a face) and all else in `NAME.jsonl` beside it;
        * `"csv"`: a table of the people, without their faces. A name that is empty comes back as none. Cells are written
          as they are: one that begins with `=`, `+`, `-` or `@` is a formula to a spreadsheet, so import the table as text
          if strangers chose ids or names.

        What is damaged is left out and reported. The file has its name once it is complete. `progress` is called now and
        then, and must not use the gallery, whose changes may be waiting for it; what it raises ends the export.
        """
        persons, faces, damaged = self._native.export_to(file, format, namespace, _teller(progress))
        return ExportReport(persons, faces, tuple(damaged))

    def import_from(
        self,
        file: StrPath,
        *,
        format: Format | None = None,
        namespace: str = DEFAULT_NAMESPACE,
        space: Space | None = None,
        skip_errors: bool = False,
        progress: Callable[[Progress], object] | None = None,
    ) -> ImportReport:
        """Adds what `export_to` wrote, an NPZ made with NumPy, or a table of people, with one commit.

        `numpy.savez(file, embeddings=vectors, persons=names)` makes such an NPZ; `space` says of which model the vectors
        are, which neither it nor a CSV with a column `embedding` tells. A CSV has a column `person` (or `id`), and may have
        `name`, `metadata` (JSON), `namespace`, and others, which become metadata. What names no namespace in a CSV or in an
        NPZ made with NumPy goes to `namespace`; JSON Lines name theirs on each line.

        A bad item raises, and nothing is imported; with `skip_errors` the others are, and it is in the answer. `progress` is
        called now and then, and must not use the gallery, whose changes may be waiting for it; what it raises ends the
        import.
        """
        parts = None if space is None else (space.id, space.threshold, space.dimension)
        tell = _teller(progress)
        report = self._native.import_from(file, format, namespace, parts, skip_errors, tell)
        return ImportReport(*report[:4], tuple(ImportFailure(*item) for item in report[4]))

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
