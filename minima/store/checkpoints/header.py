"""The header of a checkpoint, and of a trajectory: every field, what it must be, and what its tensors must be."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from minima.store.description import (
    COUNT,
    FINITE,
    FLAG,
    NAME,
    NUMBER,
    PLAIN,
    POSITIVE,
    SHAPE,
    SHARE,
    SIZE,
    TEXT,
    WHOLE,
    Description,
    Fields,
    ListOf,
    Maybe,
    Rule,
    TableOf,
    check,
    one_of,
    shown,
)
from minima.store.messages import BadInput

if TYPE_CHECKING:
    from torch import Tensor

RECIPE = Fields(
    must={
        "optimiser": one_of("sgd", "adam"),
        "lr": FINITE,
        "momentum": FINITE,
        "weight_decay": FINITE,
        "batch_size": SIZE,
        "schedule": one_of("constant", "step", "cosine", "linear", "plateau"),
        "milestones": ListOf(FINITE),
    },
    may={"nesterov": FLAG, "warm_up": FINITE, "last": FINITE, "gamma": FINITE, "patience": COUNT},
)
"""the fields of minima.zoo.training.recipe.Recipe"""
_TOLD = {**RECIPE.must, **RECIPE.may, "optimiser": TEXT}
RECORDED = Fields(may=_TOLD)
"""as much of them as a loop of somebody else told"""
TRAINING = Fields(
    may={
        "recipe": RECIPE,
        "recorded": RECORDED,
        "epochs": COUNT,
        "validation": SHARE,
        "split_seed": WHOLE,
        "order_seed": WHOLE,
        "weights_at": ListOf(COUNT),
        "keep": COUNT,
        "keep_unit": one_of("epoch", "step"),
        "from_epoch": Maybe(COUNT),
        "task": Maybe(
            Fields(may={"loss": Maybe(Fields({"spec": NAME}, {"sha256": Maybe(TEXT)})), "output": Maybe(PLAIN)})
        ),
        "moment": TableOf(NUMBER),
    },
    others=PLAIN,
)
METRICS = Fields(
    may={
        "validation": Fields(may={"samples": COUNT}, others=PLAIN),
        "cuts": ListOf(Fields({"epoch": FINITE, "survivors": COUNT}, others=PLAIN)),
        "epochs": FINITE,
        "initial_sparsity": FINITE,
        "sparsity": FINITE,
        "frozen": Maybe(FINITE),
    },
    others=PLAIN,
)
MODEL = Fields(
    {"name": NAME},
    {"arguments": TableOf(PLAIN), "input_shape": SHAPE, "classes": SIZE, "sha256": Maybe(TEXT)},
    others=PLAIN,
)
DATA = Fields(
    may={
        "spec": NAME,
        "root": Maybe(TEXT),
        "mean": ListOf(FINITE, least=1),
        "std": ListOf(POSITIVE, least=1),
        "sha256": Maybe(TEXT),
        "input_shape": Maybe(SHAPE),
        "scale": Maybe(FINITE),
        "labels_in": Maybe(FLAG),
        "input_dtype": Maybe(one_of("int64", "float32")),
    },
    others=PLAIN,
)
HEADER: dict[str, Description] = {
    "model": MODEL,
    "data": DATA,
    "training": TRAINING,
    "seed": WHOLE,
    "metrics": METRICS,
    "parent": Maybe(TEXT),
    "method": Maybe(Fields(may={"name": NAME}, others=PLAIN)),
    "versions": TableOf(TEXT),
}
"""everything of a checkpoint but its tensors"""
TOGETHER = {
    ("model", "arguments"): ("input_shape", "classes"),
    ("data", "spec"): ("root", "mean", "std"),
    ("training", "recipe"): ("epochs", "validation", "split_seed", "order_seed", "keep_unit"),
    ("training", "recorded"): ("keep_unit",),
}
"""fields that must stand beside another"""
DTYPES = ("float16", "bfloat16", "float32", "float64", "complex64", "complex128")
WHOLE_DTYPES = ("bool", "uint8", "int8", "int16", "int32", "int64")


def check_header(entries: Mapping[str, Any], where: str) -> None:
    """Hold the header of a checkpoint or trajectory against its description.

    Raises:
        BadInput: the field, what was expected and what was found.
    """
    check(entries, Fields(HEADER, others=PLAIN), where)
    for (name, key), others in TOGETHER.items():
        if key in entries[name] and (absent := [each for each in others if each not in entries[name]]):
            raise BadInput(f"{where} has no {name}.{absent[0]}, expected beside {name}.{key}")


def check_tensors(raw: Mapping[str, Any], where: str) -> None:
    """Hold what lies beside the header, `state` and `weights_at` as they are stored, against what they must be.

    Raises:
        BadInput: the tensor, what was expected and what was found.
    """
    for field in ("state", "weights_at"):
        if not isinstance(raw.get(field), Mapping):
            found = shown(raw[field]) if field in raw else "missing"
            raise BadInput(f"{where}: {field} is {found}, expected a table of tensors")
    for name, entry in raw["state"].items():
        check(name, TEXT, where, "a name in state")
        if isinstance(entry, Mapping):
            _check_packed(entry, raw["state"], where, f"state.{name}")
        else:
            _check_tensor(entry, where, f"state.{name}")
    shapes = dict(_shapes(raw["state"]))
    for epoch, state in raw["weights_at"].items():
        check(epoch, COUNT, where, "an epoch in weights_at")
        if not isinstance(state, Mapping):
            raise BadInput(f"{where}: weights_at.{epoch} is {shown(state)}, expected a table of tensors")
        for name, tensor in state.items():
            if name not in shapes:
                raise BadInput(f"{where}: weights_at.{epoch} has the tensor {shown(name)}, which state does not have")
            _check_tensor(tensor, where, f"weights_at.{epoch}.{name}")
            if tuple(tensor.shape) != shapes[name]:
                raise BadInput(
                    f"{where}: weights_at.{epoch}.{name} is {shown(tensor)}, expected the shape {shapes[name]}"
                )


def _shapes(state: Mapping[str, Any]) -> Iterator[tuple[str, tuple[int, ...]]]:
    for name, entry in state.items():
        whole = state[entry["same_as"]] if isinstance(entry, Mapping) and "same_as" in entry else entry
        yield name, tuple(whole["shape"] if isinstance(whole, Mapping) else whole.shape)


def _check_packed(entry: Mapping[str, Any], state: Mapping[str, Any], where: str, name: str) -> None:
    """A tensor with a mask, or the name of the one that it is."""
    if "same_as" in entry:
        check(
            entry, Fields({"same_as": one_of(*(key for key, other in state.items() if _is_packed(other)))}), where, name
        )
        return
    check(entry, Fields({"shape": ListOf(COUNT, most=16), "mask": TENSOR, "values": TENSOR}), where, name)
    _check_tensor(entry["values"], where, f"{name}.values")
    _check_tensor(entry["mask"], where, f"{name}.mask", ("uint8",))
    size, bits, values = math.prod(entry["shape"]), entry["mask"], entry["values"]
    if bits.ndim != 1 or len(bits) != -(-size // 8):
        raise BadInput(
            f"{where}: {name}.mask is {shown(bits)}, expected {-(-size // 8):,} bytes of mask for the shape "
            f"{tuple(entry['shape'])}"
        )
    kept = _ones(bits, size)
    if values.ndim != 1 or len(values) != kept:
        raise BadInput(f"{where}: {name}.values is {shown(values)}, expected one for each of the {kept:,} survivors")


def _is_packed(entry: Any) -> bool:
    return isinstance(entry, Mapping) and "shape" in entry


def _ones(bits: Tensor, size: int) -> int:
    """How many of the first `size` bits are 1."""
    import numpy as np

    return int(np.unpackbits(bits.numpy(), count=size).sum())


def _is_plain_tensor(value: Any) -> bool:
    """Whether it has its values, each in its own place."""
    import torch

    if not torch.is_tensor(value) or type(value) not in (torch.Tensor, torch.nn.Parameter):
        return False
    if value.layout != torch.strided or value.device.type != "cpu" or value.is_quantized or value.is_nested:
        return False
    return value.is_contiguous()


TENSOR = Rule("a tensor with its values one after the other", _is_plain_tensor)


def _check_tensor(value: Any, where: str, name: str, dtypes: tuple[str, ...] = (*DTYPES, *WHOLE_DTYPES)) -> None:
    check(value, TENSOR, where, name)
    if str(value.dtype).removeprefix("torch.") not in dtypes:
        raise BadInput(f"{where}: {name} is {shown(value)}, expected one of {', '.join(dtypes)}")
