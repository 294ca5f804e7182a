"""The measures of sharpness that were asked for, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from landscape.objective.flags import located
from landscape.objective.position import write_position
from landscape.objective.room import Vectors
from landscape.objective.subsets.asked import subset_of
from landscape.sharpness import rescale_test
from landscape.sharpness.duration import tell_time
from landscape.sharpness.leading import LEADING
from landscape.sharpness.measure import prepare
from landscape.sharpness.report import entry, write
from landscape.spectrum.lanczos import LEAST_ROOM
from minima.store.messages import progress_bar

if TYPE_CHECKING:
    from landscape.sharpness.flags import Sharpness
    from minima.store.hdf5.results import Place
    from minima.zoo.subject.subject import Subject


def compute(subject: Subject, place: Place, arguments: Sharpness) -> dict[str, Any]:
    """Take the measures of a subject, write them to its place, and return what the JSON object says of them."""
    chosen = arguments.chosen()
    searching = 1 + LEAST_ROOM + LEADING if any(measure.by_lanczos for measure in chosen) else 0
    vectors = max(searching, *(measure.vectors for measure in chosen))
    moving = subset_of(subject, arguments)
    objective, where, _ = located(subject, arguments, Vectors(vectors), moving)
    write_position(place, "sharpness", where)
    test = rescale_test.RescaleTest.of(subject, arguments, arguments.seed, moving) if arguments.rescale_test else None
    used = subject.used_share
    prepare(objective, chosen)
    tell_time(objective, [measure for measure in chosen if measure.name not in place.kept()])
    for measure in progress_bar(chosen, desc=subject.name, unit="measure"):
        if measure.name not in place.kept():
            found = measure.measure(objective, arguments.seed)
            taken = entry(measure, found, used)
            write(place, measure, found, taken)
            if test is not None:
                again = test.again(measure, arguments.seed)
                rescale_test.write(place, measure, again)
                taken |= rescale_test.entry(found.value, again)
            place.keep(measure.name, taken)
    rescaling = {} if test is None else {"rescaling": test.summary}
    return where | {"used_share": used} | rescaling | {"measures": place.kept()}
