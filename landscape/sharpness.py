"""How sharp the minimum is that a network sits in, by several measures: `python -m landscape.sharpness CKPT`."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, field, make_dataclass
from typing import TYPE_CHECKING, Any

from landscape import rescale_test
from landscape.flags import Landscape, located
from landscape.measure import Measure, measures
from landscape.position import write_position
from landscape.sharpness_report import entry, table, write
from store.command import BadInput, Report, run
from store.messages import progress_bar
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
    rescale_test: bool = False
    """measure again with layers and units rescaled at random, the function being the same: which measures move"""

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
    from landscape.data_error import used_share

    objective, where, _ = located(subject, arguments)
    write_position(place, "sharpness", where)
    test = rescale_test.RescaleTest.of(subject, arguments) if arguments.rescale_test else None
    used = used_share(len(objective.x), subject.available)
    for measure in progress_bar(arguments.chosen(), desc=subject.name, unit="measure"):
        if measure.name not in place.kept():
            found = measure.measure(objective, arguments.seed)
            taken = entry(measure, found, used)
            write(place, measure, found, taken["data_stderr"])
            if test is not None:
                again = test.again(measure, arguments.seed)
                rescale_test.write(place, measure, again)
                taken |= rescale_test.entry(found.value, again)
            place.keep(measure.name, taken)
    rescaling = {} if test is None else {"rescaling": test.summary}
    return where | {"used_share": used} | rescaling | {"measures": place.kept()}


def main(arguments: Sharpness) -> Report:
    """Measure every checkpoint named on the command line."""
    arguments.chosen()
    return measure_each(arguments, "sharpness", lambda subject, place: compute(subject, place, arguments), table)


if __name__ == "__main__":
    run(flags(), main, prog="python -m landscape.sharpness", description=__doc__ or "")
