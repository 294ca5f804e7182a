"""Pickles of arrays in plain containers, read without running anything that they name.

A pickle builds objects by calling what it names. Here every name that numpy's arrays need stands for a small class of
this module, so that not even numpy interprets the file; any other name is refused.
"""

from __future__ import annotations

import io
import pickle
import re
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from minima.store.command import BadInput
from minima.store.description import shown
from minima.store.messages import brief
from minima.store.reading import read_bytes

PLAIN_KINDS = re.compile(r"[uif][1248]|b1")


def read_pickle(path: Path) -> dict[str, Any]:
    """The dictionary in a pickle of whatever protocol, of Python 2 or 3, with its keys as text.

    Raises:
        BadInput: the file is not there, damaged, no dictionary, or names code (which is not run).
    """
    content = read_bytes(path)
    try:
        found = _ArraysOnly(io.BytesIO(content), encoding="latin1").load()
        if isinstance(found, dict):
            return {_text(key): value.values if isinstance(value, _Array) else value for key, value in found.items()}
    except _Refused as refused:
        raise BadInput(
            f"{path} would run code to be read: it names {refused}. It was not run, nothing was loaded.\n"
            "Expected arrays in plain containers, as published. Copy it again from a source you trust"
        ) from refused
    except MemoryError:
        raise
    except Exception as error:  # a broken pickle raises almost every kind
        raise BadInput(
            f"{path} is truncated or damaged: {len(content):,} bytes are there, but no whole pickle ({brief(error)}).\n"
            "Copy it again, or unpack it again"
        ) from error
    raise BadInput(f"{path} holds {shown(found)}, expected a dictionary of arrays and lists")


class _Refused(Exception):
    """The pickle names something that is not needed for arrays."""


class _Kind:
    """Stands for numpy.dtype."""

    def __init__(self, name: Any, *_: Any) -> None:
        self.name, self.order = _text(name), "|"

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.order = _text(state[1])

    def array(self, raw: Any) -> np.ndarray:
        """The numbers in `raw` (N,)."""
        if not PLAIN_KINDS.fullmatch(self.name):
            raise ValueError(f"an array of kind {self.name}, expected numbers")
        raw = raw.encode("latin1") if isinstance(raw, str) else raw  # Python 2 wrote bytes as text
        if not isinstance(raw, bytes | bytearray):
            raise ValueError(f"an array of {shown(raw)}, expected its bytes")
        return np.frombuffer(raw, np.dtype(self.order + self.name))


class _Array:
    """Stands for numpy.ndarray, and for the function that makes an empty one before its state is set."""

    values: np.ndarray

    def __init__(self, *_: Any) -> None:
        pass

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, kind, by_columns, raw = state
        self.values = kind.array(raw).reshape(shape, order="F" if by_columns else "C")


def _from_buffer(raw: Any, kind: _Kind, shape: tuple[int, ...], order: str) -> np.ndarray:
    """Stands for what protocol 5 makes arrays with."""
    return kind.array(raw).reshape(shape, order="F" if order == "F" else "C")


def _scalar(kind: _Kind, raw: Any) -> Any:
    return kind.array(raw)[0]


def _encode(text: str, _: str) -> bytes:
    """Stands for codecs.encode, by which Python 3 writes bytes in protocol 2."""
    return text.encode("latin1")


STAND_INS: dict[str, Any] = {
    "_codecs.encode": _encode,
    "numpy.ndarray": _Array,
    "numpy.dtype": _Kind,
    "multiarray._reconstruct": _Array,
    "multiarray.scalar": _scalar,
    "numeric._frombuffer": _from_buffer,
}


class _ArraysOnly(pickle._Unpickler):
    """Python's own interpreter: the quick one makes room for as many objects as a pickle numbers."""

    dispatch: ClassVar[dict[int, Any]] = dict(pickle._Unpickler.dispatch)

    def find_class(self, module: str, name: str) -> Any:
        """What the pickle's `module.name` stands for."""
        known = f"{module.removeprefix('numpy.core.').removeprefix('numpy._core.')}.{name}"  # numpy 1 and 2
        if known not in STAND_INS:
            raise _Refused(f"{module}.{name}")
        return STAND_INS[known]

    def load_build(self) -> None:
        """Only what stands for an array or its dtype has a state."""
        if not isinstance(self.stack[-2], _Array | _Kind):  # type: ignore[attr-defined]
            raise ValueError("it sets the state of something else than an array")
        super().load_build()  # type: ignore[misc]

    dispatch[pickle.BUILD[0]] = load_build


def _text(key: Any) -> str:
    return key.decode("latin1") if isinstance(key, bytes) else key if isinstance(key, str) else shown(key)
