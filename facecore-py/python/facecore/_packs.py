"""Which models there are where none are named."""

from __future__ import annotations

import os

from . import _native
from ._results import Pack, PackPart

VARIABLE = "FACECORE_PACK"


def default_pack() -> str | None:
    """The pack that serves where none is named; `None` is the built-in one."""
    return os.environ.get(VARIABLE) or None


def pack_of(parts: _native._PackParts) -> Pack:
    name, version, licence, folder, detector, embedder = parts
    return Pack(
        name, version, licence, folder, PackPart(*detector) if detector else None, PackPart(*embedder) if embedder else None
    )


def read_pack(folder: str | os.PathLike[str] | None = None) -> Pack:
    """What a pack says of itself, such as its licence, without loading its models. By default the one that
    `Recognizer()` takes: what `FACECORE_PACK` names, or else the one that came with facecore.
    """
    return pack_of(_native.read_pack(folder if folder is not None else default_pack()))
