"""A pruned network's eigenvalues beside its dense parent's, whole and in the same mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from figures.drawing.captions import with_unit
from figures.page.content.charts import Lines, Row, Series, Table, View
from figures.page.content.networks import Networks
from figures.page.content.results import Result
from figures.page.content.section import Section, listed
from minima.store.table import with_error

LOOKS: dict[str, tuple[str, str]] = {
    "pruned": ("pruned network, its survivors", "#D55E00"),
    "parent": ("dense parent, all weights", "#000000"),
    "parent-in-mask": ("dense parent, survivors' coordinates", "#0072B2"),
}
RANDOM = ("dense parent, random coordinates", "#E69F00")


@dataclass(frozen=True)
class Survivors(Section):
    """The section on pruned networks beside their parent: results of `landscape.survivors`."""

    name: ClassVar[str] = "survivors"
    place: ClassVar[int] = 25
    title: ClassVar[str] = "Pruned network beside its parent"
    measure: ClassVar[str] = "survivors"
    command: ClassVar[str] = "python -m landscape.survivors {pruned} --parent {parent}"
    question: ClassVar[str] = "Is a pruned network flatter since it has fewer weights, or since it lies elsewhere?"
    caveat: ClassVar[str] = (
        "Fewer coordinates can only lower the largest eigenvalue of the same matrix: compare the pruned network with "
        "its parent in the same coordinates, and those with random ones. Eigenvalues are scale-dependent."
    )
    cite: ClassVar[tuple[str, ...]] = ("Cauchy's interlacing theorem (fewer coordinates lower every eigenvalue)",)

    def view(self, results: Sequence[Result], networks: Networks) -> View:
        """Eigenvalues by rank of each of the four; the errors are those of other examples."""
        charts, rows, said = [], [], []
        for each in results:
            label, place = networks.label(each), networks.place(each)
            operators = each.summary["operators"]
            series = [_series(operator) for operator in operators]
            charts.append(
                Lines(
                    f"{label}: largest eigenvalues", "rank", with_unit("eigenvalue", each.summary["loss_unit"]), series
                )
            )
            for operator in operators:
                trace = with_error(operator["trace"], operator["trace_stderr"])
                rows.append(Row([label, _look(operator["name"])[0], _largest(operator), trace], place))
            named = {operator["name"]: _largest(operator) for operator in operators}
            if {"pruned", "parent-in-mask"} <= set(named):
                pair = f"{named['pruned']} against {named['parent-in-mask']}"
                said.append(f"{label} {pair}")
        words = "Largest eigenvalue of the pruned network against its parent's in the same coordinates"
        heads = ("network", "of", "largest eigenvalue", "trace")
        return View(f"{words}: {listed(said) or '-'}.", charts, [Table("Largest eigenvalue and trace", heads, rows)])


def _largest(operator: dict[str, Any]) -> str:
    """The largest eigenvalue with the error that other examples would make."""
    return with_error(operator["lambda_max"], (operator.get("data_stderr_new") or {}).get("lambda_max"))


def _look(name: str) -> tuple[str, str]:
    return LOOKS.get(name, RANDOM)


def _series(operator: dict[str, Any]) -> Series:
    label, colour = _look(operator["name"])
    values = operator["eigenvalues"]
    errors = (operator.get("data_stderr_new") or {}).get("eigenvalues")
    look = {"colour": colour, "hidden": operator["name"].startswith("random")}
    named = label if operator["name"] in LOOKS else f"{label} ({operator['name']})"
    return Series(named, range(1, len(values) + 1), values, None, errors, look=look)
