"""Real models and photographs, and what is made of them."""

from __future__ import annotations

import collections
import os
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest

import facecore

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def data() -> pathlib.Path:
    """The folder with models and photographs, named by `FACECORE_TEST_DATA`."""
    folder = pathlib.Path(os.environ.get("FACECORE_TEST_DATA") or ROOT.parent / "shared")
    if not (folder / "models").is_dir():
        message = f"not tested: there are no models and photographs in {folder} (FACECORE_TEST_DATA)"
        if os.environ.get("FACECORE_REQUIRE_TEST_DATA") == "1":
            pytest.fail(message)
        pytest.skip(message)
    return folder.resolve()


@pytest.fixture(scope="session")
def pack_options(data: pathlib.Path) -> dict[str, Any]:
    """A detector and an embedder."""
    models = data / "models"
    return {"detector": models / "yunet_n_dynamic.onnx", "embedder": models / "mobilefacenet_128.onnx"}


@pytest.fixture(scope="session")
def pack(data: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The same as a pack."""
    folder = tmp_path_factory.mktemp("pack")
    for file in ("yunet_n_dynamic.onnx", "mobilefacenet_128.onnx"):
        (folder / file).write_bytes((data / "models" / file).read_bytes())
    (folder / "pack.toml").write_text(
        'format = 1\nname = "test"\n'
        '[detector]\nfile = "yunet_n_dynamic.onnx"\nkind = "yunet"\n'
        '[embedder]\nfile = "mobilefacenet_128.onnx"\nkind = "mobilefacenet"\nspace = "mobilefacenet-128/arcface-112"\n'
    )
    return folder


@pytest.fixture(scope="session")
def recognizer(pack_options: dict[str, Any]) -> Iterator[facecore.Recognizer]:
    """YuNet and MobileFaceNet on the built-in runtime, so that answers do not depend on what is installed."""
    with facecore.Recognizer(**pack_options, runtime="rten") as made:
        yield made


@pytest.fixture(scope="session")
def images(data: pathlib.Path) -> pathlib.Path:
    """The photographs."""
    return data / "images"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Adds what was skipped to the list that `make test` prints at its end, a line for each file and reason."""
    log = os.environ.get("FACECORE_SKIP_LOG")
    if not log:
        return
    groups: collections.Counter[tuple[str, str]] = collections.Counter()
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        groups[report.nodeid.split("::")[0], reason.removeprefix("Skipped: ")] += 1
    with open(log, "a", encoding="utf-8") as file:
        for (name, reason), count in sorted(groups.items()):
            file.write(f"skipped: Python, {name}, {count} test{'s' if count > 1 else ''}: {reason}\n")


def embedding(seed: int, dimension: int = 64, space: str = "test") -> facecore.Embedding:
    """An embedding of its own for each seed, nearly orthogonal to the others."""
    import numpy

    values = numpy.random.default_rng(seed).standard_normal(dimension)
    return facecore.Embedding(values.astype("float32"), space, threshold=0.4)
