"""The rescaling trick: back to the edge of chaos after a cut (Hayou et al. 2021)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pruning.context.starts import to_variance
from pruning.recoveries.recovery import Recovery

if TYPE_CHECKING:
    from minima.zoo.training.loop import Trainer
    from pruning.recoveries.cut import Cut


@dataclass(frozen=True)
class Rescale(Recovery):
    """Each layer's survivors are multiplied by one factor, so that fan-in x mean squared weight (0 where removed) is
    `variance` again; training then goes on. A layer with nothing left stays empty."""

    variance: float

    def recover(self, trainer: Trainer, cut: Cut) -> None:  # noqa: ARG002
        import torch

        parameters = dict(trainer.model.named_parameters())
        with torch.no_grad():
            for name in trainer.masks:
                parameters[name].copy_(to_variance(parameters[name], self.variance))
