"""One table of errors in Rust, C and Python."""

from __future__ import annotations

import pickle
import re

import pytest

import facecore
from facecore import _native
from facecore._errors import exception

from .conftest import ROOT

KINDS = _native.error_kinds()


def test_every_kind_has_its_class_with_its_code() -> None:
    classes = {kind.code: kind.__name__ for kind in facecore.FacecoreError.__subclasses__()}
    assert classes == {code: f"{name}Error" for code, name in KINDS}
    assert all(getattr(facecore, name) for name in classes.values())


@pytest.mark.parametrize(("code", "name"), KINDS)
def test_every_kind_is_raised_as_its_class(code: int, name: str) -> None:
    with pytest.raises(facecore.FacecoreError, match="^the cause and the remedy$") as caught:
        _native.raise_error(code, "the cause and the remedy")
    assert (type(caught.value).__name__, caught.value.code) == (f"{name}Error", code)
    builtin = [base for base in type(caught.value).__mro__ if base.__module__ == "builtins"]
    assert builtin[0] is not Exception, "it is also the built-in exception that fits"
    again = pickle.loads(pickle.dumps(caught.value))
    assert (type(again), str(again)) == (type(caught.value), "the cause and the remedy")


def test_the_numbers_are_those_of_the_source_and_of_the_c_header() -> None:
    table = (ROOT / "facecore/src/error.rs").read_text()
    rows = re.findall(r'^    (\w+) = (\d+), "(\w+)"', table, re.M)
    assert [(int(code), name) for name, code, _ in rows] == KINDS
    header = (ROOT / "include/facecore.h").read_text()
    constants = re.findall(r"^#define (FACECORE_\w+) (\d+)$", header, re.M)
    assert [(name, code) for name, code in constants if int(code) >= 100] == [(name, code) for _, code, name in rows]


def test_the_builtin_exceptions_that_people_catch() -> None:
    for kind, builtin in [
        (facecore.InvalidArgumentError, ValueError),
        (facecore.IoError, OSError),
        (facecore.ModelNotFoundError, FileNotFoundError),
        (facecore.PersonNotFoundError, KeyError),
        (facecore.GalleryReadOnlyError, PermissionError),
        (facecore.RuntimeNotFoundError, ImportError),
    ]:
        assert issubclass(kind, builtin)


def test_an_unknown_code_is_still_an_error_of_facecore() -> None:
    assert type(exception(1, "text", None)) is facecore.FacecoreError
    with pytest.raises(facecore.InvalidArgumentError):
        _native.raise_error(1, "text")


def test_the_systems_error_number_is_kept(tmp_path) -> None:
    with pytest.raises(OSError) as caught:
        facecore.Image(tmp_path)
    assert isinstance(caught.value, facecore.FacecoreError) and caught.value.errno is not None
    assert str(tmp_path) in str(caught.value)
