"""Intermediate results on disk: made once, never taken for something they are not, never half written."""

import hashlib
import json
from pathlib import Path

import numpy as np

# What comes after a training decides nothing that it learns.
AFTERWARDS = {"card.py", "export.py", "measures.py"}


class Changed(SystemExit):
    """A folder of intermediate results that was made with other settings."""


def check(path, settings):
    """Whether `path` is there. Refuses it if it was made with other settings or another recipe than these."""
    path, record = Path(path), Path(f"{path}.json")
    if not record.exists():
        return False
    settings = settings | {"recipe": recipe()}
    made_with = json.loads(record.read_text())
    if made_with != settings:
        differing = {name: (made_with.get(name), settings.get(name))
                     for name in made_with.keys() | settings.keys() if made_with.get(name) != settings.get(name)}
        said = "; ".join(f"{name} was {was}, is {now}" for name, (was, now) in sorted(differing.items()))
        raise Changed(f"{path} was made with other settings ({said}): give those again, or another --work")
    return path.exists()


def claim(path, settings):
    """Writes down what `path` is about to be made with, so that an interrupted making goes on with the same."""
    record = Path(f"{path}.json")
    settings = settings | {"recipe": recipe()}
    replace(record, lambda partial: partial.write_text(json.dumps(settings, indent=1)))


def replace(path, write):
    """Writes a file so that it is there whole or not at all. `write` is given the place to write to."""
    path = Path(path)
    partial = path.with_name(f"partial-{path.name}")
    write(partial)
    partial.rename(path)


def digest(path):
    """A file's SHA-256."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def recipe():
    """A name for the sources in this folder, which changes with them."""
    sources = [path for path in Path(__file__).parent.glob("*.py") if path.name not in AFTERWARDS]
    return hashlib.sha256("".join(f"{path.name} {digest(path)}\n" for path in sorted(sources)).encode()).hexdigest()


def listing(root, files):
    """The SHA-256 of the names and sizes of files below `root`."""
    lines = [f"{file} {(Path(root) / file).stat().st_size}\n" for file in sorted(files)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def array(path, settings, make):
    """The array that `make()` gives, kept at `path`."""
    if not check(path, settings):
        claim(path, settings)
        replace(path, lambda partial: np.save(partial, make()))
    return np.load(path)


def rows(path, settings, number, make, chunk=2048):
    """The array of `number` rows of which `make(start, stop)` gives some, kept at `path`.

    Interrupted, it goes on after the last whole chunk.
    """
    path = Path(path)
    if not check(path, settings):
        claim(path, settings)
        parts = []
        for start in range(0, number, chunk):
            part = path.with_name(f"{path.stem}-{start}.npy")
            if not part.exists():
                replace(part, lambda partial: np.save(partial, make(start, min(start + chunk, number))))
                print(f"{path.name}: {min(start + chunk, number)} of {number}", flush=True)
            parts.append(part)
        replace(path, lambda partial: np.save(partial, np.concatenate([np.load(part) for part in parts])))
        for part in parts:
            part.unlink()
    return np.load(path)
