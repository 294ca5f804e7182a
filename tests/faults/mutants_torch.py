"""Mutants of torch's files: tensors of other kinds, the zip around them, the pickle within, and the old format."""

from __future__ import annotations

import io
import pickle
import struct
import sys
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import torch

from tests.faults.mutants_values import PLAIN, changed, plain

GLOBALS = (
    "os system",
    "posix system",
    "builtins eval",
    "builtins exec",
    "builtins getattr",
    "subprocess Popen",
    "torch.hub load",
    "torch load",
    "torch.jit load",
    "torch.storage _load_from_bytes",
    "numpy.core.multiarray scalar",
    "numpy load",
    "runpy run_path",
    "torch._utils _rebuild_device_tensor_from_numpy",
    "torch.nn.modules.module Module",
    "codecs decode",
    "_codecs encode",
    "collections OrderedDict",
    "minima.store.files write_atomically",
    "pickle loads",
    "builtins bytearray",
    "builtins open",
    "importlib import_module",
    "shutil rmtree",
    "torch Tensor",
    "torch FloatTensor",
    "torch._tensor _rebuild_from_type_v2",
)
FILLER = b"\x80\x02cbuiltins\nbytearray\nJ\xff\xff\xff\x7f\x85R."
"""a pickle of 2 GiB of zeros"""
TENSORS: dict[str, Callable[[], torch.Tensor]] = {
    "half": lambda: torch.ones(3, dtype=torch.float16),
    "int": lambda: torch.ones(3, dtype=torch.int64),
    "complex": lambda: torch.ones(3, dtype=torch.complex64),
    "float8": lambda: torch.ones(3).to(torch.float8_e4m3fn),
    "scalar": lambda: torch.tensor(1.0),
    "no elements": lambda: torch.empty(0),
    "expanded": lambda: torch.ones(1).expand(3_000_000_000),
    "meta": lambda: torch.empty(3, device="meta"),
    "sparse": lambda: torch.eye(3).to_sparse(),
    "vast and sparse": lambda: torch.sparse_coo_tensor(torch.tensor([[0], [0]]), torch.ones(1), (10**6, 10**6)),
    "not finite": lambda: torch.full((3,), float("nan")),
    "parameter": lambda: torch.nn.Parameter(torch.ones(3)),
    "quantised": lambda: torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8),
}
LARGEST = 10**6
"""elements of a tensor that another is made of: an expanded one announces more than there is memory for"""
LIKE: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "half": lambda t: t.half(),
    "double": lambda t: t.double(),
    "int": lambda t: t.long(),
    "complex": lambda t: t.to(torch.complex64),
    "float8": lambda t: t.float().to(torch.float8_e5m2),
    "transposed": lambda t: t.t() if t.ndim == 2 else t,
    "flat": lambda t: t.reshape(-1),
    "longer": lambda t: torch.cat([t.reshape(-1), t.reshape(-1)]),
    "expanded": lambda t: torch.zeros(1, dtype=t.dtype).expand(t.shape),
    "not finite": lambda t: torch.full_like(t.float(), float("inf")),
    "denormal": lambda t: torch.full_like(t.float(), 1e-42),
    "sparse": lambda t: t.to_sparse(),
    "strided": lambda t: torch.zeros([2 * s for s in t.shape])[tuple(slice(None, None, 2) for _ in t.shape)],
}


def structure(content: bytes, draw: Random) -> tuple[str, bytes]:
    """Containers and tensors exchanged, the file around them whole."""
    said, tree = changed(torch.load(io.BytesIO(content), weights_only=True), draw, _strange)
    return said, saved(tree)


def saved(tree: Any, **options: Any) -> bytes:
    """As torch saves it."""
    buffer, limit = io.BytesIO(), sys.getrecursionlimit()
    sys.setrecursionlimit(100_000)
    try:
        with warnings.catch_warnings(action="ignore"):
            torch.save(tree, buffer, **options)
    finally:
        sys.setrecursionlimit(limit)
    return buffer.getvalue()


def _strange(value: Any, draw: Random) -> tuple[str, Any]:
    if torch.is_tensor(value) and value.numel() <= LARGEST and draw.random() < 0.7:
        name = draw.choice(list(LIKE))
        return f"tensor {name}", LIKE[name](value.dequantize() if value.is_quantized else value)
    if draw.random() < 0.3:
        name = draw.choice(list(TENSORS))
        return name, TENSORS[name]()
    return plain(value, draw)


def rewritten(content: bytes, edit: Callable[[str, bytes], tuple[str | None, bytes, int]]) -> bytes:
    """The zip anew, each record as `edit` makes it: name (None: left out), content, kind of compression."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as new:
        for record in old.infolist():
            name, body, kind = edit(record.filename, old.read(record))
            if name is not None:
                new.writestr(name, body, kind)
    return out.getvalue()


def archive(content: bytes, draw: Random, canary: Path) -> tuple[str, bytes]:
    """The zip and the pickle in it, by hand."""
    kind, named = draw.choice(list(_EDITS)), draw.choice(GLOBALS)
    stored = zipfile.ZIP_STORED
    if kind == "global":
        call = calling(named, canary, draw)
        return f"zip global {named}", rewritten(content, lambda n, b: (n, call if n.endswith(".pkl") else b, stored))
    if kind == "bare global":
        return f"bare global {named}", calling(named, canary, draw)
    if kind == "twice":
        out = io.BytesIO(content)
        with zipfile.ZipFile(out, "a") as file, warnings.catch_warnings(action="ignore"):
            file.writestr(next(n for n in file.namelist() if "/data/" in n), draw.randbytes(64))
        return "zip twice", out.getvalue()
    if kind == "legacy":
        return "legacy", saved(torch.load(io.BytesIO(content), weights_only=True), _use_new_zipfile_serialization=False)
    edit = _EDITS[kind]
    assert edit is not None
    return f"zip {kind}", rewritten(content, lambda name, body: edit(name, body, draw))


def _for(ending: str, make: Callable[[bytes, Random], tuple[bytes, int]]) -> Any:
    return lambda n, b, r: (n, *make(b, r)) if ending in n else (n, b, zipfile.ZIP_STORED)


_EDITS: dict[str, Any] = {
    "global": None,
    "bare global": None,
    "twice": None,
    "legacy": None,
    "bomb in the pickle": _for("data.pkl", lambda *_: (b"\x80\x02" + b"]" * (3 << 20) + b".", zipfile.ZIP_DEFLATED)),
    "bomb in a storage": _for("/data/0", lambda *_: (bytes(60 << 20), zipfile.ZIP_DEFLATED)),
    "large number": _for("data.pkl", lambda b, _: (b.replace(b"K\x08", b"J\xff\xff\xff\x7f"), zipfile.ZIP_STORED)),
    "large storage": _for("data.pkl", lambda b, r: (_last(b, b"K", r), zipfile.ZIP_STORED)),
    "short": _for("/data/", lambda b, _: (b[: len(b) // 2], zipfile.ZIP_STORED)),
    "long": _for("/data/", lambda b, _: (b + bytes(999), zipfile.ZIP_STORED)),
    "numbers": _for("/data/", lambda b, r: (r.randbytes(len(b)), zipfile.ZIP_STORED)),
    "compressed": lambda n, b, _: (n, b, zipfile.ZIP_DEFLATED),
    "missing": lambda n, b, r: (None if r.random() < 0.3 else n, b, zipfile.ZIP_STORED),
    "outside": lambda n, b, _: ("../" + n if "/data/" in n else n, b, zipfile.ZIP_STORED),
    "names": lambda n, b, _: ("\u202e" + n, b, zipfile.ZIP_STORED),
    "byteorder": _for("byteorder", lambda _, r: (r.choice([b"big", b"", b"x" * 99, b"\xff"]), zipfile.ZIP_STORED)),
    "version": _for("version", lambda *_: (b"9999999999999999999\n", zipfile.ZIP_STORED)),
    "script": lambda n, b, _: (n.replace("data.pkl", "constants.pkl"), b, zipfile.ZIP_STORED),
    "memo": _for("data.pkl", lambda *_: (b"\x80\x02]r\xff\xff\xff\x7f.", zipfile.ZIP_STORED)),
    "frame": _for("data.pkl", lambda *_: (b"\x80\x04\x95" + b"\xff" * 7 + b"\x7f].", zipfile.ZIP_STORED)),
    "filler": _for("data.pkl", lambda *_: (FILLER, zipfile.ZIP_STORED)),
    "pickle": _for("data.pkl", lambda b, r: (_flipped(b, r), zipfile.ZIP_STORED)),
}


def _flipped(body: bytes, draw: Random) -> bytes:
    made = bytearray(body)
    for _ in range(draw.randrange(1, 4)):
        made[draw.randrange(len(made))] = draw.randrange(256)
    return bytes(made)


def _last(body: bytes, opcode: bytes, draw: Random) -> bytes:
    """A small number of a pickle made a large one."""
    places = [at for at in range(len(body)) if body[at : at + 1] == opcode]
    at = draw.choice(places)
    return body[:at] + b"\x8a\x06" + draw.randbytes(5) + b"\x7f" + body[at + 2 :]


def calling(named: str, canary: Path, draw: Random) -> bytes:
    """A pickle that calls something with a command, a number or nothing."""
    command = f"touch {canary}".encode()
    argument = draw.choice([b"X" + struct.pack("<I", len(command)) + command, b"J\xff\xff\xff\x7f", b""])
    return b"\x80\x02c" + named.replace(" ", "\n").encode() + b"\n(" + argument + b"tR."


def old_pickles(draw: Random, canary: Path) -> tuple[str, bytes]:
    """Pickles of arrays, as CIFAR's files are, each with something wrong."""
    import numpy as np

    good = {"data": np.zeros((5, 3072), np.uint8), "fine_labels": list(range(5))}
    made: dict[str, Callable[[], bytes]] = {
        "global": lambda: calling(draw.choice(GLOBALS), canary, draw),
        "memo": lambda: b"\x80\x02}r\xff\xff\xff\x7f.",
        "frame": lambda: b"\x80\x04\x95" + b"\xff" * 7 + b"\x7f}.",
        "deep": lambda: b"\x80\x02" + b"]" * 3_000_000 + b".",
        "objects": lambda: pickle.dumps({"data": np.array([{}])}),
        "texts": lambda: pickle.dumps({"data": np.array(["x"])}),
        "good": lambda: pickle.dumps(good, draw.randrange(2, 6)),
        "extension": lambda: b"\x80\x02\x82\x01.",
        "persistent": lambda: b"\x80\x02X\x01\x00\x00\x00aQ.",
        "state of a class": lambda: b"\x80\x02cnumpy\nndarray\n}X\x05\x00\x00\x00__x__K\x01sb}.",
        "state of a function": lambda: b"\x80\x02c_codecs\nencode\nN}X\x05\x00\x00\x00__x__K\x01s\x86b}.",
        "large number": lambda: b"\x80\x02}X\x01\x00\x00\x00a\x8b" + struct.pack("<i", 10**7) + b"\x7f" * 10**7 + b"s.",
        "recursive": lambda: b"\x80\x02}q\x00X\x01\x00\x00\x00ah\x00s.",
        "no state": lambda: b"\x80\x02}X\x04\x00\x00\x00datacnumpy\nndarray\n)\x81s.",
        "other": lambda: pickle.dumps(changed(good, draw, _array)[1], draw.randrange(2, 6)),
    }
    kind = draw.choice([*made, "other", "other", "other"])
    return f"pickle {kind}", made[kind]()


def _array(value: Any, draw: Random) -> tuple[str, Any]:
    import numpy as np

    if not isinstance(value, np.ndarray) or draw.random() < 0.3:
        name = draw.choice([each for each in PLAIN if each != "deep"])
        return name, PLAIN[name]()
    kind = draw.choice(["f8", "?1", "u2", "S3", "M8[s]", "c8"])
    return kind, np.zeros(value.shape, np.dtype(kind.replace("?1", "?")))
