"""A sharpness measure in the JSON object, in the results file, and in the table."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from landscape.objective.position import heading
from landscape.sharpness import rescale_test
from landscape.sharpness.measure import Measure, Measured, measures
from landscape.spectrum.examples_legend import of_examples
from minima.store.hdf5 import record
from minima.store.hdf5.record import Number
from minima.store.table import render_table

if TYPE_CHECKING:
    from minima.store.hdf5.results import Place

ERRORS = {
    "stderr": "standard error of probes, draws, directions or batches",
    "data_stderr": "error from using some of the split's examples only: jackknife over blocks of them, to first order",
    "data_stderr_new": "the same for new examples, as many as were used",
    "seed_stderr": "how much a maximum rests on one random start: jackknife over starts",
}


def entry(measure: Measure, found: Measured, used: float | None) -> dict[str, Any]:
    """A measure in the JSON object; `used`: sqrt(1 - n/N), what of the error of new examples the split has."""
    new = found.data_stderr_new
    head: dict[str, Any] = {
        "value": found.value,
        "stderr": found.stderr,
        "data_stderr": None if new is None or used is None else used * new,
        "data_stderr_new": new,
        "seed_stderr": found.seed_stderr,
        "invariant": measure.invariant,
    }
    head |= dict(found.convergence) | asdict(measure) | dict(found.chosen)
    if found.values:
        head["values"] = dict(found.values)
    if found.settled:
        head["values_converged"] = dict(found.settled)
    return head


def write(place: Place, measure: Measure, found: Measured, taken: dict[str, Any]) -> None:
    """A measure's numbers: /sharpness/NAME, and beside it NAME_stderr, NAME_data_stderr, NAME_values, NAME_course.

    Args:
        taken: the measure in the JSON object, as `entry` made it of what was found.
    """
    name, value = f"sharpness/{measure.name}", Number(measure.name, measure.units, measure.meaning, key="value")
    beside = [value.beside(kind, meaning, kind) for kind, meaning in ERRORS.items()]
    if "residual" in found.convergence:
        beside.append(Number(f"{measure.name}_residual", "1", "||Hv - lv|| / |l|", key="residual"))
    record.write(place, "sharpness", [value], taken, invariant=measure.invariant)
    record.write(place, "sharpness", beside, taken)
    setting, step = f"{measure.name}_setting", f"{measure.name}_step"
    if found.values:
        place.scale(f"sharpness/{setting}", list(found.values), "1", "parameters of a value")
        place.write(f"{name}_values", list(found.values.values()), (setting,), measure.units, measure.meaning)
    if found.courses:
        courses = list(found.courses.values())
        place.scale(f"sharpness/{step}", list(range(len(courses[0]))), "1", "steps of the ascent")
        place.write(f"{name}_course", courses, (setting, step), "nat", "largest rise of the loss found so far")
        settled = [int(converged) for converged in found.settled.values()]
        place.write(f"{name}_converged", settled, (setting,), "1", "1 where the ascent ended before its steps did")


def table(summary: dict[str, Any]) -> str:
    """What a person reads: a line for each measure."""
    known = measures()
    rows = [
        [
            name,
            taken["value"],
            _of_draws(taken),
            taken["data_stderr_new"],
            taken["invariant"],
            _meaning(known[name], taken),
        ]
        for name, taken in summary["measures"].items()
    ]
    lines = [
        heading(summary),
        "",
        render_table(["measure", "value", "± of draws", "± of examples", "invariant", "what it is"], rows),
        "",
        "invariant: which rescalings of a ReLU network leave the number as it is (of whole layers; of single units",
        "too). One with `none` can be made large without changing the network, so read it beside an invariant one.",
        "± of draws: of probes, noise, directions, batches; of a maximum, how much it rests on one of its starts.",
        f"± of examples: {of_examples(summary['used_share'])}",
    ]
    unsettled = [name for name, taken in summary["measures"].items() if not taken.get("converged", True)]
    if unsettled:
        lines.append(f"Not converged: {', '.join(unsettled)}. More steps may give a larger number.")
    if "rescaling" in summary:
        lines += ["", rescale_test.table(summary)]
    return "\n".join(lines)


def _meaning(measure: type[Measure], taken: dict[str, Any]) -> str:
    return f"{measure.meaning}: {taken['layer']}" if taken.get("layer") else measure.meaning


def _of_draws(taken: dict[str, Any]) -> float | None:
    return taken["seed_stderr"] if taken["stderr"] is None else taken["stderr"]
