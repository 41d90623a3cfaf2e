"""What the Python layer adds to a call, in microseconds: medians, with models that cost nothing.

Needs the package built with the feature `fake`: `make bench-python`.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy

import facecore
from facecore import _native

CALLS = 5000
LIMIT = 30.0


def median(call: Callable[[], object]) -> float:
    """Seconds."""
    took = []
    for _ in range(CALLS):
        start = time.perf_counter()
        call()
        took.append(time.perf_counter() - start)
    return statistics.median(took)


def main() -> None:
    worst = 0.0
    print(f"{'call':42} {'Rust':>8} {'Python':>8} {'added':>8}  microseconds")

    def show(what: str, rust: float, python: float) -> None:
        nonlocal worst
        worst = max(worst, python - rust)
        print(f"{what:42} {rust * 1e6:8.1f} {python * 1e6:8.1f} {(python - rust) * 1e6:8.1f}")

    pixels = numpy.zeros((256, 256, 3), dtype="uint8")
    for faces in (0, 1, 6):
        recognizer = facecore.Recognizer.__new__(facecore.Recognizer)
        recognizer._native = _native.fake_recognizer(faces)  # type: ignore[attr-defined]
        recognizer._workers = 1
        assert len(recognizer.recognize(pixels, color="rgb")) == faces
        rust = _native.seconds_of_recognize(recognizer._native, pixels, CALLS)  # type: ignore[attr-defined]
        show(f"recognize, {faces} faces", rust, median(lambda: recognizer.recognize(pixels, color="rgb")))
    gallery = facecore.Gallery()
    random = numpy.random.default_rng(7)
    for number in range(200):
        values = random.standard_normal(512).astype("float32")
        gallery.add(f"p{number}", facecore.Embedding(values, "test", threshold=0.4))
    probe = gallery.face(gallery.person("p7").faces[0]).embedding
    rust = _native.seconds_of_search(gallery._native, "people", probe, CALLS)  # type: ignore[attr-defined]
    show("search among 200 people", rust, median(lambda: gallery.search(probe)))
    print(f"at most {LIMIT:.0f} are meant")
    raise SystemExit(worst * 1e6 > LIMIT)


if __name__ == "__main__":
    main()
