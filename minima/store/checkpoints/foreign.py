"""Files that others wrote, as what they hold: tensors under dotted names, whatever container they lie in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

from minima.store.checkpoints.skimming import Skipped

if TYPE_CHECKING:
    from torch import Tensor

DEEPEST = 40
"""levels of containers that are looked into: one may hold itself"""
MOST = 100_000
"""containers that are looked into: a few that hold each other many times would be without end"""
ARRAYS = ("multiarray._reconstruct", "numeric._frombuffer")
"""numpy's functions that make arrays, by the end of their name"""


@dataclass(frozen=True, eq=False)
class Foreign:
    """What a file of somebody else holds. Nothing in it was run."""

    keys: tuple[str, ...]
    """of its outermost container"""
    tensors: dict[str, Tensor]
    """every tensor in it, by the keys that lead to it, dotted: `state_dict.layer1.0.weight`"""
    containers: frozenset[str]
    """the dotted names of the containers that tensors lie in; "" is the file itself"""
    notes: tuple[str, ...] = ()
    """what was left out"""


def flattened(content: Any, notes: tuple[str, ...] = ()) -> Foreign:
    """The tensors in nested containers, modules and objects.

    >>> flattened({"model": {"state_dict": {"fc.weight": _tensor()}}, "epoch": 3}).containers == {"model.state_dict"}
    True
    """
    import torch

    tensors: dict[str, Tensor] = {}
    containers = set()
    for container, key, tensor in _leaves(content, "", DEEPEST, count()):
        name = _joined(container, key)
        tensors.setdefault(name, tensor.data if isinstance(tensor, torch.nn.Parameter) else tensor)
        containers.add(container)
    top = _entries(content, count()) or ()
    return Foreign(tuple(str(key) for key, _ in top), tensors, frozenset(containers), notes)


def _joined(container: str, key: str) -> str:
    return f"{container}.{key}" if container else key


def _leaves(node: Any, name: str, depth: int, seen: Iterator[int]) -> Iterator[tuple[str, str, Tensor]]:
    """Every tensor below a container: the container's name, its own key in it, and the tensor."""
    import torch

    entries = _entries(node, seen)
    if entries is None or depth == 0 or next(seen) > MOST:
        return
    for key, value in entries:
        found = _array(value) if isinstance(value, Skipped) else value
        if torch.is_tensor(found):
            yield name, str(key), found
        else:
            yield from _leaves(found, _joined(name, str(key)), depth - 1, seen)


def _entries(node: Any, seen: Iterator[int]) -> list[tuple[Any, Any]] | None:
    """What a container holds by key; None for what is no container."""
    if isinstance(node, Mapping):
        return list(node.items())
    if isinstance(node, (list, tuple)):
        return list(enumerate(node))
    if _is_module(node):
        return list(_module_state(node.state, "", DEEPEST, seen))
    if isinstance(node, Skipped):
        state = node.state if isinstance(node.state, Mapping) else {}
        return [*node.entries.items(), *state.items()]
    return None


def _is_module(node: Any) -> bool:
    """Whether a skipped object was a torch.nn.Module."""
    attributes = getattr(node, "state", None)
    return isinstance(node, Skipped) and isinstance(attributes, Mapping) and "_modules" in attributes


def _module_state(
    attributes: Mapping[str, Any], prefix: str, depth: int, seen: Iterator[int]
) -> Iterator[tuple[str, Tensor]]:
    """The state dict of a pickled module: its parameters and persistent buffers, then those of its parts."""
    import torch

    volatile = attributes.get("_non_persistent_buffers_set", ())
    if isinstance(volatile, Skipped):  # a set, which old protocols make by a call
        volatile = volatile.arguments[0] if volatile.arguments else ()
    for group in ("_parameters", "_buffers"):
        for name, value in (attributes.get(group) or {}).items():
            if torch.is_tensor(value) and not (group == "_buffers" and name in volatile):
                yield f"{prefix}{name}", value
    for name, part in (attributes.get("_modules") or {}).items():
        if _is_module(part) and depth and next(seen) <= MOST:
            yield from _module_state(part.state, f"{prefix}{name}.", depth - 1, seen)


def _array(skipped: Skipped) -> Any:
    """A pickled numpy array as a tensor, made of its bytes; anything else as it is."""
    import numpy as np
    import torch

    if not skipped.name.endswith(ARRAYS) or not skipped.name.startswith("numpy."):
        return skipped
    try:
        if skipped.name.endswith("_frombuffer"):
            raw, kind, shape, order = skipped.arguments
        else:
            _, shape, kind, fortran, raw = skipped.state
            order = "F" if fortran else "C"
        if isinstance(raw, Skipped):  # bytes in an old protocol: _codecs.encode(text, "latin1")
            raw = raw.arguments[0].encode("latin1")
        dtype = np.dtype(kind.arguments[0]).newbyteorder(kind.state[1])
        array = np.frombuffer(raw, dtype=dtype).reshape(shape, order=order)
        return torch.from_numpy(array.astype(dtype.newbyteorder("="), order="C"))
    except (ValueError, TypeError, AttributeError, IndexError):  # an array of objects, or no array at all
        return skipped


def _tensor() -> Tensor:
    import torch

    return torch.ones(1)
