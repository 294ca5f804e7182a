"""Examples as somebody's program holds them: tensors, arrays, a dataset or a loader of torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from minima.store.command import BadInput
from minima.zoo.data.dataset import Dataset
from minima.zoo.data.items import is_items, read_items
from minima.zoo.data.preprocessing import without_labels
from minima.zoo.examples.inputs import Inputs, as_inputs
from minima.zoo.examples.lazy import Lazy

if TYPE_CHECKING:
    from torch import Tensor

LABELS = "labels"
EXPECTED = (
    "expected (x, y), x being a tensor, an array, or a tuple or dict of them with one leading axis;\na dict of inputs "
    "with an entry `labels`; a Dataset of minima; a torch.utils.data.Dataset or DataLoader"
)


@dataclass(frozen=True)
class Examples:
    """Inputs and targets that a network is measured on."""

    x: Inputs
    """(N, ...) a tensor, or several"""
    y: Any
    """(N, ...) targets; None where there are none"""

    @property
    def classes(self) -> int | None:
        """How many classes labels (N,) name, counted from 0; None where the targets are no such labels."""
        import torch

        labels = torch.is_tensor(self.y) and self.y.ndim == 1 and not self.y.is_floating_point() and len(self.y)
        return int(self.y.max()) + 1 if labels and int(self.y.min()) >= 0 else None


def as_examples(data: Any, split: Literal["train", "test"] = "train") -> Examples:
    """Inputs and targets of whatever holds them, in its own order.

    Args:
        data: (x, y), x being a tensor or array (N, ...), or a tuple or dict of several for `model(*x)` or `model(**x)`;
            a dict of inputs with an entry `labels`; a `Dataset` of minima; a `torch.utils.data.Dataset` or
            `DataLoader`, whose dataset and collation are used in index order. Anything with `x` and `y` will do.
        split: which part of a `Dataset` of minima, which holds two.

    Raises:
        BadInput: it is none of these, or its inputs and targets differ in number.

    >>> found = as_examples(([[1.0], [2.0]], [0, 1]))
    >>> found.x.shape, found.y.tolist(), found.classes
    (torch.Size([2, 1]), [0, 1], 2)
    """
    if isinstance(data, Dataset):
        there = "test" if data.x_train is None else "train" if data.x_test is None else split
        return Examples(*data.split(there))
    if isinstance(data, Mapping):
        return _of_mapping(data)
    if is_items(data):
        arrays = read_items(data, split)
        x, y = as_inputs(arrays[f"x_{split}"]), arrays[f"y_{split}"]
        return Examples(x.then(without_labels) if isinstance(x, Lazy) else without_labels(x), y)
    if isinstance(data, tuple | list) and len(data) == 2:
        return _paired(data[0], data[1])
    if hasattr(data, "x") and hasattr(data, "y"):
        return _paired(data.x, data.y)
    raise BadInput(f"data is a {type(data).__name__}: {EXPECTED}")


def _of_mapping(data: Mapping[Any, Any]) -> Examples:
    if LABELS not in data:
        raise BadInput(f"data is a dict with {', '.join(map(str, data))}: {EXPECTED}")
    return _paired({key: value for key, value in data.items() if key != LABELS}, data[LABELS])


def _paired(x: Any, y: Any) -> Examples:
    if isinstance(x, Mapping):
        inputs: Inputs = as_inputs({str(name): _tensor(each, f"x[{name!r}]") for name, each in x.items()})
    elif isinstance(x, tuple) or (isinstance(x, list) and x and hasattr(x[0], "shape")):
        inputs = as_inputs([_tensor(each, f"x[{place}]") for place, each in enumerate(x)])
    else:
        inputs = x if hasattr(x, "fields") else _tensor(x, "x")
    targets = None if y is None else _tensor(y, "y")
    if targets is not None and len(targets) != len(inputs):
        raise BadInput(f"data hold {len(inputs):,} inputs x and {len(targets):,} targets y: expected as many")
    return Examples(inputs, targets)


def _tensor(given: Any, name: str) -> Tensor:
    import torch

    try:
        found = given if torch.is_tensor(given) else torch.as_tensor(given)
    except (TypeError, ValueError, RuntimeError) as error:
        raise BadInput(f"{name} of the data is a {type(given).__name__}, no tensor: {EXPECTED}") from error
    if not found.ndim or not len(found):
        raise BadInput(f"{name} of the data is empty, or a single number: {EXPECTED}")
    return found.detach()
