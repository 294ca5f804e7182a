"""Controls: the mask of a pruned network on other weights, or shuffled, trained as long as the arms."""

from __future__ import annotations

from dataclasses import dataclass, replace

from figures.reading.names import Name
from figures.study.configuration.build import Flags, split_flags
from figures.study.engine.jobs import Job, Step
from figures.study.networks.networks import Networks, repeated_code

DENSE, INITIAL, FRESH = "dense", "initial", "fresh"
WEIGHTS = (DENSE, INITIAL, FRESH)
"""the weights of a control that are no arm's: the parent's, those the parent began with, those of another seed"""
OTHER_SEED = 100_000
"""added to the seed: of fresh weights"""


@dataclass(frozen=True)
class Control:
    """The mask of an arm on weights that are not its own."""

    name: str
    mask: str
    """the arm whose mask it has, as its method left it"""
    weights: str
    """an arm, or one of dense, initial, fresh"""
    sparsities: tuple[float, ...]
    shuffle: bool = False
    """whether only the number of weights that each layer keeps is the mask's"""
    flags: Flags = ""
    """of `minima.train --from`, by which it is trained before the common finish (none: it is not)"""

    def job(self, keys: Networks, control: Name, model: str) -> Job:
        """Makes one network, as it goes into the common finish."""
        mask = replace(control, arm=self.mask)
        parent = replace(control, arm="dense", sparsity=0.0)
        source = parent if self.weights in WEIGHTS else replace(control, arm=self.weights)
        steps, weights = [], source.checkpoint
        if self.weights == FRESH:
            weights = replace(control, begin="fresh").checkpoint
            steps.append(self._fresh(keys, control, model, weights))
        start = replace(control, begin="start").checkpoint if self.flags else control.checkpoint
        earlier = ("--from-epoch", "0") if self.weights in (INITIAL, FRESH) else ()
        chance = ("--shuffle", "--seed", f"{control.seed}") if self.shuffle else ()
        given = (mask.checkpoint, "--weights", weights, *earlier, *chance, "-o", start)
        steps.append(Step("pruning.transplant", given, (), (start,)))
        if self.flags:
            step = ("--from", start, *repeated_code(keys.data, model), "-o", control.checkpoint)
            steps.append(
                Step("minima.train", step, split_flags(self.flags), (control.checkpoint,), f"[controls.{self.name}]")
            )
        return Job("control", control.stem, tuple({mask.checkpoint, source.checkpoint}), tuple(steps))

    def _fresh(self, keys: Networks, control: Name, model: str, out: str) -> Step:
        """Weights of another seed, untrained."""
        root = ("--data-root", keys.data_root) if keys.data_root else ()
        given = ("--model", model, "--data", keys.data, *root, "--seed", f"{OTHER_SEED + control.seed}")
        return Step("minima.train", (*given, "--epochs", "0", "-o", out), (), (out,))
