"""Which runtime is found, and what is said where there is none."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import subprocess
import sys
import textwrap

import pytest

import facecore


def in_new_process(program: str, *arguments: object, **environment: str) -> dict:
    """What a program prints as JSON, run where no runtime is found but the environment's."""
    usual = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "ORT_DYLIB_PATH")}
    nowhere = {"HOME": "/nonexistent", "XDG_DATA_HOME": "/nonexistent"}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), *map(str, arguments)],
        env={**usual, **nowhere, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


RECOGNIZE = """
    import json, sys, warnings, facecore
    if sys.argv[1] == "hide":
        sys.modules["onnxruntime"] = None
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        recognizer = facecore.Recognizer(detector=sys.argv[2], embedder=sys.argv[3])
    (face,) = recognizer.recognize(sys.argv[4])
    print(json.dumps({
        "runtime": recognizer.placement[1].runtime,
        "notes": recognizer.placement[1].notes,
        "said": [f"{warning.category.__name__}: {warning.message}" for warning in said],
        "from": [warning.filename for warning in said],
        "imported": [name for name in sys.modules if name.startswith("onnxruntime") and sys.modules[name]],
        "doctor": str(facecore.doctor()),
    }))
"""


def test_the_environments_runtime_is_found_and_not_imported(pack_options, images) -> None:
    if importlib.util.find_spec("onnxruntime") is None:
        message = "not tested: no onnxruntime package is installed in this environment"
        if os.environ.get("FACECORE_REQUIRE_TEST_DATA") == "1":
            pytest.fail(message)
        pytest.skip(message)
    told = in_new_process(RECOGNIZE, "show", *pack_options.values(), images / "obama.jpg")
    versions = [
        importlib.metadata.version(name)
        for name in ("onnxruntime", "onnxruntime-openvino", "onnxruntime-gpu")
        if any(name == found.metadata["Name"] for found in importlib.metadata.distributions())
    ]
    assert told["runtime"] in [f"onnxruntime {version}" for version in versions]
    assert told["imported"] == [] and told["said"] == []
    assert "the program's environment" in told["doctor"]


def test_without_any_the_built_in_runtime_serves_and_says_so(pack_options, images) -> None:
    told = in_new_process(RECOGNIZE, "hide", *pack_options.values(), images / "obama.jpg")
    assert told["runtime"].startswith("rten ")
    (said,) = told["said"]
    assert said.startswith("FacecoreWarning: models run on the built-in runtime") and "facecore[cpu]" in said
    assert told["from"] == ["<string>"], "the warning points at the caller"
    assert any("no ONNX Runtime library was found" in note for note in told["notes"])
    assert "built in: rten" in told["doctor"]


def test_a_library_that_is_none_is_refused(pack_options, tmp_path) -> None:
    fake = tmp_path / "libonnxruntime.so"
    fake.write_bytes(b"no library")
    program = """
        import json, sys, facecore
        try:
            facecore.Detector(detector=sys.argv[1], library=sys.argv[2])
        except facecore.FacecoreError as error:
            print(json.dumps({"kind": type(error).__name__, "says": str(error)}))
    """
    told = in_new_process(program, pack_options["detector"], fake)
    assert told["kind"] == "RuntimeInvalidError" and str(fake) in told["says"]
    told = in_new_process(program, pack_options["detector"], tmp_path / "none")
    assert told["kind"] == "RuntimeNotFoundError" and "none" in told["says"]


def test_doctor_tells_where_it_looked() -> None:
    report = facecore.doctor()
    assert report.builtin is not None and report.builtin.startswith("rten")
    assert any(place.startswith("ORT_DYLIB_PATH") for place, _ in report.looked)
    assert (report.runtime is None) != (report.missing is None)
    assert json.loads(json.dumps(report.to_dict()))["builtin"] == report.builtin
