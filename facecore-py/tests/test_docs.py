"""The examples in docstrings."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import facecore

MODULES = [name for _, name, _ in pkgutil.walk_packages(facecore.__path__, "facecore.") if "_native" not in name]


@pytest.mark.parametrize("name", MODULES)
def test_docstrings(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_there_are_examples() -> None:
    finder = doctest.DocTestFinder()
    examples = [test for name in MODULES for test in finder.find(importlib.import_module(name)) if test.examples]
    assert len(examples) >= 4


def test_everything_public_is_documented_and_named() -> None:
    for name in facecore.__all__:
        thing = getattr(facecore, name)
        assert not isinstance(thing, type) or thing.__doc__, name


def test_help_tells_what_every_option_means() -> None:
    for made, options in [
        (facecore.Recognizer, facecore.RecognizerOptions),
        (facecore.Detector, facecore.DetectorOptions),
        (facecore.Embedder, facecore.EmbedderOptions),
    ]:
        for name in options.__annotations__:
            assert f"\n{name}: " in (made.__doc__ or ""), name
