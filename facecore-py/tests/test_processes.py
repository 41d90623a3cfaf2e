"""Processes that fork, and what a child may do."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import textwrap

import pytest

import facecore

from .conftest import embedding


def in_fork(task) -> str:
    """What `task` answers in a forked child."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            answer = str(task())
        except BaseException as error:  # noqa: BLE001
            answer = f"{type(error).__name__}: {error}"
        os.write(writer, answer.encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    return answer


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_is_refused_in_words(recognizer, images, tmp_path) -> None:
    gallery = facecore.Gallery(tmp_path / "g")
    gallery.add("ada", embedding(1))
    for task in (
        lambda: recognizer.recognize(images / "obama.jpg"),
        lambda: gallery.search(embedding(1)),
        lambda: gallery.add("bo", embedding(2)),
        lambda: gallery.close(),
        lambda: facecore.Gallery(),
    ):
        answer = in_fork(task)
        assert answer.startswith("ForkedError: process") and 'get_context("spawn")' in answer
    assert [person.id for person in gallery] == ["ada"]
    gallery.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_childs_garbage_does_not_touch_the_parents_gallery(tmp_path) -> None:
    gallery = facecore.Gallery(tmp_path / "g", durability="relaxed")
    for number in range(1200):
        gallery.add(f"p{number}", embedding(number))

    def drop() -> str:
        nonlocal gallery
        del gallery
        return "dropped"

    before = sorted(os.listdir(tmp_path / "g"))
    assert in_fork(drop) == "dropped"
    assert sorted(os.listdir(tmp_path / "g")) == before
    gallery.add("ada", embedding(5000))
    gallery.close()
    with facecore.Gallery(tmp_path / "g") as again:
        assert len(again) == 1201 and again.verify()


def count(folder: str) -> int:
    with facecore.Gallery(folder, read_only=True) as gallery:
        return len(gallery)


def test_spawned_workers_work(tmp_path) -> None:
    with facecore.Gallery(tmp_path / "g") as gallery:
        gallery.add("ada", embedding(1))
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert pool.map(count, [str(tmp_path / "g")] * 3) == [1, 1, 1]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_process_that_forks_before_using_it_is_fine() -> None:
    program = """
        import os, facecore
        child = os.fork()
        gallery = facecore.Gallery()
        gallery.add("ada", facecore.Embedding([1.0] * 64, "test", threshold=0.4))
        assert len(gallery) == 1
        if child:
            assert os.waitpid(child, 0)[1] == 0
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=True, timeout=60)


def test_a_killed_writer_loses_nothing_it_was_told_is_done(tmp_path) -> None:
    program = """
        import sys, facecore
        gallery = facecore.Gallery(sys.argv[1])
        for number in range(10**9):
            values = [1.0] * 63 + [float(number)]
            gallery.add(f"p{number}", facecore.Embedding(values, "test", threshold=0.4))
            print(number, flush=True)
    """
    command = [sys.executable, "-c", textwrap.dedent(program), str(tmp_path / "g")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        told = [writer.stdout.readline() for _ in range(50)]
        writer.kill()
        told += writer.stdout.readlines()
    with facecore.Gallery(tmp_path / "g", create=False) as gallery:
        last = int([line for line in told if line.endswith("\n")][-1])
        assert all(f"p{number}" in gallery for number in range(last + 1))
        assert len(gallery) in (last + 1, last + 2) and gallery.verify()
