"""A study of kind `findings`: statements of the literature, judged by comparisons and further measurements."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from figures.study.comparison.study import MethodsStudy
from figures.study.configuration.build import build
from figures.study.configuration.study import Conclusion, Study
from figures.study.configuration.toml_file import file_beside, find_beside, kind_of, read_toml
from figures.study.engine.jobs import Job, Plan, planned
from figures.study.findings.coverage import check_evidence
from figures.study.findings.draw import draw
from figures.study.findings.jobs import collapsing, descending
from figures.study.findings.keys import Keys
from figures.study.findings.statements import FINDINGS, load_findings
from figures.study.networks.checks import check_folder
from minima.store.command import BadInput


@dataclass(frozen=True)
class FindingsStudy(Study):
    """Comparisons, further measurements, and a page of verdicts."""

    keys: Keys
    comparisons: tuple[MethodsStudy, ...]
    statements: Path
    """the file that says what is stated"""

    @classmethod
    def read(cls, table: Mapping[str, Any], path: Path) -> FindingsStudy:
        """The study that a file's keys describe, with the comparisons that it names."""
        keys = build(Keys, table, str(path))
        keys.check(str(path))
        check_folder(str(path), "figures", keys.figures)
        found = []
        for name in keys.comparisons:
            other = find_beside(path, name, "comparisons")
            kind, table = kind_of(read_toml(other), other)
            if kind != "methods":
                raise BadInput(f"{path}: comparisons: {other} is a study of kind {kind!r}, expected 'methods'")
            found.append(MethodsStudy.read(table, other))
        names = [study.comparison.name for study in found]
        if len(set(names)) < len(names):
            raise BadInput(f"{path}: comparisons: two are called {max(names, key=names.count)!r}")
        statements = file_beside(path, keys.statements, "statements", FINDINGS)
        check_evidence(str(path), load_findings(statements), keys, [study.comparison for study in found])
        return cls(keys, tuple(found), statements)

    def plan(self) -> Plan:
        """The jobs of the comparisons, and the further ones."""
        jobs = [job for study in self.comparisons for job in study.plan().jobs]
        return planned(self.keys.name, [*jobs, *self._further()])

    def conclude(self, missing: Set[str], sources: str = "") -> Conclusion:
        """Write the comparisons' tables, and the page once everything that it rests on is there."""
        told = [study.conclude(missing, sources) for study in self.comparisons]
        results = [file for job in self._further() for file in job.makes if file.startswith("out/")]
        tables = {"comparisons": [each.summary for each in told]}
        texts = [each.text for each in told]
        if missing:
            return Conclusion(tables, "\n\n".join([*texts, "the verdicts wait for what is missing"]))
        evidence = [study.table for study in self.comparisons] + [Path(file) for file in results]
        out = Path(self.keys.figures) / "findings"
        out.parent.mkdir(parents=True, exist_ok=True)
        drawn = [str(path) for path in draw(evidence, out, self.statements, sources)]
        return Conclusion(tables | {"pictures": drawn}, "\n\n".join([*texts, "\n".join(drawn)]))

    def _further(self) -> list[Job]:
        keys, jobs = self.keys, list[Job]()
        if keys.collapse:
            jobs += collapsing(keys.name, range(keys.seeds), keys.collapse)
        if keys.edge:
            first = keys.edge.first_seed
            jobs += descending(keys.name, range(first, first + keys.seeds), keys.edge)
        return jobs
