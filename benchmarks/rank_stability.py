"""How far the scores of pruning methods depend on what is drawn for them: probes, examples, weights.

Every scorer with the defaults of a method that uses it, on small networks trained on the digits, at the first cut, to a
sparsity of 90 %. Scores are compared by Spearman's rank correlation over all weights, cuts by the part of the kept
weights that both keep, for every two of several seeds, and for the two halves of the training part (every other
example), which tell of the data themselves. Where a cut goes by the entropies of layers, the layers are ranked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import isnan
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, Any

from benchmarks.kept import keep
from benchmarks.known import check
from benchmarks.pruned import NETWORKS
from minima.store.command import Command, Report, render_table, run

if TYPE_CHECKING:
    from torch import Tensor

    from minima.zoo.subject.subject import Subject
    from pruning.composition.composition import Composition
    from pruning.context.context import Context

LINES = (
    "obd",
    "obd --diagonal probes",
    "empirical-fisher",
    "taylor",
    "taylor --batches 1",
    "snip",
    "snip-it",
    "sbp-sr",
    "grasp",
    "prospr",
    "egp",
    "nepenthe",
    "synflow",
    "magnitude",
    "magnitude --scope lamp",
    "random",
)
"""every scorer once at least"""
SPARSITY = 0.9
EPOCHS = 20
"""of the run whose first cut is looked at: some schedules are laid out over them"""
OUT = Path("out/benchmarks/rank_stability.json")
COLUMNS = ("network", "method", "seeds: ranks", "seeds: kept", "halves of the data: ranks", "halves: kept")


@dataclass(frozen=True, kw_only=True)
class RankStability(Command):
    """How far scores of pruning methods, and the cuts they make, agree from draw to draw."""

    networks: tuple[str, ...] = tuple(NETWORKS)
    """trained on the digits in seconds"""
    methods: tuple[str, ...] = LINES
    """each as it is typed behind `python -m pruning`, flags and all"""
    seeds: int = 2
    """that are compared in pairs"""


def main(arguments: RankStability) -> Report:
    """Score and cut; write the JSON and return the table."""
    import torch

    from benchmarks.pruned import network

    check("--networks", arguments.networks, NETWORKS)
    torch.set_num_threads(1)
    found = {
        name: {words: stability(subject, words, arguments.seeds) for words in arguments.methods}
        for name in arguments.networks
        for subject in [network(name)]
    }
    rows = [[name, words, *values.values()] for name, of in found.items() for words, values in of.items()]
    summary: dict[str, Any] = {"sparsity": SPARSITY, "seeds": arguments.seeds, "networks": found}
    keep(OUT, summary, COLUMNS, rows)
    note = f"Cuts to a sparsity of {SPARSITY:.0%}; {arguments.seeds} seeds in pairs. Written to {OUT}"
    return Report(summary, f"{render_table(COLUMNS, rows)}\n\n{note}")


def stability(subject: Subject, words: str, seeds: int) -> dict[str, float | None]:
    """Means over the pairs; None where ranks are all equal."""
    from benchmarks.pruned import method
    from pruning.collapse.critical import before_training

    parts = method(words).composition()
    drawn = [before_training(parts, subject, seed, (SPARSITY,), EPOCHS).context() for seed in range(seeds)]
    x, y = drawn[0].x, drawn[0].y
    halves = [replace(drawn[0], x=x[start::2], y=y[start::2]) for start in (0, 1)]
    of_seeds, of_halves = (_compare(parts, contexts) for contexts in (drawn, halves))
    return {
        "seeds_spearman": of_seeds[0],
        "seeds_common": of_seeds[1],
        "halves_spearman": of_halves[0],
        "halves_common": of_halves[1],
    }


def _compare(parts: Composition, contexts: Sequence[Context]) -> tuple[float | None, float]:
    """Rank correlation and common part of the kept weights, over all pairs of contexts."""
    import torch

    from pruning.composition.cutting import cut_by
    from pruning.context.counts import kept_count, size
    from pruning.scorers.agreement import spearman

    scores = [parts.scorer.score(context) for context in contexts]
    ranked = [_ranked(parts, context, each) for context, each in zip(contexts, scores, strict=True)]
    target = kept_count(size(contexts[0].masks), SPARSITY)
    cuts = [cut_by(parts, context, target, each) for context, each in zip(contexts, scores, strict=True)]
    masks = [torch.cat([mask.flatten() for mask in cut.values()]) for cut in cuts]
    correlations = [spearman(one, other) for one, other in combinations(ranked, 2)]
    common = [int((one & other).sum()) / target for one, other in combinations(masks, 2)]
    return None if any(map(isnan, correlations)) else mean(correlations), mean(common)


def _ranked(parts: Composition, context: Context, scores: dict[str, Tensor]) -> Tensor:
    """What the cut goes by: scores of weights, or importance of layers."""
    import torch

    from pruning.scopes.entropy_budget import EntropyBudget

    if isinstance(parts.scope, EntropyBudget):
        return torch.tensor(list(parts.scope.importance(context).values()), dtype=torch.float64)
    return torch.cat([score.double().flatten() for score in scores.values()])


if __name__ == "__main__":
    run(RankStability, main, prog="python -m benchmarks.rank_stability")
