"""The plan of a surface's passes: chosen once, kept with the unfinished file, told to all ranks."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from landscape.passes.pass_plan import PassPlan

if TYPE_CHECKING:
    from torch import Tensor

    from landscape.objective.objective import Objective
    from landscape.surface.flags import Surface
    from minima.store.hdf5.results import Place

PLAN = "plan"


def settle(objective: Objective, place: Place, arguments: Surface, displacement: Tensor, passes: int) -> str:
    """Choose how a surface's passes are computed from now on, or go on as a run that was stopped; says which.

    For so many passes over the examples, at points such as w + `displacement`. A run that goes on must have the bits of
    one that was not stopped: it does not choose again. Nor does it where a flag says the plan.
    """
    from landscape.surface.planner import choose

    kept = place.kept().get(PLAN) if arguments.plan is None else asdict(PassPlan.parse(arguments.plan))
    if kept is None:
        ranks, chunk = objective.ranks, arguments.batch_size
        plan = choose(objective, displacement, passes, arguments.compile, chunk) if ranks.first else None
        kept = ranks.tell(None if plan is None else asdict(plan))
        place.keep(PLAN, kept)
    plan = PassPlan(**kept)
    objective.forward.settle(plan)
    place.attributes("surface", plan=str(plan))
    return str(plan)
