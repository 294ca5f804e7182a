"""Loss and accuracy of each class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from landscape.surface.field import Field, Map

if TYPE_CHECKING:
    from landscape.surface.surface_function import SurfacePoint


@dataclass(frozen=True)
class PerClass(Field):
    """Means over the examples of a class, by the weights that the loss gives them, NaN for a class without: of the pass
    that gives the loss, at no cost.
    """

    name: ClassVar[str] = "per-class"

    maps: ClassVar[Sequence[Map]] = (
        Map("class_loss", "nat", "mean cross-entropy of a class's examples; inf where it overflows", "class"),
        Map("class_accuracy", "1", "fraction of a class's examples classified right", "class"),
    )

    def values(self, point: SurfacePoint) -> Mapping[str, Any]:
        import torch

        labels, weights = point.objective.y.long(), point.objective.weighing.weights
        losses, right = point.examples
        every = torch.ones_like(losses)
        named = (labels >= 0) & (labels < (point.function.classes or 0))  # the others do not count
        sums = torch.zeros(4, point.function.classes or 0, dtype=losses.dtype, device=losses.device)
        values = torch.stack([losses, every if weights is None else weights, right, every])
        loss, weight, rights, count = sums.index_add_(1, labels[named], values[:, named])
        return {"class_loss": loss / weight, "class_accuracy": rights / count}
