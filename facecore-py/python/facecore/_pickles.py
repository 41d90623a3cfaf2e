"""Names and vectors from other programs' pickles, read without executing anything.

A pickle is a program: `pickle.load` imports and calls what the file names. Here its instructions are carried out one by
one on plain values. What a file names is never imported: of a few names it is known what they stand for (an array, a
number, a dictionary), and any other ends the reading. No instruction takes memory that the file does not fill, and what
instructions copy is charged to a budget, because a file may name a value over and over.
"""

from __future__ import annotations

import math
import os
import pickletools
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

import numpy
from numpy.typing import NDArray

from ._errors import FacecoreError, FileMissingError, InvalidArgumentError, IoError
from ._packs import StrPath
from ._results import PickledFace

Record: TypeAlias = dict[str, Any]
"""What a list of dictionaries holds for a face."""

_VECTORS = ("encodings", "embeddings", "vectors")
_NAMES = ("names", "persons", "labels", "ids")
_VECTOR = ("embedding", "encoding", "vector")
_NAME = ("name", "person", "label", "id")


class _Budget:
    """How many more bytes or numbers may be made of a file."""

    def __init__(self, left: int) -> None:
        self.left = left

    def take(self, count: int) -> None:
        """To be called before what it is for is made."""
        self.left -= count
        if self.left < 0:
            raise InvalidArgumentError("it names the same values again and again; write each face once")


class _Name(str):
    """Something that the file names: `module.name`. It stays a name."""


class _Type:
    """An element type on its way: `f8`, and then its byte order."""

    def __init__(self, letter: str) -> None:
        if not re.fullmatch(r"[fiu][1248]|f16|[US][1-9]\d{0,3}|b1|O8?", letter):
            raise InvalidArgumentError(f"arrays of the type {letter!r} are not read")
        self.letter, self.order = letter, "="

    def build(self, state: Any) -> None:
        if not (isinstance(state, tuple) and len(state) > 1 and state[1] in ("<", ">", "|", "=")):
            raise ValueError("an element type has no byte order")
        self.order = "=" if state[1] == "|" else state[1]

    def numpy(self) -> numpy.dtype[Any]:
        return numpy.dtype(self.order + self.letter)


class _Array:
    """An array on its way."""

    def __init__(self, budget: _Budget) -> None:
        self.budget = budget
        self.value: Any = None

    def build(self, state: Any) -> None:
        if not (isinstance(state, tuple) and len(state) == 5 and isinstance(state[2], _Type)):
            raise ValueError("the state of an array is not as NumPy writes it")
        _, shape, element, fortran, data = state
        self.fill(shape, element, "F" if fortran else "C", data)

    def fill(self, shape: Any, element: _Type, order: str, data: Any) -> None:
        if not (isinstance(shape, tuple) and all(type(length) is int and length >= 0 for length in shape)):
            raise ValueError("the shape of an array is not one")
        if 0 in shape and len(shape) > 1:
            raise ValueError("an array without numbers may have any number of rows")
        if element.letter.startswith("O"):
            # Of objects there is a list.
            if not isinstance(data, list) or len(shape) != 1 or len(data) != shape[0]:
                raise ValueError("an array of objects is not as NumPy writes it")
            self.value = data
            return
        kind = element.numpy()
        if not isinstance(data, (str, bytes, bytearray)) or len(data) != math.prod(shape) * kind.itemsize:
            raise ValueError("an array's bytes are not as many as its shape says")
        if not isinstance(data, bytes):
            self.budget.take(len(data))
            # A text is how Python 2 wrote bytes.
            data = data.encode("latin-1") if isinstance(data, str) else bytes(data)
        flat = numpy.frombuffer(data, kind)
        self.value = flat.reshape(shape, order="F" if order == "F" else "C")


def _of_type(arguments: tuple[Any, ...], _: _Budget) -> Any:
    if not arguments or not isinstance(arguments[0], str):
        raise ValueError("an element type has no name")
    return _Type(arguments[0])


def _reconstructed(_: tuple[Any, ...], budget: _Budget) -> Any:
    # Its state follows.
    return _Array(budget)


def _from_buffer(arguments: tuple[Any, ...], budget: _Budget) -> Any:
    data, element, shape, order = arguments
    if not isinstance(element, _Type):
        raise ValueError("an array has no element type")
    array = _Array(budget)
    array.fill(shape, element, order, data)
    return array


def _scalar(arguments: tuple[Any, ...], budget: _Budget) -> Any:
    element, data = arguments
    if not isinstance(element, _Type) or element.letter[0] not in "fiubUS":
        raise ValueError("a number has no type")
    array = _Array(budget)
    array.fill((1,), element, "C", data)
    # Texts are long.
    budget.take(len(data))
    return array.value[0].item()


def _encoded(arguments: tuple[Any, ...], budget: _Budget) -> Any:
    text, encoding = arguments
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise ValueError("bytes are not as Python writes them")
    budget.take(len(text))
    return text.encode("latin-1")


def _dictionary(arguments: tuple[Any, ...], _: _Budget) -> Any:
    # A dictionary's items follow; what makes the values that it lacks is of no concern.
    if any(not isinstance(argument, _Name) for argument in arguments):
        raise ValueError("a dictionary is not as Python writes it")
    return {}


# What may be called, and what it makes.
_CALLS: dict[str, Callable[[tuple[Any, ...], _Budget], Any]] = {
    "numpy.dtype": _of_type,
    "_codecs.encode": _encoded,
    "collections.OrderedDict": _dictionary,
    "collections.defaultdict": _dictionary,
}
for _core in ("numpy.core", "numpy._core"):
    _CALLS[f"{_core}.multiarray._reconstruct"] = _reconstructed
    _CALLS[f"{_core}.multiarray.scalar"] = _scalar
    _CALLS[f"{_core}.numeric._frombuffer"] = _from_buffer

# What may be named, without being called.
_NAMED = {"numpy.ndarray", "builtins.list", "builtins.dict", "__builtin__.list", "__builtin__.dict", *_CALLS}

_MARK = object()

_PUSHES = {
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT",
    "STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8",
    "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8",
}  # fmt: skip
_CONSTANTS: dict[str, Any] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}


class _Machine:
    """Carries out the instructions of a pickle on plain values."""

    def __init__(self, budget: _Budget) -> None:
        self.budget = budget
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def run(self, data: bytes) -> Any:
        for instruction, argument, _ in pickletools.genops(data):
            name = instruction.name
            if name in _PUSHES:
                self.stack.append(argument)
            elif name == "STOP":
                return self.stack.pop()
            elif name in _CONSTANTS:
                self.stack.append(_CONSTANTS[name])
            elif name not in ("PROTO", "FRAME", "READONLY_BUFFER"):
                self.step(name, argument)
        raise ValueError("it does not end")

    def step(self, name: str, argument: Any) -> None:
        stack = self.stack
        match name:
            case "MARK":
                stack.append(_MARK)
            case "MEMOIZE":
                self.memo[len(self.memo)] = stack[-1]
            case "PUT" | "BINPUT" | "LONG_BINPUT" if argument < 2**32:
                self.memo[argument] = stack[-1]
            case "GET" | "BINGET" | "LONG_BINGET" if argument in self.memo:
                stack.append(self.memo[argument])
            case "EMPTY_LIST":
                stack.append([])
            case "EMPTY_TUPLE":
                stack.append(())
            case "EMPTY_DICT":
                stack.append({})
            case "LIST":
                stack.append(self.marked())
            case "TUPLE":
                stack.append(tuple(self.marked()))
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                taken = [self.pop() for _ in range(int(name[-1]))]
                stack.append(tuple(taken[::-1]))
            case "DICT":
                items = self.marked()
                stack.append(self.set_items({}, items))
            case "APPEND":
                item = self.pop()
                self.top(list).append(item)
            case "APPENDS":
                items = self.marked()
                self.top(list).extend(items)
            case "SETITEM":
                value, key = self.pop(), self.pop()
                self.set_items(self.top(dict), [key, value])
            case "SETITEMS":
                items = self.marked()
                self.set_items(self.top(dict), items)
            case "POP":
                stack.pop()
            case "POP_MARK":
                self.marked()
            case "GLOBAL":
                stack.append(_named(argument.replace(" ", ".", 1)))
            case "STACK_GLOBAL":
                attribute, module = self.pop(), self.pop()
                if not (isinstance(module, str) and isinstance(attribute, str)):
                    raise ValueError("a name is no text")
                stack.append(_named(f"{module}.{attribute}"))
            case "REDUCE" | "NEWOBJ":
                arguments, callee = self.pop(), self.pop()
                make = _CALLS.get(callee) if isinstance(callee, _Name) else None
                if make is None or not isinstance(arguments, tuple):
                    raise ValueError("something is called that cannot be")
                stack.append(make(arguments, self.budget))
            case "BUILD":
                state, built = self.pop(), stack[-1]
                if not isinstance(built, (_Array, _Type)):
                    raise ValueError("something is given a state that has none")
                built.build(state)
            case _:
                raise InvalidArgumentError(f"the instruction {name} ({argument!r:.60}) is not carried out")

    def pop(self) -> Any:
        value = self.stack.pop()
        if value is _MARK:
            raise ValueError("a value is missing")
        return value

    def top(self, kind: type) -> Any:
        if not isinstance(self.stack[-1], kind):
            raise ValueError(f"there is no {kind.__name__} to add to")
        return self.stack[-1]

    def marked(self) -> list[Any]:
        """Takes what is above the last mark, and the mark."""
        items = []
        while (item := self.stack.pop()) is not _MARK:
            items.append(item)
        return items[::-1]

    @staticmethod
    def set_items(into: dict[str, Any], items: list[Any]) -> dict[str, Any]:
        for key, value in zip(items[::2], items[1::2], strict=True):
            # Of others a file may choose the hashes, so that it takes for ever.
            if not isinstance(key, str):
                raise InvalidArgumentError(f"the keys of dictionaries are texts, not {type(key).__name__}")
            into[key] = value
        return into


def _named(name: str) -> _Name:
    if name in _NAMED:
        return _Name(name)
    if name.startswith("pandas."):
        raise InvalidArgumentError("it holds a pandas DataFrame; write frame.to_dict('records') instead")
    raise InvalidArgumentError(
        f"it wants {name!r}, which is not called: a pickle can make it do anything. Names and vectors need no more than "
        "lists, dictionaries and NumPy arrays"
    )


def _loaded(data: bytes) -> Any:
    try:
        # Bytes as older protocols write them are encoded from a text, and then may become a NumPy text.
        return _Machine(_Budget(2 * len(data))).run(data)
    except InvalidArgumentError:
        raise
    except (ValueError, IndexError, TypeError, OverflowError) as error:
        raise InvalidArgumentError(f"it is no pickle, or damaged: {error}") from error


def read_pickle(file: StrPath, *, person: Callable[[Record], str] | None = None) -> list[PickledFace]:
    """The names and vectors of a pickle that another program wrote, in their order. Nothing of the file is executed.

    These are read, with vectors as NumPy arrays or lists of numbers:

    * `{"encodings": [...], "names": [...]}`, also called `embeddings` and `persons`, or the two as a pair;
    * a dictionary from names to a vector or to several;
    * a list of `(name, vector)` pairs;
    * a list of dictionaries, as deepface keeps, with an `embedding` each and a `name`, or an `identity`: the path of a
      photo, whose folder below the one that all have in common is the person, and in that folder itself the file's name.

    `person` tells from a dictionary of such a list whose it is. Raises `InvalidArgumentError` for anything else.

    >>> import pickle, tempfile
    >>> with tempfile.NamedTemporaryFile(suffix=".pkl") as file:
    ...     _ = file.write(pickle.dumps({"ada": [0.6, 0.8]}))
    ...     file.flush()
    ...     read_pickle(file.name)[0].person
    'ada'
    """
    try:
        with open(file, "rb") as opened:
            data = opened.read()
    except FileNotFoundError as error:
        raise FileMissingError(f"cannot read {os.fspath(file)}: {error.strerror}") from error
    except OSError as error:
        raise IoError(f"cannot read {os.fspath(file)}: {error.strerror}") from error
    try:
        # What is not named again and again, number or letter, has a byte or more in the file.
        return list(_Finder(_Budget(len(data)), person).faces(_plain(_loaded(data))))
    except FacecoreError as error:
        error.add_note(os.fspath(file))
        raise


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, _Array) else value


class _Finder:
    """Finds names and vectors in what a pickle holds."""

    def __init__(self, budget: _Budget, person: Callable[[Record], str] | None) -> None:
        self.budget, self.person = budget, person

    def faces(self, found: Any) -> Iterator[PickledFace]:
        if isinstance(found, dict):
            vectors, names = (_first(found, keys) for keys in (_VECTORS, _NAMES))
            if vectors is not None and names is not None:
                yield from self.paired(names, vectors)
            else:
                yield from self.by_name(found.items())
            return
        items = [_plain(item) for item in found] if isinstance(found, (list, tuple)) else []
        if items and all(isinstance(item, dict) for item in items):
            yield from self.records(items)
        elif len(items) == 2 and _are_names(items[0]):
            yield from self.paired(items[0], items[1])
        elif len(items) == 2 and _are_names(items[1]):
            yield from self.paired(items[1], items[0])
        elif items and all(isinstance(item, (list, tuple)) and len(item) == 2 for item in items):
            yield from self.by_name(items)
        elif not isinstance(found, (list, tuple)) or items:
            raise InvalidArgumentError(
                f"names and vectors are not found in this {type(found).__name__}; read_pickle tells what they may look "
                "like"
            )

    def by_name(self, items: Iterable[tuple[Any, Any]]) -> Iterator[PickledFace]:
        for name, vectors in items:
            yield from (PickledFace(self.text(name), vector, None) for vector in self.vectors(vectors))

    def paired(self, names: Any, vectors: Any) -> Iterator[PickledFace]:
        if not isinstance(names, (list, tuple, numpy.ndarray)) or not isinstance(vectors, (list, tuple, numpy.ndarray)):
            raise InvalidArgumentError("names and vectors are two lists")
        if len(names) != len(vectors):
            raise InvalidArgumentError(f"there are {len(names)} names and {len(vectors)} vectors")
        for name, vector in zip(names, vectors):
            name = name.item() if isinstance(name, numpy.generic) else name
            yield PickledFace(self.text(name), self.vector(vector), None)

    def records(self, records: list[Record]) -> Iterator[PickledFace]:
        person = self.person or self.by_name_or_folder(records)
        for record in records:
            source = record.get("identity") or record.get("source")
            vector = self.vector(_first(record, _VECTOR))
            yield PickledFace(self.text(person(record)), vector, source if isinstance(source, str) else None)

    def by_name_or_folder(self, records: list[Record]) -> Callable[[Record], str]:
        if all(_first(record, _NAME) is not None for record in records):
            return lambda record: _first(record, _NAME)
        paths = [record.get("identity") for record in records]
        if not all(isinstance(path, str) and path for path in paths):
            raise InvalidArgumentError(
                "not every dictionary has a `name` or an `identity`; say whose it is with person="
            )
        self.budget.take(sum(len(str(path)) for path in paths))
        folders = {tuple(_parts(path)[:-1]) for path in paths}
        if len(folders) == 1:
            raise InvalidArgumentError(
                "all photos are in one folder, which may be one person or many; say whose they are with person=, such "
                "as person=lambda record: pathlib.Path(record['identity']).stem"
            )
        common = len(os.path.commonprefix(sorted(folders)))

        def person(record: Record) -> str:
            below = _parts(record["identity"])[common:]
            return below[0] if len(below) > 1 else below[0].rsplit(".", 1)[0]

        return person

    def vectors(self, value: Any) -> Iterator[NDArray[numpy.float64] | None]:
        """One vector or several, one at a time: the budget ends those that come again and again."""
        value = _plain(value)
        several = value.ndim == 2 if isinstance(value, numpy.ndarray) else _is_list_of_vectors(value)
        yield from (self.vector(item) for item in value) if several else [self.vector(value)]

    def vector(self, value: Any) -> NDArray[numpy.float64] | None:
        """`None` of what is none, which is told of that face alone."""
        value = _plain(value)
        # Also of what is no vector: it is looked through.
        count = value.size if isinstance(value, numpy.ndarray) else len(value) if isinstance(value, (list, tuple)) else 1
        self.budget.take(max(count, 1))
        if isinstance(value, (list, tuple)) and all(type(item) in (int, float) for item in value):
            try:
                value = numpy.array(value, numpy.float64)
            except OverflowError:
                return None
        if not isinstance(value, numpy.ndarray) or value.ndim != 1 or value.dtype.kind not in "fiu":
            return None
        return value.astype(numpy.float64)

    def text(self, name: Any) -> str:
        if isinstance(name, bytes):
            self.budget.take(len(name))
            name = name.decode()
        if not isinstance(name, str):
            raise InvalidArgumentError(f"a name is a text, not {type(name).__name__}")
        return name


def _is_list_of_vectors(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(isinstance(item, (list, tuple, _Array)) for item in value)


def _parts(path: Any) -> list[str]:
    return str(path).replace("\\", "/").split("/")


def _first(record: Record, keys: tuple[str, ...]) -> Any:
    return next((_plain(record[key]) for key in keys if record.get(key) is not None), None)


def _are_names(value: Any) -> bool:
    if isinstance(value, numpy.ndarray):
        return value.dtype.kind in "US"
    return isinstance(value, (list, tuple)) and bool(value) and all(isinstance(item, (str, bytes)) for item in value)
