"""Sharpness of a network from Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack

from landscape.objective.handed import Position, Where, handed
from landscape.sharpness.flags import chosen_measures
from landscape.sharpness.measure import Measure, Measured, prepare
from minima.zoo.settings import chosen
from minima.zoo.subject.handed import LossLike

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class SharpnessResult(Position):
    """Measures of sharpness by name, such as found["lambda_max"].value, and where the network sits."""

    measures: Mapping[str, Measured]
    """value and errors of each"""

    def __getitem__(self, name: str) -> Measured:
        return self.measures[name]

    @property
    def values(self) -> dict[str, float]:
        """The measures' values by name, without errors and parameters."""
        return {name: found.value for name, found in self.measures.items()}


def measure_sharpness(
    model: nn.Module,
    data: Any,
    loss: LossLike = None,
    *,
    measures: Sequence[str | Measure] | str | Measure | None = None,
    seed: int = 0,
    **where: Unpack[Where],
) -> SharpnessResult:
    """How sharp the minimum is that a network sits in, by several measures.

    Each is a functional of L(w + delta), the mean loss over the examples as a function of the weights: curvatures
    (`lambda_max`, `trace`, and their reparametrisation-invariant forms with |w| H |w|), the largest rise within a
    radius (`sam`, Foret et al. 2021; `keskar`, Keskar et al. 2017), the mean rise under noise (`average`), and more:
    `landscape.sharpness.measure.measures()` has them all, with their parameters. Weights, buffers, modes, gradients
    and the random state stay as they are.

    Args:
        model: any module.
        data: (x, y), or whatever `minima.zoo.data.examples.as_examples` reads.
        loss: a name ("mse", "cross-entropy:label_smoothing=0.1"), a `Loss`, or a function of outputs and targets;
            None: cross-entropy, of one logit the binary one.
        measures: names, or measures with parameters of their own; None: the standard list.
        seed: of everything drawn at random; `python -m landscape.sharpness` finds the same numbers with it.
        where: masks, subspace, parameters, output, ...: see `landscape.objective.handed.Where`.

    Returns:
        each measure's value with its errors, by name.

    Raises:
        BadInput: model, data, loss or a measure's parameters do not fit together.

    >>> import torch
    >>> model = torch.nn.Linear(2, 1, bias=False)
    >>> x, y = torch.eye(2) * 2, torch.zeros(2, 1)
    >>> round(measure_sharpness(model, (x, y), "mse", measures=["lambda_max"])["lambda_max"].value, 4)
    4.0
    """
    asked = [measures] if isinstance(measures, str | Measure | type) else measures
    own = {each.name: each for each in asked or () if isinstance(each, Measure)}
    names = None if asked is None else [_name(each) for each in asked]
    wanted = chosen_measures(names, own)
    with handed(model, data, loss, where) as at:
        prepare(at.objective, wanted)
        found = {measure.name: measure.measure(at.objective, seed) for measure in wanted}
        return SharpnessResult(**at.position, measures=found)


def _name(given: str | Measure) -> str:
    return chosen(given).name if isinstance(given, Measure | type) else given
