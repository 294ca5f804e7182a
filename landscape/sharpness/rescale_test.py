"""The same measures of the same function in other coordinates: which of them move (Dinh et al. 2017)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from landscape.objective.flags import loss_of, objective_of
from minima.store.table import render_table

if TYPE_CHECKING:
    from torch import Tensor

    from landscape.objective.objective import Objective
    from landscape.objective.region import Region
    from landscape.sharpness.measure import Measure
    from minima.store.hdf5.results import Place
    from minima.zoo.subject.subject import Subject

KINDS = ("layer", "unit")
EXAMPLES = 256
"""that the outputs before and after are compared on"""
MOVED = 0.01
"""relative changes beyond it are more than the tolerances of the measures"""


@dataclass(frozen=True)
class RescaleTest:
    """A subject's network rescaled at random: each of its layers, and each of its units."""

    objectives: Mapping[str, Objective]
    """by what was rescaled"""
    summary: dict[str, Any]
    """what the JSON object says of the rescaling"""

    @classmethod
    def of(cls, subject: Subject, region: Region, seed: int, moving: Mapping[str, Tensor] | None = None) -> RescaleTest:
        """Rescale copies of the network; refused where that changes what it computes."""
        from landscape.symmetry.rescaling import LARGEST, rescaled

        loss, objectives, changes = loss_of(subject, region), {}, []
        for kind in KINDS:
            found = rescaled(subject.model, subject.x[:EXAMPLES], kind, seed)  # type: ignore[arg-type]
            objectives[kind] = objective_of(replace(subject, model=found.model), region, loss, moving)
            changes.append(found.output_change)
        return cls(
            objectives,
            {
                "largest_factor": LARGEST,
                "layers": found.groups,
                "units": found.units,
                "largest_output_change": max(changes),
            },
        )

    def again(self, measure: Measure, seed: int) -> dict[str, float]:
        """The measure of each rescaled network, the random draws being the same."""
        return {kind: measure.measure(objective, seed).value for kind, objective in self.objectives.items()}


def entry(value: float, again: Mapping[str, float]) -> dict[str, Any]:
    """What a measure's entry in the JSON object says: values, and how far they moved relative to the plain one."""
    return {
        "rescaled": dict(again),
        "moved": {kind: other / value - 1 if value else None for kind, other in again.items()},
    }


def write(place: Place, measure: Measure, again: Mapping[str, float]) -> None:
    """Write what a measure is after rescaling, /sharpness/NAME_rescaled over the scale `rescaling`."""
    place.scale("sharpness/rescaling", list(KINDS), "1", "what was rescaled at random: each layer, or each unit")
    long_name = "of the network with the same function and rescaled weights"
    place.write(f"sharpness/{measure.name}_rescaled", list(again.values()), ("rescaling",), measure.units, long_name)


def table(summary: dict[str, Any]) -> str:
    """How far each measure moved, beside what it claims."""
    test, rows = summary["rescaling"], []
    for name, taken in summary["measures"].items():
        kept = {"none": (), "layer": KINDS[:1], "unit": KINDS}[taken["invariant"]]
        broken = [kind for kind in kept if abs(taken["moved"][kind] or 0) > MOVED]
        verdict = f"NOT invariant: {', '.join(broken)}" if broken else "as it says"
        moves = [_percent(taken["moved"][kind]) for kind in KINDS]
        rows.append([name, taken["value"], *moves, taken["invariant"], verdict])
    return "\n".join(
        [
            f"The same function with other weights: {test['layers']} layers, and their {test['units']:,} units, times "
            f"factors between 1/{test['largest_factor']:g} and {test['largest_factor']:g}",
            f"(outputs changed by {test['largest_output_change']:.1e} of the largest, by rounding). So moved",
            "",
            render_table(["measure", "value", "layers rescaled", "units rescaled", "invariant", "found"], rows),
        ]
    )


def _percent(moved: float | None) -> str:
    if moved is None:
        return "-"
    return f"{moved:+.2%}" if abs(moved) < 10 else f"x {moved + 1:,.0f}"
