"""How long measures will take, told before the first."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from minima.store.command import note

if TYPE_CHECKING:
    from landscape.objective.objective import Objective
    from landscape.sharpness.measure import Measure

PASSES = 25.0
"""forward and backward, that the search for the largest curvature takes on trained networks, about"""
WORTH_TELLING = 5.0
"""seconds"""


def expected_passes(measures: Sequence[Measure]) -> float:
    """About how many passes forward and backward over the examples some measures take, one after the other.

    What several of them want of the curvature is counted once for each set of coordinates.
    """
    searches = {measure.relative for measure in measures if measure.by_lanczos}
    return len(searches) * PASSES + sum(measure.passes for measure in measures)


def tell_time(objective: Objective, measures: Sequence[Measure]) -> None:
    """Say about how long the measures will take, where that is some seconds: by the time of one gradient."""
    if not measures:
        return
    objective.gradient()  # the first one checks derivatives as well
    start = time.perf_counter()
    objective.gradient()
    each = time.perf_counter() - start
    passes = expected_passes(measures)
    if passes * each > WORTH_TELLING:
        which = "1 measure takes" if len(measures) == 1 else f"{len(measures)} measures take"
        note(f"{which} about {passes:.0f} passes forward and backward of {each:.2g} s: about {_spoken(passes * each)}")


def _spoken(seconds: float) -> str:
    """
    >>> _spoken(42), _spoken(600), _spoken(9000)
    ('42 s', '10 min', '2.5 h')
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
