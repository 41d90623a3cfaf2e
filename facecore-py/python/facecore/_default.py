"""The recognizer that serves where none is named."""

from __future__ import annotations

import functools
import os

from ._models import Recognizer


def default_recognizer() -> Recognizer:
    """`Recognizer()`, made once for a process and the value of `FACECORE_PACK`, without which the built-in pack serves."""
    return _of(os.getpid(), os.environ.get("FACECORE_PACK"))


@functools.lru_cache(maxsize=1)
def _of(process: int, pack: str | None) -> Recognizer:
    return Recognizer()
