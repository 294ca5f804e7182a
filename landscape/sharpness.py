"""How sharp the minimum is that a network sits in, by several measures: `python -m landscape.sharpness CKPT`."""

from __future__ import annotations

from dataclasses import MISSING, asdict, dataclass, field, make_dataclass
from typing import TYPE_CHECKING, Any

from landscape.flags import Landscape, objective_of
from landscape.measure import Measure, Measured, measures
from landscape.position import heading, position, write_position
from store.command import BadInput, Report, render_table, run
from zoo.measuring import measure_each

if TYPE_CHECKING:
    from store.results import Place
    from zoo.subject import Subject


STANDARD = ("lambda_max", "trace", "adaptive_lambda_max", "adaptive_trace", "keskar", "sam", "adaptive_sam", "average")
"""which measures come first, so that an adaptive one follows what it is adapted from"""


@dataclass(frozen=True, kw_only=True)
class Sharpness(Landscape):
    """Flags of `python -m landscape.sharpness`, but for the measures' own."""

    measures: str | None = None
    """names separated by commas (default: all of the standard list)"""

    def chosen(self) -> list[Measure]:
        """The measures to take, each with its parameters."""
        known = measures()
        names = sorted((name for name, kind in known.items() if kind.default), key=_order)
        if self.measures is not None:
            names = [name.strip() for name in self.measures.split(",") if name.strip()]
        unknown = [name for name in names if name not in known]
        if unknown or not names:
            raise BadInput(f"--measures {self.measures}: known are {', '.join(known)}")
        chosen = [getattr(self, name, None) or known[name]() for name in dict.fromkeys(names)]
        for measure in chosen:
            measure.check()
        return chosen


def _order(name: str) -> tuple[int, str]:
    return STANDARD.index(name) if name in STANDARD else len(STANDARD), name


def flags() -> type[Sharpness]:
    """`Sharpness` with a group of flags for every measure, such as --trace.probes."""
    groups = [
        (name, kind, field(default=kind()) if kind.__dataclass_fields__ else MISSING)
        for name, kind in measures().items()
    ]
    return make_dataclass("Sharpness", groups, bases=(Sharpness,), frozen=True, kw_only=True)


def compute(subject: Subject, place: Place, arguments: Sharpness) -> dict[str, Any]:
    """Take the measures of a subject, write them to its place, and return what the JSON object says of them."""
    from tqdm import tqdm

    objective = objective_of(subject, arguments.subspace)
    where = position(objective, arguments.subspace)
    write_position(place, "sharpness", where)
    for measure in tqdm(arguments.chosen(), desc=subject.name, unit="measure", disable=None, leave=False):
        if measure.name not in place.kept():
            found = measure.measure(objective, arguments.seed)
            _write(place, measure, found)
            place.keep(measure.name, entry(measure, found))
    return where | {"measures": place.kept()}


def entry(measure: Measure, found: Measured) -> dict[str, Any]:
    """A measure in the JSON object."""
    head: dict[str, Any] = {"value": found.value, "stderr": found.stderr, "invariant": measure.invariant}
    return head | dict(found.convergence) | asdict(measure) | ({"values": dict(found.values)} if found.values else {})


def table(summary: dict[str, Any]) -> str:
    """What a person reads: a line for each measure."""
    known = measures()
    rows = [
        [name, taken["value"], taken["stderr"], taken["invariant"], known[name].meaning]
        for name, taken in summary["measures"].items()
    ]
    return "\n".join(
        [
            heading(summary),
            "",
            render_table(["measure", "value", "±", "invariant", "what it is"], rows),
            "",
            "invariant: which rescalings of a ReLU network leave the number as it is (of whole layers; of single units",
            "too). One with `none` can be made large without changing the network, so read it beside an invariant one.",
            "±: standard error of probes, draws or directions, not of the examples.",
        ]
    )


def main(arguments: Sharpness) -> Report:
    """Measure every checkpoint named on the command line."""
    arguments.chosen()
    return measure_each(arguments, "sharpness", lambda subject, place: compute(subject, place, arguments), table)


def _write(place: Place, measure: Measure, found: Measured) -> None:
    """A measure's numbers: /sharpness/NAME, and beside it NAME_stderr, NAME_values and NAME_course."""
    name = f"sharpness/{measure.name}"
    error = float("nan") if found.stderr is None else found.stderr
    place.write(name, found.value, (), measure.units, measure.meaning, invariant=measure.invariant)
    place.write(f"{name}_stderr", error, (), measure.units, "standard error of probes, draws or directions")
    if "residual" in found.convergence:
        place.write(f"{name}_residual", found.convergence["residual"], (), "1", "||Hv - lv|| / |l|")
    setting, step = f"{measure.name}_setting", f"{measure.name}_step"
    if found.values:
        place.scale(f"sharpness/{setting}", list(found.values), "1", "parameters of a value")
        place.write(f"{name}_values", list(found.values.values()), (setting,), measure.units, measure.meaning)
    if found.courses:
        courses = list(found.courses.values())
        place.scale(f"sharpness/{step}", list(range(len(courses[0]))), "1", "steps of the ascent")
        place.write(f"{name}_course", courses, (setting, step), "nat", "largest rise of the loss found so far")


if __name__ == "__main__":
    run(flags(), main, prog="python -m landscape.sharpness", description=__doc__ or "")
