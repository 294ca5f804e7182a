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
    """Means over the examples of a class, NaN for one without: of the pass that gives the loss, at no cost."""

    name: ClassVar[str] = "per-class"

    maps: ClassVar[Sequence[Map]] = (
        Map("class_loss", "nat", "mean cross-entropy of a class's examples; inf where it overflows", "class"),
        Map("class_accuracy", "1", "fraction of a class's examples classified right", "class"),
    )

    def values(self, point: SurfacePoint) -> Mapping[str, Any]:
        import torch

        labels = point.objective.y
        counts = torch.bincount(labels, minlength=point.function.classes or 0).double()
        sums = [torch.zeros_like(counts).index_add_(0, labels, each) for each in point.examples]
        return {key: total / counts for key, total in zip(("class_loss", "class_accuracy"), sums, strict=True)}
