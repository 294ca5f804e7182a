"""One SHA-256 of plain values and arrays, whatever wrote them: what digests inside our files are made of."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor


class Canonical:
    """A hash that is fed value after value; each is told from every other one, also from two that follow each other.

    >>> one, other = Canonical(), Canonical()
    >>> one.add("ab").add("c").hexdigest() == other.add("a").add("bc").hexdigest()
    False
    """

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, value: Any) -> Canonical:
        """None, a bool, number, text, bytes, array or tensor, or a list or dict of them in the order given.

        Raises:
            TypeError: for anything else.
        """
        if isinstance(value, str):
            return self._add_bytes("text", value.encode("utf-8", "surrogatepass"))
        if isinstance(value, bytes):
            return self._add_bytes("bytes", value)
        if value is None or isinstance(value, bool | int | float):
            return self._add_bytes(type(value).__name__, repr(value).encode())
        if isinstance(value, Mapping | list | tuple):
            return self._add_all(value)
        if hasattr(value, "dtype"):
            return self._add_tensor(value) if hasattr(value, "detach") else self._add_array(value)
        raise TypeError(f"a {type(value).__name__} has no canonical form")

    def add_kind(self, kind: str, shape: tuple[int, ...]) -> Canonical:
        """What an array is, before `add_piece` is given its values."""
        return self._add_bytes("array", f"{kind} {shape}".encode())

    def add_piece(self, values: NDArray[Any]) -> Canonical:
        """The next values of an array in C order, all of its rows or some."""
        if values.dtype.kind == "O":
            for each in values.flat:
                self.add(each.encode("utf-8", "surrogatepass") if isinstance(each, str) else each)
        elif values.size:
            import numpy as np

            self._hash.update(np.ascontiguousarray(values).reshape(-1).view(np.uint8).data)
        return self

    def hexdigest(self) -> str:
        """The SHA-256 of all that was added, in hexadecimal."""
        return self._hash.hexdigest()

    def _add_all(self, values: Mapping[Any, Any] | Sequence[Any]) -> Canonical:
        self._add_bytes("dict" if isinstance(values, Mapping) else "list", str(len(values)).encode())
        for each in (part for pair in values.items() for part in pair) if isinstance(values, Mapping) else values:
            self.add(each)
        return self

    def _add_array(self, value: NDArray[Any] | np.generic) -> Canonical:
        import numpy as np

        array = np.asarray(value)
        return self.add_kind(kind_of(array.dtype), array.shape).add_piece(array)

    def _add_tensor(self, value: Tensor) -> Canonical:
        import torch

        there = value.untyped_storage().nbytes() if value.layout is torch.strided else 0
        if value.is_quantized or value.numel() * value.element_size() > there:
            raise TypeError("a tensor whose numbers do not lie in memory one by one has no canonical form")
        numbers = value.detach().cpu().reshape(-1)
        self.add_kind(str(value.dtype), tuple(value.shape))
        return self.add_piece(numbers.view(torch.uint8).numpy()) if len(numbers) else self

    def _add_bytes(self, tag: str, content: bytes) -> Canonical:
        self._hash.update(f"{tag} {len(content)}:".encode())
        self._hash.update(content)
        return self


def kind_of(dtype: np.dtype[Any]) -> str:
    """What a type of numbers, truth values or text is called here.

    >>> import numpy as np
    >>> kind_of(np.dtype("float64")), kind_of(np.dtype("O"))
    ('<f8', 'text')

    Raises:
        TypeError: of a type with fields, of dates, and of Python's objects that are no text.
    """
    if dtype.kind == "O" and dtype.metadata is not None and dtype.metadata.get("vlen") not in (str, bytes):
        raise TypeError(f"an array of {dtype} has no canonical form")
    if dtype.kind not in "biufcSO":
        raise TypeError(f"an array of {dtype} has no canonical form")
    return "text" if dtype.kind == "O" else dtype.str
