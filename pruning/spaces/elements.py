"""Single weights of convolutions and linear layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from minima.store.command import BadInput
from minima.zoo.anatomy.prunable import prunable
from pruning.context.counts import alive_count, alive_counts, kept_count, size

if TYPE_CHECKING:
    from torch import Tensor, nn

    from minima.zoo.anatomy.unit_groups import UnitGroup
    from pruning.context.candidates import Heads, Scored

    Tensors = dict[str, Tensor]


@dataclass(frozen=True)
class Elements:
    """Single weights, each kept or removed by itself."""

    def on(self, model: nn.Module, x: Any) -> Elements:  # noqa: ARG002
        return self

    def counting(self, measure: str, heads: Heads = "groups") -> Elements:
        if heads != "groups":
            raise BadInput(f"--heads {heads}: this method removes single weights, and no heads of attention")
        if measure == "sparsity":
            return self
        raise BadInput(
            f"--{measure}: this method removes single weights, of which only their number counts: give a sparsity"
        )

    @property
    def timings(self) -> dict[str, float]:
        return {}

    def remarks(self) -> list[str]:
        return []

    @property
    def groups(self) -> Sequence[UnitGroup]:
        return ()

    def weights(self, model: nn.Module) -> dict[str, nn.Parameter]:
        return prunable(model)

    def masked(self, model: nn.Module) -> dict[str, nn.Parameter]:
        return self.weights(model)

    def pool(self, scores: Tensors, of: Scored, masks: Mapping[str, Tensor]) -> Tensors:  # noqa: ARG002
        if of != "weights":
            raise ValueError(f"a scorer of {of}, where single weights compete")
        return scores

    def alive(self, masks: Mapping[str, Tensor]) -> Tensors:
        return dict(masks)

    def least(self, alive: Tensors, pooled: Tensors) -> Mapping[str, int]:  # noqa: ARG002
        return {}

    def spread(self, kept: Tensors, masks: Mapping[str, Tensor]) -> Tensors:  # noqa: ARG002
        return kept

    def left(self, masks: Mapping[str, Tensor]) -> int:
        return alive_count(masks)

    def target(self, total: int, level: float) -> int:
        return kept_count(total, level)

    def shares(self, masks: Mapping[str, Tensor]) -> dict[str, float]:  # noqa: ARG002
        return {}

    def walk(self, masks: Mapping[str, Tensor], final: float) -> list[float]:
        """The levels of cuts that go through the network tensor by tensor, each taking the same share of its weights.

        >>> import torch
        >>> Elements().walk({"a": torch.ones(30) > 0, "b": torch.ones(10) > 0}, 0.5)
        [0.375, 0.5]
        """
        done = list(accumulate(alive_counts(masks).values()))
        initial = 1 - done[-1] / size(masks)
        return [*(initial + (final - initial) * count / done[-1] for count in done[:-1]), final]

    def saved(self, masks: Mapping[str, Tensor]) -> dict[str, int]:  # noqa: ARG002
        return {}

    def check(self, masks: Mapping[str, Tensor], target: int) -> None:
        pass

    def fitting(self, target: int, alive: Tensors, cut: Callable[[int], Tensors]) -> int:  # noqa: ARG002
        return target
