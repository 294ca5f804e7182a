"""Sparsities of single layers, given by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from minima.store.command import BadInput
from pruning.context.counts import kept_count, size

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context.context import Context


@dataclass(frozen=True)
class Given:
    """The layers named are cut to their own sparsities; the others compete for what is left of the whole."""

    layers: tuple[str, ...]
    """LAYER=SPARSITY, by name of the layer or of its weight"""

    def __post_init__(self) -> None:
        read_layers(self.layers)

    def pools(self, context: Context, alive: dict[str, Tensor], kept: int) -> list[tuple[tuple[str, ...], int]]:  # noqa: ARG002
        wanted = read_layers(self.layers)
        shares = {_weight(layer, alive): _share(layer, sparsity, alive) for layer, sparsity in wanted.items()}
        others = tuple(name for name in alive if name not in shares)
        room, rest = sum(int(alive[name].sum()) for name in others), kept - sum(shares.values())
        if not 0 <= rest <= room:
            total = size(alive)
            fewest, most = sum(shares.values()), sum(shares.values()) + room
            raise BadInput(
                f"--layer: with these sparsities {fewest} to {most} of the {total} weights stay, but --sparsity leaves "
                f"{kept}; give a --sparsity from {1 - most / total:.6g} to {1 - fewest / total:.6g}"
            )
        return [((name,), share) for name, share in shares.items()] + ([(others, rest)] if others else [])


def read_layers(words: Sequence[str]) -> dict[str, float]:
    """The flag's words `LAYER=SPARSITY` by layer.

    >>> read_layers(["conv1=0.5", "fc1=0.9"])
    {'conv1': 0.5, 'fc1': 0.9}
    """
    found: dict[str, float] = {}
    for word in words:
        layer, _, value = word.partition("=")
        try:
            found[layer] = float(value)
        except ValueError:
            raise BadInput(f"--layer {word}: expected LAYER=SPARSITY, for example fc1=0.9") from None
        if not 0 <= found[layer] <= 1:
            raise BadInput(f"--layer {word}: expected a sparsity from 0 to 1, for example {layer}=0.9")
    return found


def _share(layer: str, sparsity: float, alive: dict[str, Tensor]) -> int:
    mask = alive[_weight(layer, alive)]
    share, left = kept_count(mask.numel(), sparsity), int(mask.sum())
    if share > left:
        raise BadInput(
            f"--layer {layer}={sparsity:g} keeps {share} of {mask.numel()} weights, but only {left} are left; "
            f"give at least {layer}={1 - left / mask.numel():.6g}"
        )
    return share


def _weight(layer: str, alive: dict[str, Tensor]) -> str:
    for name in (layer, f"{layer}.weight"):
        if name in alive:
            return name
    known = ", ".join(name.removesuffix(".weight") for name in alive)
    raise BadInput(f"--layer {layer}: the network has no such convolution or linear layer (it has: {known})")
