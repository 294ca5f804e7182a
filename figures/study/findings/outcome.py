"""The verdicts on the findings' statements in one setting, with the seeds that they rest on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from figures.statistics.paired import Paired
from figures.statistics.trend import Trend
from figures.study.findings.inputs import Inputs, Setting
from figures.study.findings.statements import Findings, View, refuse_unknown
from figures.study.findings.values import Sample, sample, summarise
from figures.study.networks.networks import DENSE
from figures.study.verdicts import verdicts

Judged = verdicts.Judged[View, Paired | Trend | None]
Judgement = verdicts.Judgement[View, Paired | Trend | None]


@dataclass(frozen=True)
class Outcome:
    """All statements, judged by one comparison and by what rests on none."""

    setting: Setting | None
    """None: no comparison was given"""
    judgements: tuple[Judgement, ...]
    samples: Mapping[View, Sample]

    @property
    def label(self) -> str:
        """What the setting is called, a study and its learning rate; "no comparison" where none was given."""
        return self.setting.label if self.setting else "no comparison"


def judge(findings: Findings, inputs: Inputs, setting: Setting | None) -> Outcome:
    """The verdicts in a setting; a statement that is not yet measured stays in Holm's families with p = 1.

    Raises:
        BadInput: an arm or a value of a claim is none of its table.
    """
    for claim in findings.claims:
        for view in claim.views:
            _check_names(view, inputs, setting, f"{findings.path}: claim {claim.name!r}")
    within = findings.reached_within
    samples = {view: sample(view, inputs, setting, within) for claim in findings.claims for view in claim.views}
    summaries = [[summarise(view, samples[view]) for view in claim.views] for claim in findings.claims]
    return Outcome(setting, tuple(verdicts.judge(findings.claims, summaries)), samples)


def _check_names(view: View, inputs: Inputs, setting: Setting | None, where: str) -> None:
    """Names of a table that was not given cannot be checked."""
    if view.table == "edge":  # its values are fixed, and were looked at when the file was read
        return
    if view.table == "comparison":
        arms, values = ((DENSE, *setting.arms), setting.values) if setting else ((), ())
    else:
        arms = tuple(sorted({method for _, method, _ in inputs.collapse}))
        values = tuple(sorted({name for found in inputs.collapse.values() for name in found}))
    if values:
        refuse_unknown(where, "value", view.value, values)
    for member in (member for arm in view.arms for member in arm):
        if arms:
            refuse_unknown(where, "arm", member, arms)
