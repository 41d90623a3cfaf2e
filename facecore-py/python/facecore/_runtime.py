"""Where the environment keeps ONNX Runtime."""

from __future__ import annotations

import importlib.util
import os

from . import _native
from ._errors import FacecoreError
from ._packs import read_pack
from ._results import Pack, RuntimeReport


def library_folders() -> list[str]:
    """The folders of this environment's `onnxruntime` package that may hold its library. It is not imported: its
    own Python half, and what that needs, are of no use here."""
    try:
        package = importlib.util.find_spec("onnxruntime")
    except (ImportError, ValueError):
        return []
    places = package.submodule_search_locations if package else None
    return [os.path.join(place, "capi") for place in places or []]


def doctor(library: str | os.PathLike[str] | None = None) -> RuntimeReport:
    """Which runtimes there are, where was looked for them, and which models serve where none are named. `print` it.

    >>> report = doctor()
    >>> report.builtin
    'rten 0.27 (CPU)'
    """
    runtime, missing, looked, providers, builtin = _native.runtime_report(library, library_folders())
    places = tuple((place, ", ".join(map(str, found)) or why or "nothing") for place, found, why in looked)
    pack: Pack | None = None
    pack_missing = None
    try:
        pack = read_pack()
    except FacecoreError as error:
        pack_missing = str(error)
    return RuntimeReport(runtime, missing, places, tuple(providers), builtin, pack, pack_missing)
