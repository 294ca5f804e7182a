"""Network slimming's penalty on the scales of batch normalisation (Liu et al. 2017)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from minima.store.command import BadInput

if TYPE_CHECKING:
    from torch import nn

    from minima.zoo.training.loop import Step


@dataclass(frozen=True)
class ScalePenalty:
    """strength x sign(gamma) is added to the gradient of every scale of a batch normalisation: that of the penalty
    strength x sum |gamma|, which a mini-batch's loss is raised by."""

    strength: float

    def __post_init__(self) -> None:
        if not 0 <= self.strength < float("inf"):
            raise BadInput(f"--strength {self.strength}: expected the factor of sum |gamma| in the loss, 0 or more")

    def around(self, model: nn.Module) -> Callable[[Step], None]:
        from torch import nn

        scales = [
            module.weight
            for module in model.modules()
            if isinstance(module, nn.modules.batchnorm._NormBase) and module.weight is not None
        ]

        def act(step: Step) -> None:
            for scale in scales:
                if scale.grad is not None:
                    scale.grad.add_(scale.detach().sign(), alpha=self.strength)
            step()

        return act
