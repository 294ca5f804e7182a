"""A pruning method as a composition of parts, which the engine runs.

    for each event of the schedule, in training:   if the trigger fires:   score -> select -> regrow -> apply -> recover

A method chooses the parts. The engine knows their protocols only (`spaces/space.py`, `scorers/scorer.py`, ...), so a
new part is a new class, in any file.
Parts import torch inside their functions: `--help` and `list` answer without it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any

from pruning.composition.guards import Guards
from pruning.context.candidates import Heads
from pruning.context.starts import FromParent, Start
from pruning.recoveries.go_on import GoOn
from pruning.recoveries.recovery import Recovery
from pruning.regrow.regrow import Regrow
from pruning.schedules.schedule import Schedule
from pruning.scopes.scope import Scope
from pruning.scopes.whole_network import WholeNetwork
from pruning.scorers.scorer import Scorer, UnitScorer
from pruning.selection.exact import Exact
from pruning.selection.select import Select
from pruning.spaces.elements import Elements
from pruning.spaces.space import Space
from pruning.triggers.always import Always
from pruning.triggers.trigger import Trigger
from pruning.updates.distillation import Distillation
from pruning.updates.plain import Plain
from pruning.updates.update import Update

if TYPE_CHECKING:
    from torch import Tensor, nn

    from minima.zoo.training.loose import LooseMasks
    from pruning.regrow.straight_through import StraightThrough

    Tensors = dict[str, Tensor]


@dataclass(frozen=True)
class Composition:
    """A pruning method as the engine sees it. The result is materialised as masks over the dense tensors."""

    scorer: Scorer | UnitScorer
    schedule: Schedule
    scope: Scope = field(default_factory=WholeNetwork)
    select: Select = field(default_factory=Exact)
    trigger: Trigger = field(default_factory=Always)
    recovery: Recovery = field(default_factory=GoOn)
    regrow: Regrow | None = None
    straight_through: StraightThrough | None = None
    update: Update = field(default_factory=Plain)
    teacher: Distillation | None = None
    start: Start = field(default_factory=FromParent)
    space: Space = field(default_factory=Elements)
    guards: Guards = field(default_factory=Guards)

    def counting(self, measure: str, heads: Heads = "groups") -> Composition:
        """The parts with targets that are shares of something else than the prunable weights, and with these units of
        grouped queries."""
        return replace(self, space=self.space.counting(measure, heads))

    def loose(self, model: nn.Module) -> LooseMasks | None:
        """Masks that follow the weights of `model`; None where they change at cuts alone."""
        return self.straight_through.loose(self.space.weights(model)) if self.straight_through else None

    @property
    def validates(self) -> bool:
        """Whether a part needs a held-out validation part of the training data."""
        return self.select.validates or self.trigger.validates

    def describe(self) -> dict[str, str]:
        """Part -> its name in words, of the parts that are not the default (single weights, whole network, exact count,
        every scheduled cut, training simply goes on, from the parent's weights).

        >>> from pruning.methods.gmp import GMP
        >>> GMP(start="initialisation").composition().describe()
        {'scorer': 'magnitude', 'schedule': 'cubic', 'start': 'from epoch'}
        """
        default = Composition(self.scorer, self.schedule)
        names = [part.name for part in fields(self) if part.name != "guards"]
        own = [
            name for name in names if name in ("scorer", "schedule") or getattr(self, name) != getattr(default, name)
        ]
        return {name: _words(getattr(self, name)) for name in own}


def _words(part: Any) -> str:
    """The name of a part, and in brackets those of the parts it is made of."""
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(part).__name__).lower()
    held = [getattr(part, item.name) for item in fields(part)] if is_dataclass(part) else []
    inner = [_words(value) for value in held if is_dataclass(value)]
    return f"{name} ({', '.join(inner)})" if inner else name
