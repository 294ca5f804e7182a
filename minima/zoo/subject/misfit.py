"""What to say where no place in a file fits a network: what is missing, left over or misshapen, and what is near."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from minima.store.checkpoints.foreign import Foreign
from minima.zoo.subject.comparing import Comparison
from minima.zoo.subject.names import last
from minima.zoo.subject.slots import Slots

SHOWN = 4


def some(items: list[str], separator: str = ", ") -> str:
    """The first few of some names in words, and how many more there are.

    >>> some(list("abcdef"))
    'a, b, c, d and 2 more'
    """
    shown = separator.join(items[:SHOWN])
    return shown if len(items) <= SHOWN else f"{shown} and {len(items) - SHOWN} more"


def misfit(foreign: Foreign, slots: Slots, nearest: Comparison, path: Path, model_name: str) -> str:
    """The message about the place that came nearest."""
    where = f" ({nearest.entry} comes nearest)" if nearest.entry else ""
    shapes = [
        f"{name}: {_shape(foreign, source)} in the file, {tuple(slots.tensors[name].shape)} in the model"
        for name, source in nearest.shapes
    ]
    lines = [f"missing in the file: {some(nearest.missing)}"] * bool(nearest.missing)
    lines += [f"not in the model: {some(nearest.extra)}"] * bool(nearest.extra)
    lines += [some(shapes, "; ")] * bool(shapes)
    if hint := _nearest_name(foreign, slots, nearest):
        lines.append(hint)
    if shard := _shard(path):
        return f"{path} does not fit the model {model_name}: " + ".\n".join([*lines, shard])
    way_out = "Name the right one with --model, or where the weights are with --entry"
    if nearest.extra and not nearest.missing and not shapes:
        way_out += (
            ";\nwhere the network makes no use of them, let the class have parameters of these names, as constants"
        )
    return f"{path} does not fit the model {model_name}{where}: " + ".\n".join([*lines, way_out])


def _shape(foreign: Foreign, name: str) -> tuple[int, ...]:
    return tuple(foreign.tensors[name].shape)


def _nearest_name(foreign: Foreign, slots: Slots, nearest: Comparison) -> str:
    """For the first tensor that is missing, one that is left over, of its shape and much like it in name."""
    from torch.nn.parameter import is_lazy

    if not nearest.missing or is_lazy(slots.tensors[nearest.missing[0]]):
        return ""
    name = nearest.missing[0]
    shape = tuple(slots.tensors[name].shape)
    alike = [other for other in nearest.extra if _shape(foreign, other) == shape]
    close = get_close_matches(name, alike, n=1, cutoff=0.0) if len(alike) < 200 else alike[:1]
    return f"nearest to {name} {shape}: {close[0]} of the file" if close and last(close[0]) else ""


def _shard(path: Path) -> str:
    """What to type where the file is one of several that hold the network together."""
    for index in sorted(path.parent.glob("*.index.json")):
        if path.name in index.read_text(errors="replace"):
            return f"It is one of several files: type their index instead, {index}"
    return ""
