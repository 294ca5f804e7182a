"""Examples that a `torch.utils.data.Dataset` or `DataLoader` hands out, read in index order through its collate."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from minima.store.command import BadInput
from minima.zoo.data.conversion import as_tensor, broken_in, check_finite
from minima.zoo.data.loaders import unwrapped
from minima.zoo.data.stored import bytes_of, too_large
from minima.zoo.examples.inputs import Several, leaves
from minima.zoo.examples.lazy import Lazy

LABELS = "labels"
TWICE = 32
"""items that are read twice, to see whether they are the same"""
AT_ONCE = 256
"""items of a data set too large for memory that are looked through at once"""


def is_items(made: Any) -> bool:
    """Whether something hands out items by their index, or as a stream."""
    if isinstance(made, DataLoader | torch.utils.data.Dataset):
        return True
    if isinstance(made, list):
        return bool(made) and isinstance(made[0], tuple | Mapping)
    plain = isinstance(made, Mapping | tuple | str | bytes) or torch.is_tensor(made) or hasattr(made, "shape")
    return not plain and hasattr(made, "__getitem__") and hasattr(made, "__len__")


def read_items(made: Any, split: str) -> dict[str, Any]:
    """The arrays `x_SPLIT` and `y_SPLIT` of a data set or loader, the inputs as `Lazy` where they are too large.

    Raises:
        BadInput: a stream, an augmentation, items that do not fit together, or values that are no numbers.
    """
    dataset, rows, collate = unwrapped(made, split)
    items = Items(dataset, rows, collate, split)
    items.check_repeatable()
    few = items.batch(torch.arange(min(4, len(rows))))
    each = sum(bytes_of(tuple(leaf.shape[1:]), not leaf.is_floating_point()) for leaf in leaves(few[0]))
    if not too_large(each * len(rows)):
        inputs, targets = items.batch(torch.arange(len(rows)))
        items.check_finite([(inputs, 0)])
        return {f"x_{split}": inputs.fields if isinstance(inputs, Several) else inputs, f"y_{split}": targets}
    targets = items.looked_through()
    lazy = Lazy(lambda some: items.batch(some)[0], torch.arange(len(rows)))
    return {f"x_{split}": lazy, f"y_{split}": targets}


@dataclass(frozen=True, eq=False)
class Items:
    """Items by index and how several become a batch; `rows`: which of them are the examples, ascending."""

    dataset: Any
    rows: Tensor
    collate: Callable[[list[Any]], Any]
    split: str

    def batch(self, some: Tensor) -> tuple[Any, Tensor | None]:
        """Inputs and targets of these examples, as they lie; the targets None where an item has none."""
        items = [self._item(int(row)) for row in self.rows[some]]
        try:
            made = self.collate(items)
        except BadInput:
            raise
        except Exception as error:
            raise self._ragged(items, some, error) from error
        inputs, targets = self._parted(made)
        for leaf in _leaves((inputs, targets)):
            if leaf.ndim == 0 or len(leaf) != len(items):
                raise BadInput(
                    f"{self.called}: {len(items)} items become a tensor {tuple(leaf.shape)}: expected an example each"
                )
        return inputs, targets

    @property
    def called(self) -> str:
        """What messages call these examples."""
        return f"--data: the {self.split} data set {type(self.dataset).__name__}"

    def check_repeatable(self) -> None:
        """Refuse items that are not the same when they are read again."""
        spread = torch.linspace(0, len(self.rows) - 1, min(TWICE, len(self.rows))).long().unique()
        with _same_state_afterwards():
            batches = [_leaves(self.batch(spread)) for _ in range(2)]
            for place in spread:
                one, other = (_flat(self._item(int(self.rows[place]))) for _ in range(2))
                if not _alike(one, other):
                    raise BadInput(
                        f"{self.called}: item {int(self.rows[place])}, read twice, is not the same: it is augmented at "
                        "random.\nReturn the data set with its transform for evaluation (no random crop, flip or noise)"
                    )
        if not _alike(*batches):
            raise BadInput(
                f"{self.called}: the same items put together twice are not the same: its collate_fn draws at random.\n"
                "Return a DataLoader whose collate_fn does not (no mixing, no random masking)"
            )

    def check_finite(self, batches: list[tuple[Any, int]]) -> None:
        """Refuse inputs that are NaN or infinite; batches with the place of their first example."""
        broken = [broken_in(leaf, first) for inputs, first in batches for leaf in leaves(inputs)]
        check_finite(_added(broken), f"{self.called}: its inputs")

    def looked_through(self) -> Tensor | None:
        """The targets of all items, (N, ...), in one pass that also sees whether the inputs are alike and finite."""
        shape, found, broken = None, [], []
        for places in torch.arange(len(self.rows)).split(AT_ONCE):
            inputs, targets = self.batch(places)
            own = [tuple(leaf.shape[1:]) for leaf in leaves(inputs)]
            if shape not in (None, own):
                raise BadInput(
                    f"{self.called}: inputs have the shapes {shape} in one batch and {own} in another, and are too "
                    "many to be padded at once.\nPad every item to one length"
                )
            shape = own
            broken += [broken_in(leaf, int(places[0])) for leaf in leaves(inputs)]
            found += [] if targets is None else [targets.clone()]
        check_finite(_added(broken), f"{self.called}: its inputs")
        return torch.cat(found) if found else None

    def _item(self, row: int) -> Any:
        try:
            return self.dataset[row]
        except Exception as error:  # the user's own code may raise anything
            raise BadInput(f"{self.called}: item {row} cannot be read: {type(error).__name__}: {error}") from error

    def _parted(self, made: Any) -> tuple[Any, Tensor | None]:
        """Inputs and targets in a batch: (x, y), ((x1, x2), y), a dict with `labels`, or inputs alone."""
        if isinstance(made, Mapping):
            targets = made.get(LABELS)
            return self._structure(made), None if targets is None else self._tensor(targets, LABELS)
        if isinstance(made, tuple | list):
            if len(made) > 2:
                raise BadInput(
                    f"{self.called}: an item has {len(made)} parts. Return (x, y), ((x1, x2), y), or a dict of inputs "
                    "with the entry labels"
                )
            return self._structure(made[0]), self._tensor(made[1], "targets") if len(made) == 2 else None
        return self._tensor(made, "inputs"), None

    def _structure(self, made: Any) -> Any:
        if isinstance(made, Mapping):
            return Several({str(name): self._tensor(each, str(name)) for name, each in made.items()})
        if isinstance(made, tuple | list) and not _numbers(made):
            return Several(tuple(self._tensor(each, f"input {place}") for place, each in enumerate(made)))
        return self._tensor(made, "inputs")

    def _tensor(self, given: Any, name: str) -> Tensor:
        if isinstance(given, Mapping) or (isinstance(given, tuple | list) and not _numbers(given)):
            kinds = ", ".join(sorted({type(each).__name__ for each in given}))
            raise BadInput(
                f"{self.called}: its {name} are a {type(given).__name__} of {kinds}: expected a tensor of numbers.\n"
                "Leave what the network does not take out of the items"
            )
        return as_tensor(given, f"{self.called}: {name}")

    def _ragged(self, items: list[Any], some: Tensor, error: Exception) -> BadInput:
        """Why items do not become a batch: the first whose shapes are not those of the first item."""
        own = _shapes(items[0])
        for place, item in enumerate(items):
            if _shapes(item) != own:
                return BadInput(
                    f"{self.called} is ragged: item {int(self.rows[some[place]])} has the shapes {_shapes(item)}, item "
                    f"{int(self.rows[some[0]])} {own}.\nPad them to one shape, or let a DataLoader's collate_fn do it"
                )
        words = str(error).strip().splitlines() or [""]
        return BadInput(f"{self.called}: its items cannot be put together: {type(error).__name__}: {words[0]}")


def _numbers(made: Any) -> bool:
    """Whether a list is one of numbers."""
    return bool(made) and all(isinstance(each, int | float | bool | np.number) for each in made)


def _flat(item: Any) -> list[Any]:
    """What an item is made of."""
    if isinstance(item, Mapping):
        return [leaf for name in item for leaf in _flat(item[name])]
    if isinstance(item, tuple | list) and not _numbers(item):
        return [leaf for each in item for leaf in _flat(each)]
    return [item]


def _leaves(batch: tuple[Any, Tensor | None]) -> list[Tensor]:
    inputs, targets = batch
    return [*leaves(inputs), *([] if targets is None else [targets])]


def _shapes(item: Any) -> list[tuple[int, ...]]:
    return [tuple(np.shape(leaf)) for leaf in _flat(item)]


def _alike(one: list[Any], other: list[Any]) -> bool:
    """Whether an item read twice is the same; of values that are no numbers, whether they say so themselves."""
    if len(one) != len(other):
        return False
    for a, b in zip(one, other, strict=True):
        try:
            first, second = np.asarray(a), np.asarray(b)
        except (TypeError, ValueError, RuntimeError):
            continue
        if first.shape != second.shape or not np.array_equal(first, second, equal_nan=first.dtype.kind in "fc"):
            return False
    return True


def _added(broken: list[tuple[int, int | None]]) -> tuple[int, int | None]:
    found = [(count, first) for count, first in broken if count]
    return sum(count for count, _ in found), min((first for _, first in found if first is not None), default=None)


@contextmanager
def _same_state_afterwards() -> Iterator[None]:
    """What is drawn inside is not missed afterwards, by torch, numpy or Python."""
    numbers, own = np.random.get_state(), random.getstate()
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        np.random.set_state(numbers)
        random.setstate(own)
