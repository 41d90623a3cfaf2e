"""Working at many images at once."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from . import _native
from ._errors import FacecoreError, InvalidArgumentError
from ._results import Outcome

_I = TypeVar("_I")
_R = TypeVar("_R")


def workers(many_photos: bool) -> int:
    """Threads to work at images with: where each call uses all CPUs by itself, two, so that one decodes while the
    other computes."""
    return max(2, _native.available_cpus()) if many_photos else 2


def outcomes(images: Iterable[_I], task: Callable[[_I], _R], threads: int) -> Iterator[Outcome[_R]]:
    """`task` for each image, in order. No more images are taken than threads can work at, and one."""
    if isinstance(images, (str, bytes, os.PathLike)):
        raise InvalidArgumentError(f"several images are taken here, such as a list of paths, not {type(images).__name__}")
    if threads < 1:
        raise InvalidArgumentError(f"workers are 1 or more, not {threads}")
    return _in_order(images, task, threads)


def _in_order(images: Iterable[_I], task: Callable[[_I], _R], threads: int) -> Iterator[Outcome[_R]]:
    pending: deque[tuple[int, _I, Future[_R]]] = deque()

    def oldest() -> Outcome[_R]:
        index, image, future = pending.popleft()
        try:
            return Outcome(index, image, future.result(), None)
        except FacecoreError as error:
            return Outcome(index, image, None, error)

    pool = ThreadPoolExecutor(threads, thread_name_prefix="facecore")
    try:
        taken = enumerate(images)
        broken: Exception | None = None
        while broken is None:
            try:
                index, image = next(taken)
            except StopIteration:
                break
            except Exception as error:
                # What was taken before is not lost.
                broken = error
            else:
                pending.append((index, image, pool.submit(task, image)))
                if len(pending) > threads:
                    yield oldest()
        while pending:
            yield oldest()
        if broken is not None:
            raise broken
    finally:
        # Also if the caller stops early: what has not begun is not begun.
        pool.shutdown(cancel_futures=True)
