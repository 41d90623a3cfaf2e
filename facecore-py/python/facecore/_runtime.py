"""Where the environment keeps ONNX Runtime."""

from __future__ import annotations

import importlib.util
import os

from . import _native
from ._results import RuntimeReport


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
    """Which runtimes there are, and where was looked for them. `print` it.

    >>> report = doctor()
    >>> report.builtin
    'rten 0.27 (CPU)'
    """
    runtime, missing, looked, providers, builtin = _native.runtime_report(library, library_folders())
    places = tuple((place, ", ".join(map(str, found)) or why or "nothing") for place, found, why in looked)
    return RuntimeReport(runtime, missing, places, tuple(providers), builtin)
