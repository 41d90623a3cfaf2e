"""Pickles of other programs, and of those who mean harm."""

from __future__ import annotations

import collections
import os
import pathlib
import pickle
import pickletools
import struct
import tracemalloc
from typing import Any

import numpy
import pytest

import facecore

VECTORS = [[0.6, 0.8, 0.0], [0.0, -1.5, 2.0], [1.0, 2.0, 3.0]]
ARRAYS = [numpy.array(vector) for vector in VECTORS]
NAMES = ["ada", "Ωμέγα 😀", "ada"]
SPACE = facecore.Space("dlib", 0.9, 64)


def written(tmp_path: pathlib.Path, value: Any, protocol: int = pickle.DEFAULT_PROTOCOL) -> pathlib.Path:
    file = tmp_path / "faces.pkl"
    file.write_bytes(value if isinstance(value, bytes) else pickle.dumps(value, protocol))
    return file


def read(tmp_path: pathlib.Path, value: Any, protocol: int = pickle.DEFAULT_PROTOCOL, **more: Any) -> list[Any]:
    faces = facecore.read_pickle(written(tmp_path, value, protocol), **more)
    return [(face.person, None if face.vector is None else face.vector.tolist()) for face in faces]


PAIRS = list(zip(NAMES, VECTORS))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    "value",
    [
        {"encodings": ARRAYS, "names": NAMES},
        {"embeddings": VECTORS, "persons": tuple(NAMES), "made": 2026},
        {"encodings": numpy.array(VECTORS), "names": numpy.array(NAMES)},
        {"encodings": numpy.array(VECTORS, order="F"), "names": numpy.array(NAMES, object)},
        {"encodings": numpy.array(VECTORS, ">f8"), "names": [numpy.str_(name) for name in NAMES]},
        (ARRAYS, NAMES),
        [NAMES, VECTORS],
        list(zip(NAMES, ARRAYS)),
        [{"name": name, "embedding": vector} for name, vector in PAIRS],
        [{"label": name, "encoding": array, "box": (1, 2)} for name, array in zip(NAMES, ARRAYS)],
    ],
)
def test_what_programs_write_is_read(tmp_path: pathlib.Path, value: Any, protocol: int) -> None:
    assert read(tmp_path, value, protocol) == PAIRS


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("kind", [dict, collections.OrderedDict, lambda items: collections.defaultdict(list, items)])
def test_dictionaries_by_name(tmp_path: pathlib.Path, kind: Any, protocol: int) -> None:
    by_name = kind({"ada": [ARRAYS[0], ARRAYS[2]], "bo": VECTORS[1], "cy": numpy.array(VECTORS[:2], numpy.float32)})
    expected = [("ada", VECTORS[0]), ("ada", VECTORS[2]), ("bo", VECTORS[1])]
    found = read(tmp_path, by_name, protocol)
    assert found[:3] == expected and [name for name, _ in found[3:]] == ["cy", "cy"]
    assert found[3][1] == numpy.float32(VECTORS[0]).tolist()
    assert read(tmp_path, kind({"ada": [numpy.float64(0.5), 1, 2]}), protocol) == [("ada", [0.5, 1, 2])]


def test_numpy_1_and_python_2(tmp_path: pathlib.Path) -> None:
    # Names of modules as NumPy 1 has them.
    text = pickle.dumps({"ada": ARRAYS[0]}, 0).replace(b"numpy._core", b"numpy.core")
    assert b"numpy.core" in text and read(tmp_path, text) == [("ada", VECTORS[0])]
    data = numpy.array(VECTORS[0]).tobytes()
    old = b"(dp0\nS'ada'\np1\ncnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR(I1\n(I3\ntcnumpy\ndtype\n"
    old += b"(S'f8'\nI0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntbI00\nU\x18" + data + b"tbs."
    assert read(tmp_path, old) == [("ada", VECTORS[0])]


def test_deepface_keeps_paths(tmp_path: pathlib.Path) -> None:
    def records(*paths: str) -> list[dict[str, Any]]:
        return [
            {"identity": path, "hash": "0a", "embedding": VECTORS[0], "target_x": 1, "face_confidence": 0.9}
            for path in paths
        ]

    def persons(*paths: str, **more: Any) -> list[str]:
        return [person for person, _ in read(tmp_path, records(*paths), **more)]

    assert persons("db/ada/1.jpg", "db/ada/2.jpg", "db/bo/x/1.jpg", "db/c.y.jpg") == ["ada", "ada", "bo", "c.y"]
    assert persons("C:\\db\\ada\\1.jpg", "C:\\db\\bo.jpg") == ["ada", "bo"]
    for flat in (["db/ada.jpg", "db/bo.jpg"], ["db/ada/1.jpg"]):
        with pytest.raises(facecore.InvalidArgumentError, match="person="):
            persons(*flat)
        stems = persons(*flat, person=lambda record: pathlib.Path(record["identity"]).stem)
        assert stems == [pathlib.Path(path).stem for path in flat]
    faces = facecore.read_pickle(written(tmp_path, [*records("db/ada/1.jpg", "db/bo/1.jpg"), *records("db/c.jpg")]))
    assert [face.source for face in faces] == ["db/ada/1.jpg", "db/bo/1.jpg", "db/c.jpg"]
    # Where deepface found no face.
    missing = records("db/ada/1.jpg", "db/bo/1.jpg")
    missing[1]["embedding"] = None
    assert read(tmp_path, missing) == [("ada", VECTORS[0]), ("bo", None)]


class Calls:
    def __init__(self, function: Any, *arguments: Any) -> None:
        self.reduced = (function, arguments)

    def __reduce__(self) -> Any:
        return self.reduced


def test_nothing_is_executed(tmp_path: pathlib.Path) -> None:
    mark = tmp_path / "mark"
    touch = f"open({str(mark)!r}, 'w')"
    hostile: list[Any] = [
        Calls(os.system, f"touch {mark}"),
        Calls(eval, touch),
        Calls(exec, touch),
        Calls(__import__, "this"),
        Calls(getattr, pathlib.Path(mark), "touch"),
        Calls(numpy.load, str(mark)),
        Calls(pickle.loads, pickle.dumps(Calls(eval, touch))),
        Calls(map, eval, [touch]),
        collections.deque([1.0]),
        {"encodings": [Calls(eval, touch)], "names": ["ada"]},
        {"ada": [Calls(Calls, Calls(eval, touch))]},
    ]
    for value in hostile:
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            with pytest.raises(facecore.InvalidArgumentError, match="which is not called"):
                read(tmp_path, value, protocol)
    assert not mark.exists()


def test_allowed_names_cannot_be_bent(tmp_path: pathlib.Path) -> None:
    for text in [
        # A method of an allowed class, by a dotted name, and by another module's attribute.
        b"\x80\x04\x8c\x05numpy\x8c\x10ndarray.tofile\x93.",
        b"\x80\x04\x8c\x05numpy\x8c\x0edtype.__init__\x93.",
        b"cnumpy._core.multiarray\n_reconstruct.__globals__\n.",
        # Calling what may only be named, and what is no name at all.
        b"cnumpy\nndarray\n(I3\ntR.",
        b"cbuiltins\nlist\n)R.",
        b"S'numpy.dtype'\n(S'f8'\ntR.",
        b"cnumpy\ndtype\n(S'f8'\ntR(S'f8'\ntR.",
        # A state for a function, a dictionary, a list.
        b"cnumpy._core.multiarray\n_reconstruct\n}S'a'\nI1\nsb.",
        b"}}S'__class__'\nI1\nsb.",
        b"]}b.",
        # Element types of objects, records, and with metadata.
        b"cnumpy\ndtype\n(S'V8'\ntR.",
        b"cnumpy\ndtype\n(S'f8,f8'\ntR.",
        b"cnumpy\ndtype\n(]tR.",
        # Extensions, persistent ids, instances, out-of-band buffers.
        b"\x82\x01.", b"Pid\n.", b"(S'a'\nios\nsystem\n.", b"(cos\nsystem\nS'true'\no.", b"\x80\x05\x97.", b"\x8f.",
    ]:  # fmt: skip
        with pytest.raises(facecore.InvalidArgumentError):
            read(tmp_path, text)


def array(shape: tuple[int, ...], data: bytes, letter: str = "f8") -> bytes:
    """A pickled array, whether it can be or not."""
    lengths = b"".join(b"I%d\n" % length for length in shape)
    kind = b"cnumpy\ndtype\n(S'%s'\nI0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntb" % letter.encode()
    head = b"cnumpy._core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I99999999999\ntS'b'\ntR"
    return head + b"(I1\n(" + lengths + b"t" + kind + b"I00\nB" + struct.pack("<I", len(data)) + data + b"tb"


def test_no_memory_is_taken_for_what_is_not_there(tmp_path: pathlib.Path) -> None:
    names = b"}(S'ada'\n"
    assert read(tmp_path, names + array((2,), bytes(16)) + b"u.") == [("ada", [0, 0])]
    for text in [
        names + array((1 << 40,), b"") + b"u.",
        names + array((1 << 40, 0), b"") + b"u.",
        names + array((-1, -1), bytes(8)) + b"u.",
        names + array((1,), b"", "U0") + b"u.",
        names + array((1,), bytes(4), "U999999999") + b"u.",
        # Lengths of texts, numbers and frames that the file does not have; a place in the memo far off.
        b"\x8d" + b"\xff" * 8 + b"x.",
        b"\x8e\x00\x00\x00\x00\x00\x00\x00\x40.",
        b"\x8b\xff\xff\xff\x7f1.",
        b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7f]N.",
        b"I" + b"9" * 10_000 + b"\n.",
        b"I1\np" + b"9" * 30 + b"\n.",
    ]:
        with pytest.raises(facecore.InvalidArgumentError):
            read(tmp_path, text)
    # The memo is a dictionary: a place far off is a place like any other.
    assert read(tmp_path, b"]r\xff\xff\xff\xff.") == []


MEGABYTE = 1_000_000


def called(callee: bytes, arguments: bytes, times: int) -> bytes:
    """A list of what a call gives that is made so many times, both out of the memo."""
    return b"\x80\x04]" + callee + b"q\x000" + arguments + b"q\x010(" + b"h\x00h\x01R" * times + b"e."


def again_and_again() -> dict[str, bytes]:
    """Files of a megabyte or two that name it two hundred times."""
    numbers, text, length = numpy.zeros(MEGABYTE, numpy.uint8), b"a" * MEGABYTE, struct.pack("<I", MEGABYTE)
    records = [{"identity": f"{'ab/' * (MEGABYTE // 3)}{n}/x", "embedding": None} for n in range(2)]
    kind = b"cnumpy\ndtype\nU\x05%s\x85R"
    shape, long_text = b"(J" + length + b"t", b"B\x88\x13\0\0" + bytes(5000)
    return {
        "list": pickle.dumps({"ada": [numbers] * 200}),
        "tuple": pickle.dumps({"ada": (numbers,) * 200}),
        "rows": pickle.dumps(dict.fromkeys(map(str, range(200)), numbers.reshape(1000, 1000))),
        "pairs": pickle.dumps([("ada", numbers)] * 200),
        "names": pickle.dumps({"encodings": [None] * 200, "names": [text] * 200}),
        "paths": pickle.dumps(records * 100),
        "encoded": called(b"c_codecs\nencode\n", b"X" + length + text + b"X\6\0\0\0latin1\x86", 200),
        "buffer": called(
            b"cnumpy._core.numeric\n_frombuffer\n",
            b"(\x96" + length + bytes(4) + text + kind.replace(b"\5%s", b"\2u1") + shape + b"U\1Ct",
            200,
        ),
        # Here it is the calls that fill the file.
        "scalar": called(
            b"cnumpy._core.multiarray\nscalar\n", b"(" + kind % b"S5000" + long_text + b"t", MEGABYTE // 5
        ),
    }


@pytest.mark.parametrize("name", list(again_and_again()))
def test_memory_is_in_proportion_to_the_file(tmp_path: pathlib.Path, name: str) -> None:
    file = written(tmp_path, again_and_again()[name])
    tracemalloc.start()
    try:
        with pytest.raises(facecore.InvalidArgumentError, match="again and again"):
            facecore.read_pickle(file)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # A byte may become a 64-bit float, and three of a path a text in a list.
    assert peak < 45 * file.stat().st_size, f"{peak / 1e6:.0f} MB"


def test_vectors_named_over_and_over_are_refused(tmp_path: pathlib.Path) -> None:
    several = [[0.5]] * 3000
    with pytest.raises(facecore.InvalidArgumentError, match="again and again"):
        read(tmp_path, {f"p{number}": several for number in range(3000)})
    # Lists that are looked through only to find that they are no vectors.
    with pytest.raises(facecore.InvalidArgumentError, match="again and again"):
        read(tmp_path, dict.fromkeys(map(str, range(3000)), [*several, None]))
    # A list that is twice the one before it, and so on.
    doubled: Any = [1.0]
    for _ in range(60):
        doubled = [doubled, doubled]
    faces = facecore.read_pickle(written(tmp_path, {"ada": doubled}))
    assert all(face.vector is None for face in faces)


def test_depth_and_cycles_do_no_harm(tmp_path: pathlib.Path) -> None:
    deep = b"]" * 100_000 + b"a" * 99_999 + b"."
    with pytest.raises(facecore.InvalidArgumentError):
        read(tmp_path, deep)
    tuples = b"(" * 100_000 + b"N" + b"t" * 100_000 + b"."
    with pytest.raises(facecore.InvalidArgumentError):
        read(tmp_path, tuples)
    with pytest.raises(facecore.InvalidArgumentError, match="keys of dictionaries are texts"):
        read(tmp_path, b"}(" + b"(" * 100_000 + b"N" + b"t" * 100_000 + b"Nu.")
    cycle: list[Any] = []
    cycle.append(cycle)
    with pytest.raises(facecore.InvalidArgumentError):
        read(tmp_path, cycle)


def test_damaged_and_strange_files_are_refused(tmp_path: pathlib.Path) -> None:
    good = pickle.dumps({"encodings": ARRAYS, "names": NAMES})
    random = numpy.random.default_rng(5)
    for cut in range(len(good)):
        with pytest.raises(facecore.InvalidArgumentError):
            read(tmp_path, good[:cut])
    for _ in range(3000):
        damaged = bytearray(good)
        for place in random.integers(0, len(good), size=random.integers(1, 4)):
            damaged[place] = random.integers(0, 256)
        try:
            read(tmp_path, bytes(damaged))
        except facecore.InvalidArgumentError:
            pass
    for value in (b"", b".", b"PK\x03\x04", 7, "ada", {"ada": 7}.get, [1, 2, 3], [{"name": "ada"}, 3]):
        with pytest.raises(facecore.InvalidArgumentError):
            read(tmp_path, value)
    # Names by themselves are somebody without a vector.
    assert read(tmp_path, {"names": NAMES}) == [("names", None)]
    for value, what in [
        ({"encodings": ARRAYS, "names": NAMES[:2]}, "2 names and 3 vectors"),
        ({"encodings": ARRAYS, "names": 3}, "two lists"),
        ([{"embedding": VECTORS[0]}], "`name` or an `identity`"),
        ([("ada", VECTORS[0]), (7, VECTORS[1]), ("bo", VECTORS[2])], "a name is a text"),
    ]:
        with pytest.raises(facecore.InvalidArgumentError, match=what):
            read(tmp_path, value)
    with pytest.raises(facecore.FileMissingError):
        facecore.read_pickle(tmp_path / "none.pkl")
    with pytest.raises(facecore.IoError):
        facecore.read_pickle(tmp_path)
    assert read(tmp_path, []) == []


def test_every_instruction_is_known_of() -> None:
    """What is neither carried out nor refused by name would pass unseen."""
    from facecore import _pickles

    machine = _pickles._Machine(_pickles._Budget(0))
    carried = set(_pickles._PUSHES) | set(_pickles._CONSTANTS) | {"STOP", "PROTO", "FRAME", "READONLY_BUFFER"}
    refused = {"EXT1", "EXT2", "EXT4", "PERSID", "BINPERSID", "INST", "OBJ", "NEWOBJ_EX", "NEXT_BUFFER"}
    refused |= {"EMPTY_SET", "ADDITEMS", "FROZENSET", "DUP"}
    for opcode in pickletools.opcodes:
        if opcode.name in refused:
            with pytest.raises(facecore.InvalidArgumentError, match=opcode.name):
                machine.step(opcode.name, None)
        elif opcode.name not in carried:
            assert f'"{opcode.name}"' in pathlib.Path(_pickles.__file__).read_text()


def test_vectors_are_enrolled(tmp_path: pathlib.Path) -> None:
    random = numpy.random.default_rng(1)
    good = [random.normal(size=64) for _ in range(6)]
    bad = [numpy.zeros(64), numpy.full(64, numpy.nan), random.normal(size=63)]
    names = ["ada", "bo", "ada", "cy", "dee", "ada", "zero", "nan", "short"]
    file = written(tmp_path, {"encodings": good + bad, "names": names})
    gallery = facecore.Gallery()
    with pytest.raises(facecore.InvalidEmbeddingError):
        gallery.import_pickle(file, space=SPACE)
    assert len(gallery) == 0
    done: list[facecore.EnrolledPhoto] = []
    enrolment = gallery.import_pickle(file, space=SPACE, skip_errors=True, each=done.append)
    assert tuple(done) == enrolment.photos and len(done) == 9
    assert (enrolment.persons, len(enrolment.faces), len(gallery)) == (("ada", "bo", "cy", "dee"), 6, 4)
    assert [(item.person, type(item.error).__name__) for item in enrolment.failed] == [
        ("zero", "InvalidEmbeddingError"),
        ("nan", "InvalidEmbeddingError"),
        ("short", "DimensionMismatchError"),
    ]
    assert gallery.space == SPACE
    probe = facecore.Embedding(good[1], SPACE.id, threshold=SPACE.threshold)
    assert gallery.search(probe)[0].person == "bo"
    # The same again is nothing new.
    again = gallery.import_pickle(file, space=SPACE, skip_errors=True)
    assert again.faces == enrolment.faces and gallery.face_count == 6
    with pytest.raises(facecore.EmbeddingSpaceMismatchError):
        gallery.import_pickle(written(tmp_path, {"ada": good[0]}), space=facecore.Space("other", 0.4, 64))
