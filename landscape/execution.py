"""The way a measurement's passes are computed: chosen once, kept with the unfinished file, told to all ranks."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from landscape.choice import Choice
from store.command import note

if TYPE_CHECKING:
    from torch import Tensor

    from landscape.objective import Objective
    from landscape.planner import Compile
    from store.results import Place

PLAN = "plan"


def settle(
    objective: Objective,
    place: Place,
    name: str,
    displacement: Tensor | None,
    passes: int,
    compiling: Compile,
    chunk: int | None,
) -> dict[str, Any]:
    """Choose how passes are computed from now on, or go on as a run that was stopped; what the JSON object says of it.

    For so many passes over the examples, at points such as w + `displacement`; `chunk`: examples at once, if that is
    asked for. A run that goes on must have the bits of one that was not stopped, so that it does not choose again.
    """
    from landscape.planner import choose

    kept = place.kept().get(PLAN)
    if kept is None:
        found = choose(objective, displacement, passes, compiling, chunk) if objective.ranks.first else None
        kept = asdict(objective.ranks.tell(found))
        place.keep(PLAN, kept)
    choice = Choice(**kept)
    objective.forward.settle(choice)
    note(f"{name}: passes are {choice}")
    place.attributes(name_of_group := "surface", plan=str(choice))
    return {PLAN: str(choice)}
