"""The statistics that `claims.toml` names: for a seed, gradual minus one-shot, averaged over the named sparsities."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from figures.reading.evidence import Curve, Key, Line, LineKey, Neurons
from figures.statistics.matching import match
from figures.statistics.paired import slope
from figures.study.claims.claims import Fixed, View, load_claims
from minima.store.command import BadInput

Floats = NDArray[np.float64]
MATCHED = ("lambda_max", "adaptive_lambda_max")
"""statistics that can be compared at equal training loss: what the curvature along the finish is measured by"""


@dataclass(frozen=True)
class Evidence:
    """Everything the claims are judged by."""

    errors: dict[Key, float] = field(default_factory=dict)
    neurons: dict[Key, Neurons] = field(default_factory=dict)
    sharpness: dict[str, dict[Key, float]] = field(default_factory=dict)
    finishing: dict[str, dict[tuple[str, float, int], Curve]] = field(default_factory=dict)
    lines: dict[LineKey, Line] = field(default_factory=dict)
    model: str = ""
    probes: dict[Key, float] = field(default_factory=dict)
    pairs: dict[Key, float] = field(default_factory=dict)
    """mean joint entropy of pairs of neurons"""
    reached: dict[tuple[str, float, int], float] = field(default_factory=dict)
    reached_on_source: dict[tuple[str, float, int], float] = field(default_factory=dict)
    """the same of the networks that saw the source classes only"""
    seeds: tuple[int, ...] = ()
    study: str = ""


@dataclass(frozen=True)
class Pair:
    """One seed's one-shot and gradual network at one sparsity and stage."""

    seed: int
    sparsity: float
    stage: str
    one_shot: str
    gradual: str

    @property
    def keys(self) -> tuple[Key, Key]:
        """The keys of the pair: of one-shot, then of gradual."""
        first, second = (Key(arm, self.sparsity, self.seed, self.stage) for arm in (self.one_shot, self.gradual))
        return first, second


@dataclass(frozen=True)
class Statistic:
    """What a view's number is, and how it is obtained of one pair."""

    meaning: str
    unit: str
    of_pair: Callable[[Evidence, Pair], float]
    reads: tuple[str, ...]
    """the measures of a study whose results it is computed from; one that ends in - stands for all that begin so"""
    slope: bool = False
    """against log10 of the compression, instead of the mean over sparsities"""


def _error(evidence: Evidence, pair: Pair) -> float:
    return _difference(evidence.errors, pair)


def _probe_accuracy(evidence: Evidence, pair: Pair) -> float:
    return _difference(evidence.probes, pair)


def _pair_entropy(evidence: Evidence, pair: Pair) -> float:
    return _difference(evidence.pairs, pair)


def _difference(values: dict[Key, float], pair: Pair) -> float:
    first, second = pair.keys
    return values.get(second, np.nan) - values.get(first, np.nan)


def _log_ratio(measure: str) -> Callable[[Evidence, Pair], float]:
    def of_pair(evidence: Evidence, pair: Pair) -> float:
        if pair.stage == "matched":
            return _matched(evidence.finishing[measure], pair)
        one_shot, gradual = (evidence.sharpness[measure].get(key, np.nan) for key in pair.keys)
        return float(np.log(gradual / one_shot)) if one_shot > 0 and gradual > 0 else np.nan

    return of_pair


def _matched(curves: dict[tuple[str, float, int], Curve], pair: Pair) -> float:
    first, second = (curves.get((key.arm, key.sparsity, key.seed)) for key in pair.keys)
    if first is None or second is None:
        return np.nan
    return match(first.loss, first.value, second.loss, second.value).log_ratio


def _alive_entropy(evidence: Evidence, pair: Pair) -> float:
    means = [_mean(n.entropy[n.alive]) for n in _both(evidence, pair)]
    return means[1] - means[0] if means else np.nan


def _shared_alive_entropy(evidence: Evidence, pair: Pair) -> float:
    """Over the neurons alive in both: both grew from the same parent, so a neuron has its counterpart."""
    both = _both(evidence, pair)
    if not both:
        return np.nan
    shared = both[0].alive & both[1].alive
    return _mean(both[1].entropy[shared]) - _mean(both[0].entropy[shared])


def _class_information(evidence: Evidence, pair: Pair) -> float:
    means = [_mean(n.share[n.alive]) for n in _both(evidence, pair)]
    return means[1] - means[0] if means else np.nan


def _both(evidence: Evidence, pair: Pair) -> list[Neurons]:
    found = [evidence.neurons[key] for key in pair.keys if key in evidence.neurons]
    return found if len(found) == 2 else []


def _mean(values: Floats) -> float:
    return float(values.mean()) if values.size else np.nan


def _excess_error_barrier(evidence: Evidence, pair: Pair) -> float:
    """Over the mean of both arms' sibling barriers: what a pair of one population would show."""
    kinds = ("between", pair.one_shot, pair.gradual)
    found = [evidence.lines.get(LineKey(evidence.model, pair.seed, pair.sparsity, kind)) for kind in kinds]
    barriers = [np.nan if line is None else line.error_barrier for line in found]
    return barriers[0] - float(np.mean(barriers[1:]))


ERRORS, STATES, TRANSFER = ("psp-test",), ("psp-test", "psp-train"), ("transfer",)
"""what a study calls the results that errors, states of neurons and probes are read from"""
STATISTICS = {
    "test_error": Statistic("test error", "points", _error, ERRORS),
    "test_error_slope": Statistic("rise of test error per ×10 compression", "points", _error, ERRORS, slope=True),
    "lambda_max": Statistic("ln of the ratio of λ₁", "", _log_ratio("lambda_max"), ("curvature",)),
    "adaptive_lambda_max": Statistic(
        "ln of the ratio of adaptive λ₁", "", _log_ratio("adaptive_lambda_max"), ("curvature",)
    ),
    "alive_entropy": Statistic("PSP-entropy, alive neurons", "bit", _alive_entropy, STATES),
    "shared_alive_entropy": Statistic("PSP-entropy, neurons alive in both", "bit", _shared_alive_entropy, STATES),
    "pair_entropy": Statistic("joint entropy of pairs, all neurons", "bit", _pair_entropy, ("psp-sampled-pairs",)),
    "class_information": Statistic("class information / state entropy", "", _class_information, STATES),
    "probe_accuracy": Statistic("probe accuracy on classes never seen", "points", _probe_accuracy, TRANSFER),
    "excess_error_barrier": Statistic("error barrier minus siblings'", "points", _excess_error_barrier, ("path-",)),
}


def read_claims(path: Path) -> Fixed:
    """The claims of a file, every statistic of theirs known.

    Raises:
        BadInput: the file, the claim, and what is wrong with it.
    """
    fixed = load_claims(path)
    for where, views in (
        *((f"{path}: claim {claim.name!r}", claim.views) for claim in fixed.claims),
        *((f"{path}: secondary {other.text!r}", other.views) for other in fixed.secondary),
    ):
        for view in views:
            if view.statistic not in STATISTICS:
                raise BadInput(f"{where}: there is no statistic {view.statistic!r}. Known: {', '.join(STATISTICS)}")
            if view.stage == "matched" and view.statistic not in MATCHED:
                raise BadInput(f"{where}: {view.statistic} is not compared at matched loss, but {', '.join(MATCHED)}")
    return fixed


def differences(
    evidence: Evidence, view: View, one_shot: str, gradual: str, within: float = np.inf
) -> NDArray[np.float64]:
    """One number a seed; NaN where a pair is missing at any of the sparsities or did not reach it (`within`)."""
    statistic, sparsities = STATISTICS[view.statistic], view.sparsities
    table = np.array(
        [
            [_of_pair(statistic, evidence, Pair(seed, s, view.stage, one_shot, gradual), within) for s in sparsities]
            for seed in evidence.seeds
        ]
    ).reshape(len(evidence.seeds), len(sparsities))
    if not statistic.slope:
        return table.mean(axis=1)
    return slope(table, -np.log10(1 - np.array(sparsities)))


def _of_pair(statistic: Statistic, evidence: Evidence, pair: Pair, within: float) -> float:
    reached = evidence.reached_on_source if pair.stage == "source" else evidence.reached
    missed = [abs(reached.get((key.arm, key.sparsity, key.seed), key.sparsity) - key.sparsity) for key in pair.keys]
    return np.nan if max(missed) > within else statistic.of_pair(evidence, pair)
