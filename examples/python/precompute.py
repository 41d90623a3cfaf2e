"""Embed a tree of photos into one .npz file. Run it again, and it looks at new and changed photos only.

    python examples/python/precompute.py photos/ faces.npz

The file holds one row a photo: `paths` (below the tree), `changed` (when it was, in nanoseconds) and `errors` ("" if
there is none); one row a face, best of its photo first: `photo` (its row in `paths`), `boxes`, `scores`,
`embeddings`; and the `space` and `threshold` of the embeddings.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import sys
import time
from typing import NamedTuple

import numpy

import facecore

ENDINGS = {".bmp", ".gif", ".jpeg", ".jpg", ".png", ".webp"}
SAVE_EVERY = 60.0  # seconds


class Photo(NamedTuple):
    changed: int
    error: str
    boxes: numpy.ndarray
    scores: numpy.ndarray
    embeddings: numpy.ndarray


def look(outcome: facecore.Outcome[facecore.Recognition], changed: int, dimension: int) -> Photo:
    faces = outcome.value.faces if outcome.value else ()
    return Photo(
        changed,
        "" if outcome.error is None else str(outcome.error),
        numpy.array([face.box for face in faces], "float32").reshape(-1, 4),
        numpy.array([face.score for face in faces], "float32"),
        numpy.array([face.embedding.values for face in faces], "float32").reshape(-1, dimension),
    )


def load(file: pathlib.Path, space: facecore.Space) -> dict[str, Photo]:
    if not file.exists():
        return {}
    with numpy.load(file) as stored:
        if stored["space"] != space.id:
            raise SystemExit(f"error: {file} holds embeddings of {stored['space']}, these models make {space.id}")
        ends = numpy.searchsorted(stored["photo"], range(1, len(stored["paths"])))
        rows = zip(*(numpy.split(stored[name], ends) for name in ("boxes", "scores", "embeddings")))
        photos = zip(stored["paths"], stored["changed"], stored["errors"], rows)
        return {str(path): Photo(int(changed), str(error), *of) for path, changed, error, of in photos}


def save(file: pathlib.Path, photos: dict[str, Photo], space: facecore.Space) -> None:
    if not photos:
        return
    changed, errors, boxes, scores, embeddings = zip(*photos.values())
    # Beside the file and renamed, so that whoever reads it meets a whole one.
    new = file.with_name(file.name + ".new")
    with new.open("wb") as out:
        numpy.savez(
            out,
            paths=list(photos),
            changed=changed,
            errors=errors,
            photo=numpy.repeat(range(len(photos)), [len(of_photo) for of_photo in scores]),
            boxes=numpy.concatenate(boxes),
            scores=numpy.concatenate(scores),
            embeddings=numpy.concatenate(embeddings),
            space=space.id,
            threshold=space.threshold,
        )
    os.replace(new, file)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tree", type=pathlib.Path, help="the folder of photos, with all folders in it")
    parser.add_argument("file", type=pathlib.Path, help="the .npz file")
    parser.add_argument("--pack", help="the models; by default what FACECORE_PACK names, or else the built-in ones")
    given = parser.parse_args()

    if not given.tree.is_dir():
        parser.error(f"there is no folder {given.tree}")

    # One thread a photo, and as many photos at once as there are CPUs.
    with facecore.Recognizer(given.pack, many_photos=True) as recognizer:
        space = recognizer.space
        found = {
            path.relative_to(given.tree).as_posix(): path.stat().st_mtime_ns
            for path in sorted(given.tree.rglob("*"))
            if path.suffix.lower() in ENDINGS
        }
        known = load(given.file, space)
        photos = {path: known[path] for path in found if path in known and known[path].changed == found[path]}
        missing = [path for path in found if path not in photos]
        print(f"{len(found)} photos, {len(missing)} to look at")

        saved = time.monotonic()
        try:
            outcomes = recognizer.recognize_many(given.tree / path for path in missing)
            for path, outcome in zip(missing, outcomes):
                photos[path] = look(outcome, found[path], space.dimension)
                if outcome.error is not None:
                    print(f"  {outcome.error}")
                if time.monotonic() - saved > SAVE_EVERY:
                    save(given.file, photos, space)
                    saved = time.monotonic()
        except KeyboardInterrupt:
            print("interrupted; what was done is kept")
        save(given.file, photos, space)

    faces = sum(len(photo.scores) for photo in photos.values())
    print(f"{len(photos)} photos, {faces} faces in {given.file}")


if __name__ == "__main__":
    try:
        main()
    except facecore.FacecoreError as error:
        sys.exit(f"error: {error}")
