"""Which way of computing a network's passes is the fastest here: timed once, on the first examples of the real work."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor

from landscape.objective.objective import Objective
from landscape.passes.compiler import NoCompiler
from landscape.passes.pass_plan import Form, PassPlan
from landscape.surface.trial import Trial
from minima.store.command import note

if TYPE_CHECKING:
    from landscape.surface.flags import Drawing
    from minima.store.hdf5.results import Place

Compile = Literal["auto", "on", "off"]

PLAN = "plan"
"""under which a place keeps it"""
SHARE = 0.02
"""of the work that trials may take"""
TINY = 5.0
"""seconds of work that are not worth a trial"""
PAYING = 450.0
"""seconds of work of which compilation, of half a minute, spares more than it takes: about a tenth"""
SMALLEST = 32
"""examples at once"""
FORMS: Sequence[tuple[Form, bool]] = (
    ("tiled", True),
    ("fused", True),
    ("fused", False),
    ("folded", True),
    ("traced", False),
    ("folded", False),
    ("module", False),
)
"""and whether channels are last: first those that promise most"""


def settle(
    objective: Objective, place: Place, drawing: Drawing, displacement: Tensor, passes: int, chunk: int | None = None
) -> str:
    """Choose how a surface's passes are computed from now on, or go on as a run that was stopped; says which.

    For so many passes over the examples, at points such as w + `displacement`, `chunk` at once where that is not free.
    A run that goes on must have the bits of one that was not stopped: it does not choose again. Nor does it where a
    flag says the plan.
    """
    kept = place.kept().get(PLAN) if drawing.plan is None else asdict(PassPlan.parse(drawing.plan))
    if kept is None:
        ranks = objective.ranks
        plan = choose(objective, displacement, passes, drawing.compile, chunk) if ranks.first else None
        kept = ranks.tell(None if plan is None else asdict(plan))
        place.keep(PLAN, kept)
    plan = PassPlan(**kept)
    objective.forward.settle(plan)
    place.attributes("surface", plan=str(plan))
    return str(plan)


def choose(
    objective: Objective,
    displacement: Tensor | None,
    passes: int,
    compiling: Compile = "auto",
    chunk: int | None = None,
) -> PassPlan:
    """The fastest way whose loss agrees with the module's own to 1e-5, for so many passes over the examples.

    `displacement`: a point of the work, where ways are compared; `chunk`: examples at once, where that is not free.
    Trials take about three hundredths of the work; where that is of seconds there are none.
    """
    trial = Trial(objective, displacement)
    size = min(chunk or _usual_chunk(objective), len(trial.x))
    start = PassPlan("folded module", size, torch.get_num_threads())
    examples = passes * len(trial.x)
    seconds = examples * trial.rate(start)
    if seconds < TINY and compiling != "on":
        return start
    trial.allow(SHARE * seconds)
    best = trial.fastest([start, *_forms(objective, start, compiling)])
    trial.allow(SHARE / 2 * seconds)
    if chunk is None:
        best = trial.fastest([best, *_chunks(best, len(trial.x))])
    if best.threads > 1:
        best = trial.fastest([best, replace(best, threads=1)])
    if compiling == "on" or (compiling == "auto" and examples * trial.rate(best) > PAYING):
        best = _compiled(trial, best)
    return best


def _usual_chunk(objective: Objective) -> int:
    """Examples at once where forms are compared: of a convolutional network on a CPU, half of a usual chunk.

    What its layers make then stays nearer in the caches: by a thread a pass of ResNet-20 took 0.95 to 0.99 times as
    long with 32 images at once as with 65, 0.87 to 0.93 times as long as with 130.
    """
    size = objective.batch_size
    smaller = objective.forward.convolves and objective.x.device.type == "cpu" and size >= 2 * SMALLEST
    return size // 2 if smaller else size


def _forms(objective: Objective, start: PassPlan, compiling: Compile) -> Iterator[PassPlan]:
    """Those that differ for this network; tiles are computed by what is compiled once for a machine, in a second."""
    for form, channels_last in FORMS:
        differs = form != "traced" if objective.forward.convolves else form in ("traced", "module")
        if differs and not (form == "tiled" and compiling == "off"):
            yield replace(start, form=form, channels_last=channels_last)


def _chunks(best: PassPlan, examples: int) -> Iterator[PassPlan]:
    for chunk in (best.chunk * 2, best.chunk // 2):
        if SMALLEST <= chunk <= examples:
            yield replace(best, chunk=chunk)


def _compiled(trial: Trial, best: PassPlan) -> PassPlan:
    """The compiled pass, if there can be one and it is faster."""
    trial.allow(float("inf"))
    try:
        return trial.fastest([best, replace(best, form="compiled", channels_last=trial.x.ndim == 4)])
    except NoCompiler as error:
        note(f"nothing is compiled: {error}")
        return best
