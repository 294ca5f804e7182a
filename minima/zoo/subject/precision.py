"""In which dtype a network runs: its own, float32 for half precision, or the one that `--dtype` names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from minima.store.command import BadInput
from minima.zoo.subject.misfit import some

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

Precision = Literal["float32", "float64"]


def settle(
    model: nn.Module, state: Mapping[str, Tensor], asked: Precision | None, file: str, model_name: str
) -> list[str]:
    """Give the network the dtype in which it will run, before the file's values go in; what was decided, in words.

    Its parameters in half precision become float32. Where all floating parameters in the file are float64 the
    network does not round them. Integer buffers stay as they are.

    Raises:
        BadInput: its weights are complex, or of a kind that nothing is known to compute with.
    """
    import torch

    parameters = dict(model.named_parameters())
    for key, parameter in parameters.items():
        require_real(key, parameter, model_name)
    if asked is not None:
        _convert(model, getattr(torch, asked))
        return []
    floating = [state[key].dtype for key in parameters if key in state and state[key].is_floating_point()]
    if floating and all(dtype == torch.float64 for dtype in floating):
        own = {parameter.dtype for parameter in parameters.values()}
        _convert(model, torch.float64)
        return [] if own == {torch.float64} else [f"{file} ran in float64, as the file has it (--dtype float32 rounds)"]
    kinds = {name: {parameter.dtype, state[name].dtype} for name, parameter in parameters.items() if name in state}
    _convert(model, torch.float32, bytes_each=2)
    narrow = {name: kind for name, kind in kinds.items() if _narrower(parameters[name])}
    half = {str(dtype)[6:] for kind in narrow.values() for dtype in kind if dtype.itemsize == 2}
    notes = [f"{file} ran in float32, its weights being {' and '.join(sorted(half))}"] if half else []
    own_state = model.state_dict(keep_vars=True)
    rounded = [key for key, value in state.items() if value.dtype == torch.float64 and _narrower(own_state[key])]
    if rounded:
        notes.append(
            f"{some(rounded)} of the file's float64 rounded to the network's float32 (--dtype float64 does not)"
        )
    return notes


def require_real(name: str, parameter: Tensor, model_name: str) -> None:
    """Raise a BadInput where a parameter is complex, or of a kind that nothing is known to compute with."""
    if parameter.is_complex() or (parameter.is_floating_point() and parameter.dtype.itemsize == 1):
        kind = str(parameter.dtype).removeprefix("torch.")
        raise BadInput(
            f"{name} of the model {model_name} is {kind}: only networks with real weights are measured.\n"
            "Name one with weights of float32 or float64 (a complex weight as its real and imaginary part)"
        )


def inputs_dtype(model: nn.Module) -> torch.dtype:
    """The dtype that floating inputs of the network should have: that of its first floating parameter."""
    import torch

    return next((value.dtype for value in model.parameters() if value.is_floating_point()), torch.float32)


def _convert(model: nn.Module, dtype: torch.dtype, bytes_each: int | None = None) -> None:
    """Floating parameters and buffers in another dtype, all or those of so many bytes each; complex ones stay."""

    def converted(tensor: Tensor) -> Tensor:
        chosen = tensor.is_floating_point() and (bytes_each is None or tensor.dtype.itemsize == bytes_each)
        return tensor.to(dtype) if chosen else tensor

    model._apply(converted)


def _narrower(own: Tensor) -> bool:
    import torch

    return own.dtype == torch.float32
