"""Flags of `python -m landscape.sharpness`, and what can be refused before any work."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, field, make_dataclass

from landscape.objective.flags import Landscape
from landscape.sharpness.measure import Measure, measures
from minima.store.command import BadInput

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
