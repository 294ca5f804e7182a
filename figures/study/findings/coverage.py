"""Whether a study makes everything that its statements rest on, asked before any work."""

from __future__ import annotations

from collections.abc import Sequence

from figures.reading.names import model_word
from figures.study.comparison.comparison import Comparison
from figures.study.findings.keys import Keys
from figures.study.findings.statements import Findings, View, refuse_unknown
from figures.study.networks.networks import DENSE
from minima.store.command import BadInput


def check_evidence(asked_in: str, findings: Findings, keys: Keys, comparisons: Sequence[Comparison]) -> None:
    """BadInput where a statement is about a network that no job of the study in the file `asked_in` makes.

    Without [collapse] or [edge] what rests on them is left out as a whole, and told as not yet measured.
    """
    for claim in findings.claims:
        for view in claim.views:
            where = f"{asked_in}: statements of {findings.path}: claim {claim.name!r}"
            if view.table == "comparison":
                for comparison in comparisons:
                    _check_compared(view, comparison, where)
            elif view.table == "collapse" and keys.collapse:
                refuse_unknown(where, "network of [collapse]", view.model, _words(keys.collapse.networks))
                for member in (member for arm in view.arms for member in arm):
                    refuse_unknown(where, "method of [collapse]", member, keys.collapse.methods)
            elif view.table == "edge" and keys.edge:
                known = [labels.name for labels in keys.edge.labels]
                refuse_unknown(where, "table among [edge.labels]", view.labels, known)


def _words(networks: Sequence[str]) -> list[str]:
    """What networks are called in names of files."""
    return [model_word(spec) for spec in networks]


def _check_compared(view: View, comparison: Comparison, where: str) -> None:
    where = f"{where}, comparison {comparison.name!r}"
    known = [arm.name for arm in comparison.arms]
    for member in (member for arm in view.arms for member in arm if member != DENSE):
        refuse_unknown(where, "arm", member, known)
        there = comparison.arm(member).sparsities or comparison.sparsities
        for sparsity in view.sparsities:
            if sparsity not in there:
                raise BadInput(f"{where}: {member} is not made at sparsity {sparsity:g}, but at {list(there)}")
    if view.stage not in comparison.stages:
        raise BadInput(f"{where}: stage {view.stage!r} needs a `finish`, which this comparison does not have")
