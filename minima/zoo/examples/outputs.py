"""Which of a network's outputs is measured: its only tensor, the first of several, or the one that is named."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from minima.store.command import BadInput


def pick(outputs: Any, which: str | None = None) -> Any:
    """The tensor that is to be measured, out of what a network returned.

    A tensor itself; the first of a tuple or list; `logits` of a dict or object, else its only floating tensor. `which`:
    a name or a place instead.

    Raises:
        BadInput: there is none, or several; with what there is.

    >>> import torch
    >>> pick({"logits": torch.ones(1), "loss": torch.zeros(1)}), pick((torch.ones(1), None))
    (tensor([1.]), tensor([1.]))
    """
    import torch

    if torch.is_tensor(outputs) and which is None:
        return outputs
    return _named(outputs, which) if which is not None else _found(outputs)


def said_of(outputs: Any) -> str | None:
    """What is to be said where `pick` took the first of several: what there is, and how another is taken.

    >>> import torch
    >>> said_of((torch.ones(2, 4), torch.ones(2)))
    'the network returns a tuple of 2: a tensor (2, 4), a tensor (2,). The first is measured; --output 1 takes another'
    >>> said_of((torch.ones(2), None)) is None
    True
    """
    import torch

    if not isinstance(outputs, tuple | list) or hasattr(outputs, "logits"):
        return None
    others = [at for at, each in enumerate(outputs) if at and torch.is_tensor(each) and each.is_floating_point()]
    if not others:
        return None
    return f"the network returns {describe(outputs)}. The first is measured; --output {others[0]} takes another"


def tensors_of(outputs: Any) -> list[Any]:
    """The tensors in what a network returned: in tuples, lists, dicts, dataclasses and attributes of objects, at any
    depth, in order.

    >>> import torch
    >>> [each.item() for each in tensors_of({"loss": torch.tensor(1), "more": (torch.tensor(2), None)})]
    [1, 2]
    """
    return list(_leaves(outputs, set()))


def _leaves(outputs: Any, seen: set[int]) -> Iterator[Any]:
    import torch

    if torch.is_tensor(outputs):
        yield outputs
        return
    if id(outputs) in seen or isinstance(outputs, type | torch.nn.Module | str | bytes):
        return
    seen.add(id(outputs))
    if isinstance(outputs, tuple | list | set | frozenset):
        inner = list(outputs)
    elif isinstance(outputs, Mapping):
        inner = list(outputs.values())
    else:
        slots = [getattr(outputs, name, None) for name in _slots(outputs)]
        inner = [*getattr(outputs, "__dict__", {}).values(), *slots]
    for each in inner:
        yield from _leaves(each, seen)


def _slots(outputs: Any) -> list[str]:
    if dataclasses.is_dataclass(outputs):
        held = getattr(outputs, "__dict__", {})
        return [field.name for field in dataclasses.fields(outputs) if field.name not in held]
    own = [getattr(kind, "__slots__", ()) for kind in type(outputs).__mro__]
    return [name for names in own for name in ((names,) if isinstance(names, str) else names)]


def _found(outputs: Any) -> Any:
    """By the rule of `pick`, of what is no tensor itself."""
    import torch

    held = _held(outputs)
    if torch.is_tensor(held.get("logits")):
        return held["logits"]
    if isinstance(outputs, tuple | list):
        return pick(outputs[0]) if outputs else _refuse(outputs)
    floating = [each for each in held.values() if torch.is_tensor(each) and each.is_floating_point()]
    return floating[0] if len(floating) == 1 else _refuse(outputs)


def describe(outputs: Any) -> str:
    """What a network puts out, in words."""
    import torch

    if torch.is_tensor(outputs):
        return f"a tensor {tuple(outputs.shape)}"
    if isinstance(outputs, tuple | list) and not hasattr(outputs, "_fields"):
        return f"a {type(outputs).__name__} of {len(outputs)}: {', '.join(map(describe, outputs))}"
    held = _held(outputs)
    inner = ", ".join(f"{name}: {describe(each)}" for name, each in held.items())
    return f"a {type(outputs).__name__}" + (f" with {inner}" if held else "")


def _named(outputs: Any, which: str) -> Any:
    import torch

    found: Any = None
    if isinstance(outputs, tuple | list) and which.lstrip("-").isdigit():
        found = outputs[int(which)] if -len(outputs) <= int(which) < len(outputs) else None
    else:
        found = _held(outputs).get(which)
    if torch.is_tensor(found):
        return found
    raise BadInput(f"--output {which}: there is no such tensor. The network returns {describe(outputs)}")


def _held(outputs: Any) -> dict[str, Any]:
    """The entries of a dict, or of an object such as those of transformers."""
    if isinstance(outputs, Mapping):
        return {str(name): each for name, each in outputs.items()}
    if hasattr(outputs, "_asdict"):
        return dict(outputs._asdict())
    return {name: each for name, each in getattr(outputs, "__dict__", {}).items() if not name.startswith("_")}


def _refuse(outputs: Any) -> Any:
    raise BadInput(
        f"the network returns {describe(outputs)}, and which of it is measured cannot be told.\n"
        "Type --output NAME for an entry of a dict or object, --output INDEX for a place in a tuple"
    )
