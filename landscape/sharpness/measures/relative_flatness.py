"""Petzka et al. (2021): the flatness of the last layer, relative to the size of its weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from landscape.sharpness.measure import Invariant, Measure, Measured

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from landscape.objective.objective import Objective


@dataclass(frozen=True)
class RelativeFlatness(Measure):
    """sum over pairs of neurons i, j of <w_i, w_j> trace(H_ij): w_i the weights into neuron i of one layer.

    H_ij: the block of the Hessian between w_i and w_j. The layer is the one that acts on the penultimate
    representation, the last linear layer or convolution before the output, or `layer`. Its bias is held. With W
    (neurons, inputs) and Z (inputs, inputs) of independent signs it is E (W Z).H (W Z), which is how it is estimated;
    where weights are removed and only survivors may move, W Z is restricted to them.

    Multiplying the layer below by a and W by 1 / a leaves it; so does rescaling a single neuron i of a hidden layer
    that `layer` names. Rescaling a single input of the layer does not.
    """

    name: ClassVar[str] = "relative_flatness"
    invariant: ClassVar[Invariant] = "layer"
    meaning: ClassVar[str] = "curvature in the last layer's weights, relative to their size (Petzka et al.)"
    default: ClassVar[bool] = False

    probes: int = 64
    """random matrices Z; the standard error falls with their square root"""
    layer: str | None = None
    """a weight or its module, such as fc2 (default: the last before the output)"""

    @property
    def passes(self) -> float:
        return 1.5 * self.probes

    def measure(self, objective: Objective, seed: int) -> Measured:
        import torch

        from landscape.objective.streams import stream
        from landscape.spectrum.data_error import DATA_PROBES, curvature_error
        from landscape.spectrum.trace import hutchinson

        block = objective.block([self._weight(objective)])

        def probes(count: int) -> list[Tensor]:
            generator = stream(seed, "relative_flatness")
            return [_probe(block, generator) for _ in range(count)]

        drawn = iter(probes(self.probes))
        found = hutchinson(block.hvp, lambda: next(drawn), self.probes)
        some = torch.stack(probes(min(DATA_PROBES, self.probes)))
        new = curvature_error(block, some, seed, average=True)
        return Measured(found.value, found.stderr, new, chosen={"layer": next(iter(block.coordinates.shapes))})

    def _weight(self, objective: Objective) -> str:
        """The layer's weight by parameter name."""
        from minima.store.command import BadInput
        from minima.zoo.anatomy.last_layer import last_weight

        flag, moving = "--relative-flatness.layer", objective.coordinates.shapes
        if self.layer is None:
            try:
                name = last_weight(objective.model, objective.x[:1], objective.task.picked)
            except BadInput as error:
                raise BadInput(f"relative_flatness: {error}: name a weight with {flag}") from error
        else:
            name = self.layer if self.layer in moving else f"{self.layer}.weight"
            _require_neurons_first(objective.model, name, flag)
        if name not in moving or len(moving[name]) < 2:
            weights = ", ".join(other for other, shape in moving.items() if len(shape) > 1)
            raise BadInput(f"{flag} {self.layer or name}: not a weight matrix that may move. There are {weights}")
        return name


def _require_neurons_first(model: nn.Module, weight: str, flag: str) -> None:
    """Refuse a weight whose first axis is that of the inputs, as of transposed convolutions."""
    from minima.store.command import BadInput
    from minima.zoo.anatomy.operations import TRANSPOSED

    owner = weight.rpartition(".")[0]
    modules = dict(model.named_modules())
    kind = type(modules[owner]).__name__ if owner in modules else ""
    if kind.lower().replace("convtranspose", "conv_transpose") in TRANSPOSED:
        raise BadInput(f"{flag} {weight}: of a transposed convolution, whose weights are not laid out neuron by neuron")


def _probe(block: Objective, generator: torch.Generator) -> Tensor:
    """W Z in the block's coordinates, Z independent signs."""
    import torch

    ((name, weight),) = block.coordinates.tensors(block.coordinates.full).items()
    rows = weight.flatten(1)  # (neurons, inputs)
    signs = 2.0 * torch.randint(0, 2, (rows.shape[1],) * 2, generator=generator).double() - 1
    return block.coordinates.vector({name: (rows @ signs.to(rows)).view_as(weight)})
