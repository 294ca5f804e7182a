"""Flags of `python -m landscape.sharpness`, and what can be refused before any work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, make_dataclass
from typing import Annotated

import tyro

from landscape.objective.flags import Landscape
from landscape.objective.region import Subset
from landscape.sharpness.measure import Measure, measures
from minima.store.command import BadInput
from minima.zoo.settings import chosen

STANDARD = ("lambda_max", "trace", "adaptive_lambda_max", "adaptive_trace", "keskar", "sam", "adaptive_sam", "average")
"""which measures come first, so that an adaptive one follows what it is adapted from"""
MEASURES_FLAG = tyro.conf.arg(
    help=f"names separated by commas: {', '.join(measures())} (default: all but "
    f"{', '.join(name for name, kind in measures().items() if not kind.default)})"
)


@dataclass(frozen=True, kw_only=True)
class Sharpness(Subset, Landscape):
    """Flags of `python -m landscape.sharpness`, but for the measures' own."""

    measures: Annotated[str | None, MEASURES_FLAG] = None
    rescale_test: bool = False
    """measure again with layers and units rescaled at random, the function being the same: which measures move"""

    def chosen(self) -> list[Measure]:
        """The measures to take, each with its parameters."""
        names = None
        if self.measures is not None:
            names = [name.strip() for name in self.measures.split(",") if name.strip()]
        return chosen_measures(names, {name: getattr(self, name, None) for name in measures()})


def chosen_measures(names: Sequence[str] | None, settings: Mapping[str, Measure | None] | None = None) -> list[Measure]:
    """Measures by name, each once; the standard list where none is named.

    Args:
        settings: measures with parameters of their own, by name.

    Raises:
        BadInput: a name that is none, or parameters that mean nothing.

    >>> [measure.name for measure in chosen_measures(["trace", "sam"])]
    ['trace', 'sam']
    """
    known, own = measures(), settings or {}
    if names is None:
        names = sorted((name for name, kind in known.items() if kind.default), key=_order)
    if not names or any(name not in known and not own.get(name) for name in names):
        raise BadInput(f"--measures {','.join(map(str, names))}: known are {', '.join(known)}")
    found = [chosen(own.get(name) or known[name]()) for name in dict.fromkeys(names)]
    for measure in found:
        measure.check()
    return found


def _order(name: str) -> tuple[int, str]:
    return STANDARD.index(name) if name in STANDARD else len(STANDARD), name


def flags() -> type[Sharpness]:
    """`Sharpness` with a group of flags for every measure, such as --trace.probes."""
    groups = [
        (name, kind, field(default=kind()) if kind.__dataclass_fields__ else MISSING)
        for name, kind in measures().items()
    ]
    return make_dataclass("Sharpness", groups, bases=(Sharpness,), frozen=True, kw_only=True)
