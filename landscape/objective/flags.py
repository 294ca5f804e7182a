"""What the landscape's commands share: flags for what may move and for the loss, and the objective they measure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from landscape.objective.position import position, slope
from landscape.objective.region import Bound, Region, Restriction, Scale
from minima.store.command import BadInput, note
from minima.zoo.measuring.flags import Measuring

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torch import Tensor

    from landscape.objective.objective import Objective
    from landscape.objective.room import Vectors
    from minima.zoo.losses.loss import Loss
    from minima.zoo.subject.subject import Subject

    Subspace = Literal["survivors", "full"]


@dataclass(frozen=True, kw_only=True)
class Restricted(Restriction, Measuring):
    """A flag for the commands that move weights."""


@dataclass(frozen=True, kw_only=True)
class Bounded(Bound, Measuring):
    """A flag for the commands that keep graphs and vectors between products."""


@dataclass(frozen=True, kw_only=True)
class Scaled(Scale, Measuring):
    """Flags for what the loss makes of the logits."""


@dataclass(frozen=True, kw_only=True)
class Landscape(Region, Measuring):
    """Flags of the commands that look at the loss around one checkpoint. Ranks share its examples."""

    shares_work: ClassVar[bool] = True


def located(
    subject: Subject,
    region: Region,
    vectors: Vectors | None = None,
    moving: Mapping[str, Tensor] | None = None,
    product_of: Callable[[Objective], Callable[[Tensor], Tensor]] | None = None,
) -> tuple[Objective, dict[str, Any], tuple[Tensor, Tensor]]:
    """The objective that is asked for, where the network sits (keys of the JSON object), and its g and H g.

    `vectors`: will be kept at least, whatever is measured. `moving`: the single weights that may move, if not
    all of them. `product_of`: how H v of the objective is computed, if not as it does itself.
    """
    from landscape.objective.logits import temperature_of

    loss = loss_of(subject, region)
    objective = objective_of(subject, region, loss, moving)
    for name, rows in objective.coordinates.padding.items():
        some = f"row {rows[0]} of {name} is" if len(rows) == 1 else f"rows {', '.join(map(str, rows))} of {name} are"
        note(f"{subject.name}: {some} padding (padding_idx), which no training moves: held where it is")
    if vectors is not None:
        objective.room.reserve(objective, vectors)
    said = {
        "subspace": region.subspace,
        "parameters": None if region.parameters is None else list(region.parameters),
        "temperature": temperature_of(loss),
        "calibrated": region.temperature == "calibrated",
        "logits": region.logits,
    }
    if moving is not None:
        said["subset"] = objective.dimension
    at = slope(objective, None if product_of is None else product_of(objective))
    return objective, said | position(objective, at), at[1:]


def loss_of(subject: Subject, scale: Scale) -> Loss:
    """The loss that a subject is judged by, its logits scaled where the flags ask for it."""
    from landscape.objective.calibration import calibrated
    from landscape.objective.logits import ScaledCrossEntropy

    temperature, normalised = scale.temperature, scale.logits == "normalised"
    if temperature == "calibrated":
        temperature = calibrated(subject, normalised)
    if not 0 < temperature < float("inf"):
        raise BadInput(f"--temperature {temperature}: expected a positive number, or calibrated")
    return ScaledCrossEntropy.of(subject.task.loss, temperature, normalised)


def objective_of(subject: Subject, region: Region, loss: Loss, moving: Mapping[str, Tensor] | None = None) -> Objective:
    """The mean loss of a subject's network over its examples, over the region that is asked for."""
    from landscape.objective.coordinates import Coordinates

    if region.parameters is not None:
        try:
            Coordinates(subject.model, subject.masks, region.subspace, region.parameters)
        except BadInput as error:
            raise BadInput(f"--parameters: {error}") from error
    region.check_memory()
    return mean_loss(subject, region.subspace, loss, region.parameters, region.graph_bytes, moving)


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
