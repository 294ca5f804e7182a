"""Elasticity of the loss to a gate on a unit (SNAP-it: Verdenius et al. 2020)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from pruning.context.criterion import Criterion
from pruning.context.probe import Probe, leaves
from pruning.context.unit_weights import is_norm, owner
from pruning.scorers.agreement import Estimate, another_draw
from pruning.scorers.sensitivity import gradient
from pruning.unit_criteria.taylor import gate_slopes

if TYPE_CHECKING:
    from torch import Tensor, nn

    from minima.zoo.anatomy.unit_groups import Entries, UnitGroup
    from pruning.context.context import Context

HEADS = ("head", "query head")
"""kinds of units whose gate is on what they give"""


@dataclass(frozen=True)
class Gate(Criterion):
    """|dL/da|, a = 1 being a gate on the unit behind its affine map, its bias included, before any normalisation; of an
    attention head, on what the head gives.

    dL/da = sum w dL/dw + b dL/db over the weights and biases that make the unit. The division by |L| that makes it an
    elasticity leaves the order as it is.
    """

    name: ClassVar[str] = "gate"
    summary: ClassVar[str] = "|dL/da| of a gate a = 1 on a unit, before any normalisation (Verdenius et al. 2020)"

    probe: Probe = field(default_factory=lambda: Probe(examples=2560))

    def score(self, context: Context) -> dict[str, Tensor]:
        gates = {group.name: gated(context.model, group) for group in context.space.groups}
        parameters = dict(context.model.named_parameters())
        weights = leaves({name: parameters[name] for places in gates.values() for name, _ in places})
        with self.probe.losses(context) as losses:
            slopes = gradient(losses, weights)
        return {name: gate_slopes(places, weights, slopes).abs() for name, places in gates.items()}

    def estimate(self, context: Context) -> Estimate:
        return another_draw(self, self.probe, context)


def gated(model: nn.Module, group: UnitGroup) -> Entries:
    """The weights and biases whose products with their gradients sum to the gradient of a unit's gate."""
    if group.kind in HEADS:
        return dict(group.read)
    names = {name for name, _ in model.named_parameters()}
    layers = {name.rpartition(".")[0] for name, _ in group.made if name in names and _is_affine(model, name)}
    return {key: places for key, places in group.made.items() if key[0].rpartition(".")[0] in layers}


def _is_affine(model: nn.Module, name: str) -> bool:
    return model.get_parameter(name).ndim > 1 and not is_norm(owner(model, name))
