"""Where values leave torch: as a number of Python, or as the size of what an operation makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from minima.zoo.anatomy.operations import COUNTED, FACTORIES, LEAVING, SIZED, named

Given = Mapping[str, Any]


def leaving(name: str, args: Sequence[Any], kwargs: Given, made: Sequence[Tensor]) -> list[Tensor]:
    """The operands of a call whose entries leave torch there: Python's code may decide by them.

    >>> x, mask = torch.rand(3), torch.ones(3) > 0
    >>> leaving("getitem", (x, mask), {}, [x]) == [mask], leaving("getitem", (x, 0), {}, [x])
    (True, [])
    """
    if name in LEAVING and not made:
        return _tensors((args, kwargs))
    sizing = SIZING.get(name)
    return [] if sizing is None else _tensors(sizing(args, kwargs))


def _tensors(values: Any) -> list[Tensor]:
    return [leaf for leaf in _leaves(values) if torch.is_tensor(leaf)]


def _leaves(values: Any) -> list[Any]:
    """What is in arguments, those of slices too."""
    found = []
    for leaf in tree_leaves(values):
        found += [leaf.start, leaf.stop, leaf.step] if isinstance(leaf, slice) else [leaf]
    return found


def _everything(args: Sequence[Any], kwargs: Given) -> Any:
    return args, kwargs


def _behind(first: str) -> Callable[[Sequence[Any], Given], Any]:
    """All but the first operand."""
    return lambda args, kwargs: (args[1:], {key: value for key, value in kwargs.items() if key != first})


def _only(*names: str, wanted: str) -> Callable[[Sequence[Any], Given], Any]:
    """The operand of this name, of those that come in this order."""
    return lambda args, kwargs: named(names, args, kwargs).get(wanted)


def _condition(args: Sequence[Any], kwargs: Given) -> Any:
    """Of a condition alone `where` makes the places where it holds."""
    return (args, kwargs) if len(args) + len(kwargs) == 1 else ()


def _repeats(args: Sequence[Any], kwargs: Given) -> Any:
    given = named(("input", "repeats"), args, kwargs)
    return given.get("repeats", given.get("input"))


def _indexed(args: Sequence[Any], _kwargs: Given) -> list[Any]:
    """Masks, and the ends of slices; indices say which entries, and not how many."""
    parts = args[1] if isinstance(args[1], tuple) else (args[1],)
    masks = (torch.bool, torch.uint8)
    return [part for part in parts if isinstance(part, slice) or (torch.is_tensor(part) and part.dtype in masks)]


def _one_hot(args: Sequence[Any], kwargs: Given) -> Any:
    """Without a number of classes it is the largest entry's."""
    given = named(("input", "num_classes"), args, kwargs)
    return (args, kwargs) if given.get("num_classes", -1) == -1 else ()


SIZING: Mapping[str, Callable[[Sequence[Any], Given], Any]] = {
    **dict.fromkeys(COUNTED | FACTORIES, _everything),
    **dict.fromkeys(SIZED, _behind("input")),
    "where": _condition,
    "masked_select": _only("input", "mask", wanted="mask"),
    "getitem": _indexed,
    "repeat_interleave": _repeats,
    "one_hot": _one_hot,
    "full": _only("size", wanted="size"),
    "new_full": _only("input", "size", wanted="size"),
    "pad": _only("input", "pad", wanted="pad"),
}
"""by operation: what of its arguments says how large its result is"""
