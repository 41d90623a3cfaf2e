"""Which models there are where none are named."""

from __future__ import annotations

import os
from typing import Final

from . import _native
from ._results import Pack, PackPart

VARIABLE = "FACECORE_PACK"
StrPath = str | os.PathLike[str]


class BuiltInPack:
    """The type of `LITE`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "facecore.LITE"

    def __reduce__(self) -> str:
        # Pickled by its name: there is one.
        return "LITE"


LITE: Final = BuiltInPack()
"""The pack that came with facecore, asked for by name: its licence, research and evaluation only, is accepted."""


def default_pack() -> str | None:
    """The pack that serves where none is named; `None` is the built-in one."""
    return os.environ.get(VARIABLE) or None


def pack_of(parts: _native._PackParts) -> Pack:
    name, version, licence, folder, detector, embedder = parts
    return Pack(
        name, version, licence, folder, PackPart(*detector) if detector else None, PackPart(*embedder) if embedder else None
    )


def read_pack(pack: StrPath | BuiltInPack | None = None) -> Pack:
    """What a pack says of itself, such as its licence, without loading its models: of a folder, of an installed pack
    by its name, or of `LITE`. By default of the one that `Recognizer()` takes: what `FACECORE_PACK` names, or else the
    one that came with facecore.
    """
    if isinstance(pack, BuiltInPack):
        return pack_of(_native.read_pack(None))
    return pack_of(_native.read_pack(pack if pack is not None else default_pack()))
