"""Mutants of files of arrays: npz, npy, IDX and safetensors, their headers by hand."""

from __future__ import annotations

import gzip
import io
import json
import struct
import zipfile
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np

from tests.faults.mutants_torch import rewritten
from tests.faults.mutants_values import changed, plain

Arrays = dict[str, Any]
ARRAYS: dict[str, Callable[[Any], Any]] = {
    "objects": lambda a: np.array([{}] * len(a), dtype=object),
    "no pixels": lambda a: a.reshape(len(a), -1)[:, :0],
    "scalar": lambda _: np.array(3),
    "float": lambda a: a.astype(float),
    "complex": lambda a: a.astype(complex),
    "negative": lambda a: a.astype(int) - 1,
    "huge": lambda a: a.astype(np.int64) + 2**62,
    "far apart": lambda a: a.astype(np.int64) * 10**12,
    "fewer": lambda a: a[:2],
    "none": lambda a: a[:0],
    "not finite": lambda a: np.full(a.shape, np.nan),
    "1e308": lambda a: np.full(a.shape, 1e308),
    "by columns": np.asfortranarray,
    "structured": lambda a: np.zeros(len(a), dtype=[("a", "i4"), ("b", "f8")]),
    "bool": lambda a: a.astype(bool),
    "text": lambda a: np.array(["x"] * len(a)),
    "time": lambda a: np.zeros(a.shape, "M8[s]"),
    "five axes": lambda a: np.zeros((len(a), 1, 1, 8, 8), np.uint8),
    "16 bits": lambda a: a.astype(np.uint16),
    "half": lambda a: a.astype(np.float16),
    "long double": lambda a: a.astype(np.longdouble),
    "big-endian": lambda a: a.astype(">f4"),
    "seven channels": lambda a: np.zeros((len(a), 7, 8, 8), np.uint8),
}
HEADERS = (
    "{'descr': '|u1', 'fortran_order': False, 'shape': (%d,)}",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (-%d,)}",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (2, %d, 0)}",
    "{'descr': '<f8', 'fortran_order': 3, 'shape': (%d,)}",
    "{'descr': '|O', 'fortran_order': False, 'shape': (%d,)}",
    "{'descr': '|V%d', 'fortran_order': False, 'shape': (1,)}",
    "{'descr': '|u1', 'fortran_order': False, 'shape': %d}",
    "{'descr': '|u1', 'fortran_order': [a(%d)], 'shape': ()}",
    "{'descr': [['a', 'x%d']], 'fortran_order': False, 'shape': (1,)}",
    "[%d" + "[" * 5000,
    "{%d}",
    "",
)


def npz(arrays: Arrays, draw: Random) -> tuple[str, bytes]:
    """Arrays of other kinds, and members whose headers lie."""
    name, kind = draw.choice(list(arrays)), draw.choice([*ARRAYS, "left out", "header", "header", "header", "bomb"])
    arrays, out = dict(arrays), io.BytesIO()
    if kind in ARRAYS:
        arrays[name] = ARRAYS[kind](arrays[name])
    elif kind == "left out":
        del arrays[name]
    (np.savez_compressed if draw.random() < 0.3 else np.savez)(out, **arrays)
    content = out.getvalue()
    if kind == "bomb":
        body = _npy_header("{'descr': '|u1', 'fortran_order': False, 'shape': (314572800,)}") + bytes(300 << 20)
        content = rewritten(content, lambda n, b: (n, body, zipfile.ZIP_DEFLATED) if name in n else (n, b, 0))
    elif kind == "header":
        body = lying_npy(draw)
        content = rewritten(content, lambda n, b: (n, body, draw.choice([0, 8])) if name in n else (n, b, 0))
    return f"npz {name} {kind}", content


def lying_npy(draw: Random) -> bytes:
    """An .npy whose header announces what is not there."""
    text = draw.choice(HEADERS)
    size = draw.choice([100, 10**9, 10**12, 10**18, 10**25])
    return _npy_header(text % size if "%d" in text else text) + bytes(100)


def npy(array: Any, draw: Random) -> tuple[str, bytes]:
    """An array of another kind, or a header that lies."""
    if draw.random() < 0.4:
        return "npy header", lying_npy(draw)
    kind, out = draw.choice(list(ARRAYS)), io.BytesIO()
    np.save(out, ARRAYS[kind](array))
    return f"npy {kind}", out.getvalue()


def _npy_header(text: str) -> bytes:
    body = text.encode().ljust(118) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", min(len(body), 65_535)) + body


def idx(packed: bool, draw: Random) -> tuple[str, bytes]:
    """Sizes and ranks that lie, and packed files that unpack to more."""

    def header(*sizes: int, rank: int | None = None, kind: int = 8) -> bytes:
        ranks = bytes([0, 0, kind, len(sizes) if rank is None else rank])
        return ranks + b"".join(struct.pack(">I", size) for size in sizes)

    body = bytes(range(256)) * 4
    made: dict[str, bytes] = {
        "rank": header(1, 2, rank=draw.randrange(5, 256)) + body,
        "overflow": header(65536, 65536, 65536, 65536),
        "2^32": header(2**32 - 1) + body,
        "zero": header(0, 28, 28),
        "type": header(1024, kind=13) + body,
        "good": header(4, 256) + body,
        "no axes": header() + b"\x05",
        "short": header(4, 256) + body[:-3],
        "long": header(4, 256) + body + b"x",
        "beginning": header(4, 256)[: draw.randrange(12)],
        "bomb": header(10) + bytes(1 << 20),
        "large bomb": header(500 << 20) + bytes(100 << 20),
        "far bomb": header(2**32 - 1, 4) + bytes(1 << 20),
    }
    kind = draw.choice(list(made))
    content = made[kind]
    if packed:
        content = gzip.compress(content, 1)
        if draw.random() < 0.5:
            damaged = bytearray(content)
            damaged[draw.randrange(2, len(damaged))] ^= 1 << draw.randrange(8)
            kind, content = f"{kind}, damaged", bytes(damaged)
    return f"idx {kind}", content


def safetensors(content: bytes, draw: Random) -> tuple[str, bytes]:
    """The JSON header changed, its length right or not."""
    size = int.from_bytes(content[:8], "little")
    said, tree = changed(json.loads(content[8 : 8 + size]), draw, plain)
    try:
        text = json.dumps(tree).encode("utf8", "replace")
    except ValueError:
        text = b"{}"
    length = draw.choice([len(text)] * 6 + [len(text) - 1, 2**40, 2**63, 0])
    return f"safetensors {said}", length.to_bytes(8, "little") + text + content[8 + size :]
