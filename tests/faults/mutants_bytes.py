"""Mutations that know nothing of a format: bytes flipped, lost, doubled, exchanged."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

Edit = Callable[[bytearray, int, Random], None]


def _flips(made: bytearray, at: int, draw: Random) -> None:
    for place in [at, *(draw.randrange(len(made)) for _ in range(draw.choice([0, 0, 1, 3, 10])))]:
        made[place] ^= 1 << draw.randrange(8)


def _exchange(made: bytearray, at: int, draw: Random) -> None:
    other, size = draw.randrange(len(made)), draw.choice([1, 8, 64, 512])
    size = min(size, abs(at - other))
    made[at : at + size], made[other : other + size] = made[other : other + size], made[at : at + size]


def _fill(byte: bytes) -> Edit:
    def fill(made: bytearray, at: int, draw: Random) -> None:
        size = len(made[at : at + draw.choice([1, 8, 64, 512])])
        made[at : at + size] = byte * size

    return fill


def _double(made: bytearray, at: int, draw: Random) -> None:
    made[at:at] = made[at : at + draw.choice([1, 8, 64, 512])]


def _insert(made: bytearray, at: int, draw: Random) -> None:
    made[at:at] = draw.randbytes(draw.choice([1, 8, 64, 512]))


def _append(made: bytearray, _: int, draw: Random) -> None:
    made += draw.randbytes(draw.choice([1, 8, 64, 512]))


def _delete(made: bytearray, at: int, draw: Random) -> None:
    del made[at : at + draw.choice([1, 8, 64, 512, len(made)])]


def _empty(made: bytearray, _: int, draw: Random) -> None:
    del made[draw.randrange(9) :]


def _beginning(made: bytearray, _: int, draw: Random) -> None:
    made[draw.randrange(min(len(made), 96))] = draw.randrange(256)


def _splice(made: bytearray, at: int, draw: Random) -> None:
    made[at:] = made[draw.randrange(len(made)) :]


EDITS: dict[str, Edit] = {
    "flips": _flips,
    "exchange": _exchange,
    "zeros": _fill(b"\0"),
    "ones": _fill(b"\xff"),
    "double": _double,
    "insert": _insert,
    "append": _append,
    "delete": _delete,
    "empty": _empty,
    "beginning": _beginning,
    "splice": _splice,
}


def mutated(content: bytes, draw: Random) -> tuple[str, bytes]:
    """What was done, and what came of it."""
    kind, made = draw.choice([*EDITS, "flips", "flips"]), bytearray(content)
    EDITS[kind](made, draw.randrange(len(made)), draw)
    return f"bytes {kind}", bytes(made)
