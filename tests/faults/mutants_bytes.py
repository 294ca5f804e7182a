"""Mutations that know nothing of a format: bytes flipped, lost, doubled, exchanged."""

from __future__ import annotations

from random import Random

KINDS = "flip flips truncate zero ones double exchange insert delete append empty beginning splice".split()


def mutated(content: bytes, draw: Random) -> tuple[str, bytes]:
    """What was done, and what came of it."""
    kind, made = draw.choice(KINDS), bytearray(content)
    at, other, size = draw.randrange(len(made)), draw.randrange(len(made)), draw.choice([1, 8, 64, 512])
    piece = made[at : at + size]
    if kind == "flip":
        made[at] ^= 1 << draw.randrange(8)
    elif kind == "flips":
        for _ in range(draw.randrange(2, 12)):
            made[draw.randrange(len(made))] ^= 1 << draw.randrange(8)
    elif kind == "truncate":
        del made[at:]
    elif kind in ("zero", "ones"):
        made[at : at + size] = (b"\0" if kind == "zero" else b"\xff") * len(piece)
    elif kind == "double":
        made[at:at] = piece
    elif kind == "exchange":
        size = min(size, abs(at - other))
        made[at : at + size], made[other : other + size] = made[other : other + size], made[at : at + size]
    elif kind == "insert":
        made[at:at] = draw.randbytes(size)
    elif kind == "delete":
        del made[at : at + size]
    elif kind == "append":
        made += draw.randbytes(size)
    elif kind == "empty":
        del made[draw.randrange(9) :]
    elif kind == "beginning":
        made[draw.randrange(min(len(made), 96))] = draw.randrange(256)
    elif kind == "splice":
        made = made[:at] + made[other:]
    return f"bytes {kind}", bytes(made)
