"""The claims of the core paper's abstract and what this run says of them, as a picture, Markdown and JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from figures.drawing.figure_command import Drawing, command
from figures.reading.evidence import (
    errors,
    finishing,
    lines,
    neurons,
    pair_entropies,
    probe_accuracies,
    reached,
    sharpness,
)
from figures.reading.study_results import Results, read_all
from figures.study.claims.claims import CLAIMS, Fixed, Judgement, Secondary, judge
from figures.study.claims.numbers import numbers
from figures.study.claims.picture import picture
from figures.study.claims.text import markdown
from figures.study.claims.views import MATCHED, Evidence, differences, read_claims
from figures.study.verdicts.verdicts import Claim
from minima.store.files import write_atomically

PAIRS = "psp-sampled-pairs"
"""what a study calls the entropies of pairs"""


@dataclass(frozen=True, kw_only=True)
class Judging(Drawing):
    """Flags of the table."""

    claims: Path = CLAIMS
    """TOML file of the claims, fixed before the runs (default: the suite's own)"""
    sources: str = ""
    """page beside the table that its numbers link to, as `figures.study redraw` writes it (default: none)"""


def draw(inputs: Sequence[Path], out: Path, claims: Path = CLAIMS, sources: str = "") -> list[Path]:
    """Judge the claims by results of one network: `entropy.{psp,transfer}` and `landscape.{sharpness,path}`."""
    fixed, evidence = read_claims(claims), gather(read_all(inputs))
    arms = fixed.arms
    judged = {arm: judge_arm(evidence, fixed, arm) for arm in (arms.gradual, *arms.beside)}
    told = [summed_up(evidence, fixed, other) for other in fixed.secondary]
    written = picture([*judged[arms.gradual], *told], evidence, arms, out)
    texts = {
        ".md": markdown(judged, evidence, fixed, claims, told, sources),
        ".json": numbers(judged, evidence, fixed, claims, told),
    }
    for ending, text in texts.items():
        target = out.with_name(f"claims{ending}")
        write_atomically(target, text.encode())
        written.append(target)
    return written


def judge_arm(evidence: Evidence, fixed: Fixed, gradual: str) -> list[Judgement]:
    """Every claim, with this arm as the gradual one."""
    arms = fixed.arms
    found = [
        [differences(evidence, view, arms.one_shot, gradual, arms.reached_within) for view in claim.views]
        for claim in fixed.claims
    ]
    return judge(fixed.claims, found, complete=len(evidence.seeds) >= fixed.seeds)


def summed_up(evidence: Evidence, fixed: Fixed, other: Secondary) -> Judgement:
    """A secondary comparison: its intervals, and no verdict."""
    claim = Claim(other.text, other.text, "", other.views)
    within = fixed.arms.reached_within
    found = [differences(evidence, view, other.first, other.second, within) for view in other.views]
    (told,) = judge([claim], [found], complete=False)
    return told


def gather(results: Sequence[Results]) -> Evidence:
    """Read everything the claims need: errors of the test split, entropies of the split that was asked for."""
    entropy = [result for result in results if result.measure == "psp"]
    test = [result for result in entropy if result.called == "psp-test"]
    states = [result for result in entropy if result.called not in ("psp-test", PAIRS)] or test
    curvature = [result for result in results if result.measure == "sharpness"]
    paths = [result for result in results if result.measure == "path"]
    transfer = [result for result in results if result.measure == "transfer"]
    return Evidence(
        errors=errors(test),
        neurons=neurons(states),
        sharpness={measure: sharpness(curvature, measure) for measure in MATCHED},
        finishing={measure: finishing(curvature, measure) for measure in MATCHED},
        lines=lines(paths),
        model=results[0].model,
        probes=probe_accuracies(transfer),
        pairs=pair_entropies(result for result in entropy if result.called == PAIRS),
        reached=reached(test),
        reached_on_source=reached(transfer),
        seeds=tuple(sorted({result.seed for result in results})),
        study=results[0].study,
    )


if __name__ == "__main__":
    command(draw, "study.claims.table", __doc__ or "", Judging)
