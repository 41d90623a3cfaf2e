"""Packs of models by name: install them, and see which there are.

    import facecore
    facecore.models.pull("buffalo_l", accept_licence=True)
    recognizer = facecore.Recognizer("buffalo_l")

Packs are kept in the folder that `FACECORE_CACHE` names, else in `$XDG_CACHE_HOME/facecore`, else in
`~/.cache/facecore`; `cache` names another. Proxies are those of the environment.
"""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Callable, Iterable, Sequence
from typing import Literal, TypeAlias, cast

from . import _native
from ._packs import StrPath
from ._results import Result

Stage: TypeAlias = Literal["waiting", "downloading", "unpacking", "testing"]
"""What is being done; `"waiting"` is for another process that installs the same pack."""

LicenceClass: TypeAlias = Literal["permissive", "research-only", "unknown"]
"""What a licence allows: any use, no commercial use, or nobody said."""

Policy: TypeAlias = Literal["any", "commercial"]
"""Which packs are let in: all, or only those that are known to allow commercial use."""

Progress: TypeAlias = Callable[[Stage, str, int, int | None], bool | None]
"""Called with the stage, the file, how many of its bytes are done, and how many there are, if that is known. It stops
the work by answering `False`, with `CancelledError`, or by raising."""


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class PackFile(Result):
    """A model of a pack."""

    part: Literal["detector", "embedder"]
    name: str
    kind: str | None
    """As in `pack.toml`; `None` for packs that are not known by name."""
    bytes: int | None
    """`None`: not known before it is installed."""
    sha256: str | None
    checksum: Literal["pinned", "declared", "recorded"] | None
    """How the SHA-256 is known: it is part of facecore, the pack declared it, or it was computed when the pack was
    installed."""


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class InstalledPack(Result):
    """A pack as it was installed."""

    name: str
    version: str
    licence: str
    licence_class: LicenceClass
    folder: pathlib.Path
    origin: str
    """The address or path that it came from."""
    archive_sha256: str | None
    installed: int
    """When, in seconds since 1970."""
    files: tuple[PackFile, ...]


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class ListedPack(Result):
    """A pack that there is, or could be."""

    name: str
    state: Literal["embedded", "installed", "damaged", "available"]
    about: str | None
    version: str
    licence: str
    licence_class: LicenceClass
    folder: pathlib.Path | None
    origin: str | None
    files: tuple[PackFile, ...]
    download_bytes: int | None
    unfinished_bytes: int
    """What an interrupted download left, which the next one goes on from."""
    sources: tuple[str, ...]
    """Where it is downloaded from."""


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class FoundPack(Result):
    """What a folder or an archive holds."""

    name: str
    licence: str
    licence_class: LicenceClass


def _files(parts: Sequence[_native._PackFileParts]) -> tuple[PackFile, ...]:
    return tuple(
        PackFile(
            cast(Literal["detector", "embedder"], part),
            name,
            kind,
            size,
            sha256,
            cast(Literal["pinned", "declared", "recorded"] | None, checksum),
        )
        for part, name, kind, size, sha256, checksum in parts
    )


def _installed(parts: _native._InstalledParts) -> InstalledPack:
    name, version, licence, licence_class, folder, origin, archive, installed, files = parts
    return InstalledPack(
        name,
        version,
        licence,
        cast(LicenceClass, licence_class),
        pathlib.Path(folder),
        origin,
        archive,
        installed,
        _files(files),
    )


def _listener(progress: Progress | None) -> _native._Listener | None:
    return cast("_native._Listener | None", progress)


def list(*, cache: StrPath | None = None) -> tuple[ListedPack, ...]:
    """Every pack: the one that came with facecore, those that are known by name, and what else is installed."""
    return tuple(
        ListedPack(
            name,
            cast(Literal["embedded", "installed", "damaged", "available"], state),
            about,
            version,
            licence,
            cast(LicenceClass, licence_class),
            None if folder is None else pathlib.Path(folder),
            origin,
            _files(files),
            download_bytes,
            unfinished_bytes,
            tuple(sources),
        )
        for (
            name,
            state,
            about,
            version,
            licence,
            licence_class,
            folder,
            origin,
            files,
            download_bytes,
            unfinished_bytes,
            sources,
        ) in _native.packs_list(cache)
    )


def pull(
    name: str,
    *,
    accept_licence: bool = False,
    policy: Policy = "any",
    mirrors: Iterable[str] = (),
    mirrors_only: bool = False,
    certificates: StrPath | None = None,
    connect_timeout: float = 20.0,
    stall_timeout: float = 30.0,
    cache: StrPath | None = None,
    progress: Progress | None = None,
) -> InstalledPack:
    """Downloads a known pack, tests it and installs it; one that is installed is left as it is. An interrupted download
    is gone on with. `accept_licence` says that you have read the pack's licence, which `list()` shows, and keep to it.
    `mirrors` are addresses of folders that have the files under their own names, and are asked first. `certificates` is a
    file of authorities in PEM to be trusted in place of the usual ones; the timeouts are seconds: for a connection, and
    for how long nothing may come."""
    return _installed(
        _native.packs_pull(
            name,
            accept_licence,
            policy,
            [*mirrors],
            mirrors_only,
            certificates,
            (connect_timeout, stall_timeout),
            cache,
            _listener(progress),
        )
    )


def import_(
    path: StrPath,
    name: str | None = None,
    *,
    accept_licence: bool = False,
    policy: Policy = "any",
    cache: StrPath | None = None,
    progress: Progress | None = None,
) -> InstalledPack:
    """Installs a pack from a folder or a zip archive: one with `pack.toml`, or with files as insightface and OpenCV name
    them. `name` says which pack it is, where the files do not, or under which name one with `pack.toml` is kept.
    (`import` is a word of Python's own, so that there is a `_` after it.)"""
    return _installed(_native.packs_import(path, name, accept_licence, policy, cache, _listener(progress)))


def find_in(path: StrPath, name: str | None = None, *, cache: StrPath | None = None) -> FoundPack:
    """What `import_` would install, so that its licence can be shown."""
    found, licence, licence_class = _native.packs_find_in(path, name, cache)
    return FoundPack(found, licence, cast(LicenceClass, licence_class))


def verify(name: str, *, cache: StrPath | None = None, progress: Progress | None = None) -> InstalledPack:
    """Reads every file of an installed pack, holds it to its checksum, and runs the self-test. Raises what is wrong."""
    return _installed(_native.packs_verify(name, cache, _listener(progress)))


def remove(name: str, *, cache: StrPath | None = None) -> int:
    """Removes an installed pack, and what an interrupted download of it left; gives the bytes that it had."""
    return _native.packs_remove(name, cache)
