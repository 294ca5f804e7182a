"""A network's loss as a function on a plane, with the batch-norm statistics that its points are to have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import torch

from landscape.objective.batch_norm import BatchNorm, reestimate
from minima.zoo.subject.handed import copied

if TYPE_CHECKING:
    from torch import Tensor

    from landscape.objective.graphs import Chunk
    from landscape.objective.objective import Objective
    from landscape.surface.landmark import Landmark
    from landscape.surface.plane import Plane
    from minima.zoo.examples.evaluation import Evaluation


@dataclass
class SurfacePoint:
    """One point of a surface, where the loss and other fields are evaluated."""

    objective: Objective
    """with the statistics of this very point"""
    displacement: Tensor
    """(d,) of the weights"""
    function: SurfaceFunction
    """that it lies on, or beside"""
    _level: Evaluation | None = field(default=None, init=False, repr=False)

    @property
    def level(self) -> Evaluation:
        """Mean loss and accuracy, of one pass over the data."""
        if self._level is None:
            self._level = self.objective.evaluate(self.displacement)
        return self._level

    @cached_property
    def examples(self) -> tuple[Tensor, Tensor]:
        """(N,) each example's loss by its weight, inf where it overflows, and (N,) whether it is classified right, as 0
        or 1; NaN where the loss has another score.

        The same pass gives the level, which is not computed again.
        """
        objective = self.objective
        found = torch.zeros(2, len(objective.x), dtype=torch.float64, device=objective.x.device)
        classifies = objective.score.name == "accuracy"

        def note(chunk: Chunk) -> None:
            found[0, chunk.examples] = chunk.losses
            if classifies:
                right, counted = objective.score.sums(chunk.outputs, objective.y[chunk.examples]).T
                found[1, chunk.examples] = right / counted

        self._level = objective.evaluate(self.displacement, note)
        losses, right = objective.ranks.sum(found)
        unknown = torch.full_like(right, torch.nan)
        return losses.nan_to_num(nan=torch.inf, posinf=torch.inf), right if classifies else unknown


@dataclass(frozen=True)
class SurfaceFunction:
    """The surface L(w + alpha d_1 + beta d_2) as a function of (alpha, beta), the running statistics being those of the
    plane, or `reestimated` at each point.
    """

    objective: Objective
    plane: Plane
    classes: int | None
    seed: int
    """of what is drawn at its points"""
    reestimated: bool = False

    @property
    def passes(self) -> int:
        """How often the data are passed over for one point: re-estimation needs a pass for each layer that has
        statistics.
        """
        return 1 + (len(_layers(self.objective)) if self.reestimated else 0)

    def at(self, coordinates: Sequence[float]) -> SurfacePoint:
        """The point of the surface with these coordinates, (alpha, beta)."""
        return self._point(self.plane.displacement(coordinates), self.plane.held(coordinates))

    def network(self, landmark: Landmark) -> SurfacePoint:
        """The point of another network itself, which may lie beside the plane."""
        return self._point(landmark.displacement, landmark.held)

    def _point(self, displacement: Tensor, held: Mapping[str, Tensor]) -> SurfacePoint:
        if self.reestimated:
            held = _reestimated(self.objective, displacement, held)
        objective = self.objective.holding(held) if held else self.objective
        return SurfacePoint(objective, displacement, self)


def _reestimated(objective: Objective, displacement: Tensor, held: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What the point holds beside its weights, with statistics of the data themselves; on a copy of the model."""
    coordinates, model = objective.coordinates, copied(objective.model).eval()
    moved = coordinates.tensors(coordinates.full + coordinates.extend(displacement), native=True)
    model.load_state_dict({**coordinates.fixed, **held, **moved}, strict=False)
    reestimate(model, objective.x, objective.batch_size)
    return {**held, **{name: buffer for name, buffer in model.named_buffers() if buffer.is_floating_point()}}


def _layers(objective: Objective) -> list[BatchNorm]:
    modules = objective.model.modules()
    return [each for each in modules if isinstance(each, BatchNorm) and each.track_running_stats]
