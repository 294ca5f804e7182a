"""From arrays as they lie on disk to tensors as a network takes them; what was done to them is said."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from minima.store.command import BadInput
from minima.zoo.data.conversion import Conversion, Reading, as_tensor, check_numbers_of
from minima.zoo.data.dataset import Dataset
from minima.zoo.data.stored import is_stored, stored
from minima.zoo.examples.inputs import Inputs, Several, shapes
from minima.zoo.examples.lazy import Lazy
from minima.zoo.losses.classification import rows_of

LABELS = "labels"
"""the entry of a dict of inputs that holds targets"""


def to_dataset(arrays: Mapping[str, Any], reading: Reading, source: str) -> Dataset:
    """The splits that the arrays hold, scaled and normalised. Errors name `source` and the array.

    `x_train`, or `x_train.NAME` for each entry of a dict; `y_train`, or the entry `labels` of the dict; `_test` alike.
    What is too large for memory is converted chunk by chunk, when it is asked for.

    >>> import torch
    >>> made = to_dataset({"x_train": torch.zeros(2, 3, dtype=torch.int32), "y_train": [0, 1]}, Reading(), "here")
    >>> made.x_train.dtype, made.classes
    (torch.int64, 2)
    """
    notes: list[str] = []
    parts: dict[str, Any] = {}
    for split in ("train", "test"):
        made = _Split(f"x_{split}", f"y_{split}", reading, source, notes).made(arrays)
        parts |= dict(zip((f"x_{split}", f"y_{split}"), made, strict=True))
    if parts["x_train"] is None and parts["x_test"] is None:
        found = ", ".join(arrays) or "nothing"
        raise BadInput(f"{source} has no array x_train or x_test; found {found}")
    two = [shapes(parts[name]) for name in ("x_train", "x_test") if parts[name] is not None]
    if len(set(two)) > 1:
        raise BadInput(f"{source}: inputs of the two splits differ in shape: {two[0]} and {two[1]}")
    known: list[Tensor] = [each for each in (parts["y_train"], parts["y_test"]) if each is not None]
    kinds = [f"{str(each.dtype).removeprefix('torch.')} of shape {rows_of(each.shape[1:])}" for each in known]
    if len(set(kinds)) > 1:
        raise BadInput(f"{source}: targets of the two splits differ: y_train holds {kinds[0]}, y_test {kinds[1]}")
    return Dataset(**parts, classes=_classes(*known), notes=tuple(dict.fromkeys(notes)))


@dataclass(frozen=True)
class _Split:
    """How the arrays of one split become inputs and targets."""

    x: str
    y: str
    reading: Reading
    source: str
    notes: list[str]

    def made(self, arrays: Mapping[str, Any]) -> tuple[Inputs | None, Tensor | None]:
        """Inputs and targets; None where they are not there."""
        found, targets = self._found(arrays), arrays.get(self.y)
        if found is None:
            return None, None
        if isinstance(found, Mapping):
            if targets is None:
                targets = found.get(LABELS)
            found = {name: each for name, each in found.items() if name != LABELS or self.reading.labels_in}
        lengths = [len(each) for each in (found, targets) if each is not None and getattr(each, "ndim", False)]
        if len(lengths) == 2:  # of arrays, before a place is made for each of many
            self._check_lengths(*lengths)
        inputs = self._inputs(found)
        if targets is None:
            return inputs, None
        labels = _targets(targets, f"{self.source}: {self.y}")
        self._check_lengths(len(inputs), len(labels))
        return inputs, labels

    def _check_lengths(self, inputs: int, labels: int) -> None:
        if inputs != labels:
            raise BadInput(f"{self.source}: {self.x} holds {inputs} examples but {self.y} {labels}")

    def _found(self, arrays: Mapping[str, Any]) -> Any:
        """The array, or a dict or tuple of arrays, or what hands them out in chunks; None where there is none."""
        found, start = arrays.get(self.x), f"{self.x}."
        fields = {key.removeprefix(start): value for key, value in arrays.items() if key.startswith(start)}
        if isinstance(found, Mapping):
            return dict(found) | fields
        if fields:
            return fields
        if isinstance(found, tuple | list) and not _is_numbers(found):
            return tuple(found)
        return found

    def _inputs(self, found: Any) -> Inputs:
        """As the network takes them: now, or when they are asked for."""
        where = f"{self.source}: {self.x}"
        if not isinstance(found, Lazy) and is_stored(found):
            found = stored(found, where)
        if isinstance(found, Lazy):
            self.notes.append(f"{self.x}: read in chunks, being larger than what is held in memory")
            kept = found if self.reading.labels_in else found.then(without_labels)
            return kept.then(self._conversion(kept.first))
        if isinstance(found, Mapping):
            raw: Inputs = Several({key: as_tensor(each, f"{where}.{key}") for key, each in found.items()})
        elif isinstance(found, tuple):
            raw = Several(tuple(as_tensor(each, where) for each in found))
        else:
            raw = as_tensor(found, where)
        for name, leaf in raw.items() if isinstance(raw, Several) else [("", raw)]:
            check_numbers_of(leaf, f"{where}.{name}" if name else where)
        return self._conversion(raw)(raw)

    def _conversion(self, raw: Inputs) -> Callable[[Inputs], Inputs]:
        """What makes inputs of the raw arrays, or of any chunk of them."""
        where = f"{self.source}: {self.x}"
        if not isinstance(raw, Several):
            return Conversion.of(raw, self.reading, where, self.notes)
        each = {name: Conversion.of(leaf, self.reading, f"{where}.{name}", self.notes) for name, leaf in raw.items()}

        def convert(chunk: Several) -> Several:
            made = {name: each[name](leaf) for name, leaf in chunk.items()}
            return Several(made if isinstance(chunk.fields, Mapping) else tuple(made.values()))

        return convert


def without_labels(chunk: Inputs) -> Inputs:
    """Inputs without the entry that holds targets, where they are a dict that has one."""
    if isinstance(chunk, Several) and isinstance(chunk.fields, Mapping):
        return Several({name: leaf for name, leaf in chunk.fields.items() if name != LABELS})
    return chunk


def _is_numbers(found: Sequence[Any]) -> bool:
    """Whether a list is an array written out, and not several inputs."""
    return bool(found) and not hasattr(found[0], "shape")


def _targets(given: Any, where: str) -> Tensor:
    """Integers and booleans as int64, floats as float32, of any shape."""
    tensor = as_tensor(given, where)
    if tensor.ndim == 0 or tensor.is_complex():
        found = f"{str(tensor.dtype)[6:]} of {tuple(tensor.shape)}"
        raise BadInput(f"{where} must hold numbers, one or more for each example, not {found}")
    return tensor.float() if tensor.is_floating_point() else tensor.long()


def _classes(*targets: Tensor) -> int | None:
    """How many classes labels (N,) name, counted from 0; None where targets are others."""
    if not targets or any(each.ndim != 1 or each.is_floating_point() for each in targets):
        return None
    return max(int(each.max()) for each in targets) + 1
