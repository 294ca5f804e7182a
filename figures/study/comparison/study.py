"""A study of kind `methods`: pruning methods x sparsities x seeds, side by side in a table and figures."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from figures.comparison import draw
from figures.reading.names import OUT
from figures.study.comparison.comparison import Comparison
from figures.study.comparison.text import as_json, as_markdown, spoken_rows
from figures.study.comparison.values import Values, rows
from figures.study.configuration.build import build
from figures.study.configuration.study import Conclusion, Study
from figures.study.engine.jobs import Plan, planned
from minima.store.command import render_table
from minima.store.files import write_atomically

FIGURES = Path("fig")


@dataclass(frozen=True)
class MethodsStudy(Study):
    """Every network is pruned, its mask checked, its sharpness and PSP-entropy measured."""

    comparison: Comparison

    @classmethod
    def read(cls, table: Mapping[str, Any], path: Path) -> MethodsStudy:
        """The comparison that a file's keys describe."""
        comparison = build(Comparison, table, str(path))
        comparison.check(str(path))
        return cls(comparison)

    @property
    def table(self) -> Path:
        """Everything that the comparison came to, for scripts."""
        return Path(OUT) / f"{self.comparison.name}.comparison.json"

    def plan(self) -> Plan:
        """One job a network."""
        return planned(self.comparison.name, [cell.job for cell in self.comparison.cells()])

    def conclude(self, missing: Set[str], sources: str = "") -> Conclusion:
        """Write the table and draw the figure of every network that is there."""
        whole = self.comparison
        whether = {cell: missing.isdisjoint(cell.job.makes) for cell in whole.cells()}
        there, absent = ([cell for cell, made in whether.items() if made is wanted] for wanted in (True, False))
        values = Values()
        found = [(cell, stage, values.of(cell, stage)) for cell, stage in product(there, whole.stages)]
        summary = list(rows(whole, found))
        sharpness = values.invariances(found[0][0]) if found else {}
        text = self.table.with_suffix(".md")
        write_atomically(self.table, as_json(whole, found, absent, summary, sharpness))
        write_atomically(text, as_markdown(whole, summary, sharpness, sources))
        FIGURES.mkdir(exist_ok=True)
        drawn = draw([self.table], FIGURES / f"{whole.name}-comparison") if found else []
        said = render_table(*spoken_rows([row for row in summary if row["seeds"]], sharpness))
        closing = f"Medians over seeds; with quartiles in {text}, every network in {self.table}"
        pictures = [str(path) for path in drawn]
        made = {"table": str(self.table), "text": str(text), "pictures": pictures, "rows": summary}
        return Conclusion(made, "\n".join([said, "", closing, *pictures]) if found else "nothing is finished")
