"""Robustness of a network from Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from minima.store.messages import listening
from minima.zoo.subject.handed import LossLike, subject_of
from pruning.robustness.bench import Bench
from pruning.robustness.flags import chosen_trials
from pruning.robustness.level import Level, Refused
from pruning.robustness.scale import scale_of
from pruning.robustness.trial import Trial

if TYPE_CHECKING:
    from torch import nn

    from minima.zoo.subject.handed import Masks


@dataclass(frozen=True)
class RobustnessResult:
    """Loss and score of a network at each level of some trials: found["fgsm"][0.1].loss."""

    levels: Mapping[str, Mapping[float, Level]]
    """by the trial's name and the level, the level at which nothing is changed first"""
    refused: Mapping[str, str]
    """trials that do not apply, and why"""
    notes: tuple[str, ...]
    """what was assumed of the network and the data"""

    def __getitem__(self, name: str) -> Mapping[float, Level]:
        return self.levels[name]


def measure_robustness(  # noqa: PLR0913 (named, and all but two optional)
    model: nn.Module,
    data: Any,
    loss: LossLike = None,
    *,
    trials: Sequence[str | Trial] | None = None,
    masks: Masks = None,
    output: str | None = None,
    input_range: tuple[float, float] | None = None,
    seed: int = 0,
    batch_size: int | None = None,
) -> RobustnessResult:
    """Loss and score of a network under perturbed inputs and perturbed weights.

    Args:
        model: any module; it stays as it is.
        data: (x, y), or whatever `minima.zoo.data.examples.as_examples` reads; of a `Dataset` of minima the test split.
        loss: a name ("mse"), a `Loss`, or a function of outputs and targets.
        trials: names, or trials with parameters of their own such as `Pgd(steps=50)`; None: all that take no training.
        masks: bool tensors by parameter name, True = kept; "zeros" for exact zeros.
        output: which of several outputs.
        input_range: ends that perturbed inputs are clipped to; None: they are not.
        seed: of everything drawn at random.
        batch_size: examples at once; results depend on it by rounding only.

    Returns:
        for each trial by its name, and each of its levels, loss and score with standard errors over draws; trials that
        do not apply stand under `refused` with the reason.

    Raises:
        BadInput: model, data and loss do not fit together, or a trial is unknown.

    >>> import torch
    >>> net = torch.nn.Linear(1, 1, bias=False)
    >>> _ = torch.nn.init.ones_(net.weight)
    >>> found = measure_robustness(net, (torch.ones(1, 1), torch.ones(1, 1)), "mse", trials=["fgsm"])
    >>> round(found["fgsm"][0.1].loss, 4)  # at an error of 0 the gradient has no sign
    0.0
    """
    with listening() as heard:
        named = None if trials is None else [each if isinstance(each, str) else each.name for each in trials]
        own = {each.name: each for each in trials or () if not isinstance(each, str)}
        chosen = chosen_trials(named, own)
        subject = subject_of(model, data, loss, masks=masks, output=output, batch_size=batch_size, split="test")
        bench = Bench(subject, scale_of(subject, input_range))
        clean = bench.clean()
        found: dict[str, dict[float, Level]] = {}
        refused: dict[str, str] = {}
        for trial in chosen:
            levels = trial.all_levels()
            try:
                made = trial.measure(bench, levels[1:], seed)
            except Refused as reason:
                refused[trial.name] = str(reason)
                continue
            found[trial.name] = dict(zip(levels, [bench.start(clean), *made], strict=True))
        return RobustnessResult(found, refused, tuple(heard))
