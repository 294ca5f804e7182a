"""What a sharpness measure is: a frozen dataclass of parameters that turns an objective into a number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, ClassVar, Literal

from minima.store.command import BadInput
from minima.store.registry import members

if TYPE_CHECKING:
    from torch import Tensor

    from landscape.objective.differentiable import Differentiable
    from landscape.objective.objective import Objective

Invariant = Literal["none", "layer", "unit"]
CARRIED, AT_WORK = 3, 16
"""climbs in each neighbourhood beside those that begin anew, and vectors that a climb holds while it goes on"""


@dataclass(frozen=True)
class Measured:
    """What one sharpness measure found: its value, in the unit that the measure names, with errors.

    `stderr` is that of what was drawn, `data_stderr_new` that of having these examples and no others.
    """

    value: float
    stderr: float | None = None
    """of probes, draws, directions or batches; None where nothing is drawn, or too little to tell"""
    data_stderr_new: float | None = None
    """that other examples from the same source would make, as many as there are; None of a single one"""
    seed_stderr: float | None = None
    """of the starts of a maximisation: how much the maximum rests on the best of them"""
    values: Mapping[str, float] = field(default_factory=dict)
    """for other settings, by their description"""
    convergence: Mapping[str, float | bool] = field(default_factory=dict)
    """of an iteration: its residual, and whether it came within the tolerance"""
    settled: Mapping[str, bool] = field(default_factory=dict)
    """of an inner maximisation: whether it ended before its steps did, by setting"""
    chosen: Mapping[str, str] = field(default_factory=dict)
    """parameters of the measure that it found itself, such as the layer that it looks at"""
    courses: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """of an inner maximisation: the largest rise found after each step, by setting"""


@dataclass(frozen=True)
class Measure:
    """Base of the members of landscape/sharpness/measures. Its fields are its flags and are stored beside its value."""

    name: ClassVar[str]
    invariant: ClassVar[Invariant]
    """which rescalings of a ReLU network leave it: none; of whole layers; of single units too"""
    units: ClassVar[str] = "nat"
    """of its value"""
    meaning: ClassVar[str]
    """what the number is, in a line of the table"""
    default: ClassVar[bool] = True
    """whether it is measured when --measures names none"""
    relative: ClassVar[bool] = False
    """whether it looks at the loss in coordinates relative to the weights"""

    by_lanczos: ClassVar[bool] = False
    """whether it rests on the search for the largest curvature, and keeps the vectors of a Lanczos basis"""

    by_losses: ClassVar[bool] = False
    """whether most of its work are losses without derivatives, at many points"""

    def measure(self, objective: Objective, seed: int) -> Measured:
        """How sharp the point is that an objective is taken at.

        Args:
            objective: the loss as a function of the weights, with its derivatives.
            seed: of everything that is drawn: the same seed, the same value.
        """
        raise NotImplementedError

    @property
    def passes(self) -> float:
        """About how many passes forward and backward over the examples it takes, the search for the largest curvature
        not counted: what the command says of its time rests on it. One, if a measure says nothing else.
        """
        return 1.0

    @property
    def vectors(self) -> int:
        """How many vectors of the weights it keeps at most, those of the search for the largest curvature not counted:
        what the command says of its memory rests on it. None, if a measure says nothing else.
        """
        return 0

    def check(self) -> None:
        """Refuse parameters that mean nothing: all but names are positive numbers, but there may be no restarts."""
        for parameter in fields(self):
            value = getattr(self, parameter.name)
            if isinstance(value, str):
                continue
            numbers = value if isinstance(value, tuple) else () if value is None else (value,)
            least = -1 if parameter.name == "restarts" else 0
            if value == () or any(not least < number < float("inf") for number in numbers):
                flag = f"--{self.name}.{parameter.name}".replace("_", "-")
                raise BadInput(f"{flag} {' '.join(map(str, numbers))}: expected positive numbers")

    def function(self, objective: Objective) -> Differentiable:
        """The loss in the coordinates the measure is defined in.

        Raises:
            BadInput: these are relative to weights that are all zero.
        """
        from landscape.objective.relative import Relative

        if not self.relative:
            return objective
        function = Relative(objective)
        if not function.dimension:
            raise BadInput(
                f"{self.name}: every weight that may move is 0, so that no relative change moves it.\n"
                "Leave such measures out: --measures lambda_max,trace,keskar,sam,average"
            )
        return function

    def slope_at_centre(self, objective: Objective) -> tuple[float, Tensor]:
        """The loss at the weights, and its gradient in the measure's coordinates."""
        from landscape.objective.relative import Relative
        from landscape.sharpness.centre import slope_at

        loss, gradient = slope_at(objective)
        return loss, Relative(objective).of_gradient(gradient) if self.relative else gradient


def prepare(objective: Objective, measures: Sequence[Measure]) -> None:
    """Get an objective ready for all of some measures, before the first of them."""
    if any(measure.by_losses for measure in measures):
        objective.trace()


def vectors_of_climbs(restarts: int, neighbourhoods: int) -> int:
    """Vectors that an ascent keeps (`landscape.sharpness.ascent`): of each climb its end and the gradient there.

    Beside the restarts there is a climb along the gradient, and those carried outward and inward.
    """
    return 2 * (restarts + CARRIED) * neighbourhoods + AT_WORK


def measures() -> dict[str, type[Measure]]:
    """Every sharpness measure by the name that --measures knows it by."""
    return members("landscape.sharpness.measures", Measure)
