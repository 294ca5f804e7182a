"""What goes between a command and the process that reads HDF5 files for it: JSON, and the bytes of arrays behind it.

Nothing that is received is run or imported: whatever a damaged file makes of its reader, numbers and text come back.
"""

from __future__ import annotations

import json
import math
import socket
import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

HEAD = struct.Struct("!IQ")
"""bytes of JSON, and of what comes behind it"""
LONGEST = 2**28
"""bytes of JSON that are believed"""


def send(
    channel: socket.socket, message: dict[str, Any], content: bytes | memoryview = b"", descriptor: int | None = None
) -> None:
    """A message, with the bytes of an array behind it, or an open file beside it."""
    text = json.dumps(message).encode()
    body = memoryview(content).cast("B")
    head = HEAD.pack(len(text), body.nbytes)
    if descriptor is None:
        channel.sendall(head)
    else:
        socket.send_fds(channel, [head], [descriptor])
    channel.sendall(text)
    channel.sendall(body)


def receive_request(channel: socket.socket) -> tuple[dict[str, Any] | None, int | None]:
    """What the other side sent, with the open file beside it; None once it has closed."""
    head, descriptors, _, _ = socket.recv_fds(channel, HEAD.size, 1)
    if len(head) < HEAD.size:
        return None, None
    length, _ = unpack_head(head)
    return json.loads(channel.recv(length, socket.MSG_WAITALL)), descriptors[0] if descriptors else None


def unpack_head(head: bytes) -> tuple[int, int]:
    """How many bytes of JSON come, and how many behind it.

    Raises:
        ValueError: too many to be true.
    """
    text, body = HEAD.unpack(head)
    if text > LONGEST:
        raise ValueError(f"a message of {text:,} bytes")
    return text, body


def to_wire(value: Any) -> Any:
    """An attribute's value, as h5py reads it, in JSON's types; what has none as its text."""
    if value is None or isinstance(value, str | bool | int) or type(value) is float:
        return value
    if isinstance(value, bytes):
        return {"bytes": value.decode("latin1")}
    if hasattr(value, "dtype") and hasattr(value, "tolist") and value.dtype.kind in "biufSO":
        number = not hasattr(value, "__setitem__")
        values: list[Any] = [value.item()] if number else value.reshape(-1).tolist()
        shape: list[int] | None = None if number else list(value.shape)
        return {"kind": kind(value.dtype), "shape": shape, "values": [to_wire(each) for each in values]}
    return None if value.__class__.__name__ == "Empty" else str(value)


def from_wire(value: Any) -> Any:
    """What `to_wire` was given: an array or number of numpy's where it was one."""
    if not isinstance(value, dict):
        return value
    if "bytes" in value:
        return value["bytes"].encode("latin1")
    import numpy as np

    values = [from_wire(each) for each in value["values"]]
    dtype = plain_type(value["kind"])
    if value["shape"] is None:
        return dtype.type(values[0])
    shape = tuple(map(int, value["shape"]))
    if math.prod(shape) != len(values):
        raise ValueError(f"{len(values)} values of shape {shape}")
    array = np.empty(len(values), dtype)
    array[:] = values
    return array.reshape(shape)


def in_a_line(error: BaseException) -> str:
    """An error of h5py's in so many characters, all of which can be printed."""
    text = str(error).partition("\n")[0][:300] or type(error).__name__
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def kind(dtype: np.dtype[Any]) -> str:
    """What kind of numbers, truth values or text an array holds, from which `plain_type` makes the type again."""
    return "O" if dtype.kind == "O" else dtype.str


def plain_type(kind: str) -> np.dtype[Any]:
    """The type of an array of truth values, numbers, bytes or text.

    Raises:
        ValueError: another one.
    """
    import numpy as np

    dtype = np.dtype(kind)
    if dtype.kind not in "biufcSO" or dtype.itemsize > LONGEST:
        raise ValueError(f"an array of {dtype}")
    return dtype
