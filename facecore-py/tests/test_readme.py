"""The Python blocks of the README and of `docs/`, run in order, with what they print where a `text` block follows."""

from __future__ import annotations

import contextlib
import doctest
import io
import pathlib
import re
import shutil
from typing import Any

import PIL.Image
import pytest

import facecore

PACKAGE = pathlib.Path(__file__).resolve().parents[1]
PAGES = [PACKAGE.parent / "README.md", PACKAGE / "README.md", *sorted((PACKAGE / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```python\n(?P<code>.*?)^```\n(?:\n```text\n(?P<text>.*?)^```\n)?", re.MULTILINE | re.DOTALL)

# The names that the pages use, and the photographs that stand for them.
PHOTOGRAPHS = {
    "ada1.jpg": "obama.jpg",
    "ada2.jpg": "obama2.jpg",
    "bob.jpg": "biden.jpg",
    "eve.jpg": "train_rose_leslie_img1.jpg",
    "crowd.jpg": "knn_obama_and_biden.jpg",
    "party.mp4": "short_clip.mp4",
    "people/ada/1.jpg": "obama.jpg",
    "people/ada/2.jpg": "obama-240p.jpg",
    "people/bob/1.jpg": "biden.jpg",
    "people/bob/2.jpg": "two_people.jpg",
}


@pytest.fixture
def folder(
    images: pathlib.Path, pack: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> pathlib.Path:
    """The current folder, with all that the pages name."""
    for name, photograph in PHOTOGRAPHS.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(images / photograph, tmp_path / name)
    PIL.Image.new("RGB", (640, 480), "skyblue").save(tmp_path / "landscape.jpg")
    shutil.copytree(pack, tmp_path / "packs" / "office")
    (tmp_path / "models").mkdir()
    shutil.copy(pack / "yunet_n_dynamic.onnx", tmp_path / "models" / "yunet.onnx")
    shutil.copy(pack / "mobilefacenet_128.onnx", tmp_path / "models" / "mobilefacenet.onnx")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FACECORE_PACK", str(tmp_path / "packs" / "office"))
    monkeypatch.setenv("FACECORE_CACHE", str(tmp_path / "cache"))
    return tmp_path


@pytest.mark.filterwarnings("ignore::facecore.FacecoreWarning")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}/{page.name}")
def test_examples_run(page: pathlib.Path, folder: pathlib.Path) -> None:
    text = page.read_text(encoding="utf-8")
    names: dict[str, Any] = {"__name__": "__main__"}
    blocks = list(BLOCK.finditer(text))
    assert len(blocks) == text.count("```python"), "a block is not closed, or indented"
    for block in blocks:
        # Blank lines before it, so that a traceback has the page's line numbers.
        line = text.count("\n", 0, block.start("code"))
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile("\n" * line + block["code"], str(page), "exec"), names)
        if block["text"] is not None:
            same = doctest.OutputChecker().check_output(block["text"], printed.getvalue(), doctest.ELLIPSIS)
            assert same, f"{page.name}, line {line + 1} prints\n{printed.getvalue()}"


def test_table_of_errors() -> None:
    """The README has each error with its number, its built-in base and what it means."""
    for kind in facecore.FacecoreError.__subclasses__():
        built_in = kind.__bases__[1].__name__
        row = f"| {kind.code} | `{kind.__name__}` | `{built_in}` | {kind.__doc__} |"
        assert row in (PACKAGE / "README.md").read_text(encoding="utf-8"), f"missing: {row}"
