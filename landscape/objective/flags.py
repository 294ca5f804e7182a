"""What the landscape's commands share: flags for what may move and for the loss, and the objective they measure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from minima.store.command import BadInput
from minima.zoo.measuring.flags import Measuring

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from landscape.objective.objective import Objective
    from minima.zoo.losses.loss import Loss
    from minima.zoo.subject.subject import Subject

    Subspace = Literal["survivors", "full"]


@dataclass(frozen=True, kw_only=True)
class Restricted(Measuring):
    """A flag for the commands that move weights."""

    subspace: Literal["survivors", "full"] = "survivors"
    """which weights may move: those that pruning left, or the removed ones too"""


@dataclass(frozen=True, kw_only=True)
class Bounded(Measuring):
    """A flag for the commands that keep graphs and vectors between products."""

    memory: float = 4.0
    """GiB for what is kept from product to product: graphs of the gradient (three quarters), vectors (a quarter);
    landscape.hessian puts at most as much as the graphs take on disk: the products of a run that may be killed"""

    @property
    def graph_bytes(self) -> int:
        """Of the graphs."""
        return int(0.75 * self.memory * 2**30)

    @property
    def vector_bytes(self) -> int:
        """Of the vectors."""
        return int(0.25 * self.memory * 2**30)

    def check_memory(self) -> None:
        """Refuse what is no amount."""
        if not 0 <= self.memory < float("inf"):
            raise BadInput(f"--memory {self.memory}: expected a number of GiB, 0 or more")


@dataclass(frozen=True, kw_only=True)
class Scaled(Measuring):
    """Flags for what the loss makes of the logits."""

    temperature: float | Literal["calibrated"] = 1.0
    """logits are divided by it; calibrated: by what fits the examples best that training held out for validation"""
    logits: Literal["raw", "normalised"] = "raw"
    """normalised: each example's logits centred and divided by their norm (Andriushchenko et al. 2023)"""


@dataclass(frozen=True, kw_only=True)
class Landscape(Restricted, Bounded, Scaled):
    """Flags of the commands that look at the loss around one checkpoint. Ranks share its examples."""

    shares_work: ClassVar[bool] = True

    parameters: tuple[str, ...] | None = None
    """only these may move: names of layers, of modules that hold several, or of parameters (default: all)"""


def located(subject: Subject, arguments: Landscape) -> tuple[Objective, dict[str, Any], tuple[Tensor, Tensor]]:
    """The objective that the flags ask for, where the network sits (keys of the JSON object), and its g and H g."""
    from landscape.objective.logits import temperature_of
    from landscape.objective.position import position, slope

    loss = loss_of(subject, arguments)
    objective = objective_of(subject, arguments, loss)
    said = {
        "subspace": arguments.subspace,
        "parameters": None if arguments.parameters is None else list(arguments.parameters),
        "temperature": temperature_of(loss),
        "calibrated": arguments.temperature == "calibrated",
        "logits": arguments.logits,
    }
    at = slope(objective)
    return objective, said | position(objective, at), at[1:]


def loss_of(subject: Subject, arguments: Scaled) -> Loss:
    """The loss that the flags ask for."""
    from landscape.objective.calibration import calibrated
    from landscape.objective.logits import ScaledCrossEntropy

    temperature, normalised = arguments.temperature, arguments.logits == "normalised"
    if temperature == "calibrated":
        temperature = calibrated(subject, normalised)
    if not 0 < temperature < float("inf"):
        raise BadInput(f"--temperature {temperature}: expected a positive number, or calibrated")
    return ScaledCrossEntropy.of(subject.task.loss, temperature, normalised)


def objective_of(subject: Subject, arguments: Landscape, loss: Loss) -> Objective:
    """The mean loss of a subject's network over its examples, as the flags ask for it."""
    from landscape.objective.coordinates import Coordinates

    if arguments.parameters is not None:
        try:
            Coordinates(subject.model, subject.masks, arguments.subspace, arguments.parameters)
        except BadInput as error:
            raise BadInput(f"--parameters: {error}") from error
    arguments.check_memory()
    return mean_loss(subject, arguments.subspace, loss, arguments.parameters, arguments.graph_bytes)


def mean_loss(
    subject: Subject,
    subspace: Subspace,
    loss: Loss | None = None,
    parameters: Sequence[str] | None = None,
    memory: int | None = None,
    moving: Mapping[str, Tensor] | None = None,
) -> Objective:
    """The mean loss of a subject's network over its examples: its own loss, unless another is given."""
    from landscape.objective.objective import MEMORY, Objective

    return Objective(
        subject.model,
        subject.x,
        subject.y,
        loss=loss or subject.task.loss,
        output=subject.task.output,
        masks=subject.masks,
        subspace=subspace,
        parameters=parameters,
        moving=moving,
        batch_size=subject.batch_size,
        memory=MEMORY if memory is None else memory,
        ranks=subject.ranks,
    )
