"""What a pruning method is made of: a protocol for each part, and the composition of them that the engine runs.

    for each event of the schedule, in training:   if the trigger fires:   score -> select -> regrow -> apply -> recover

A method chooses the parts. The engine knows the protocols only, so a new part is a new class, in any file.
Parts import torch inside their functions: `--help` and `list` answer without it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from pruning.recoveries.go_on import GoOn
from pruning.recoveries.recovery import Recovery
from pruning.scopes.whole_network import WholeNetwork
from pruning.selection.exact import Exact
from pruning.spaces.elements import Elements
from pruning.starts import FromParent
from pruning.triggers.always import Always
from pruning.triggers.trigger import Trigger
from pruning.updates.plain import Plain

if TYPE_CHECKING:
    from torch import Tensor, nn

    from pruning.context import Context
    from pruning.regrow.straight_through import StraightThrough
    from pruning.schedules.event import Event, Span
    from store.checkpoint import Checkpoint
    from zoo.loose import LooseMasks
    from zoo.recipe import Recipe
    from zoo.training import Step

    Tensors = dict[str, Tensor]


class Start(Protocol):
    """Where the run begins, and with which optimiser and learning-rate rule unless flags say otherwise."""

    def weights(self, parent: Checkpoint) -> Mapping[str, Tensor]:
        """The state dict the run starts from; BadInput where the parent does not hold it."""

    def recipe(self, parent: Recipe) -> Recipe:
        """The recipe of the run, given the one the parent was trained by."""


class Space(Protocol):
    """What can be removed: groups of weights, each kept or removed as one."""

    def weights(self, model: nn.Module) -> dict[str, nn.Parameter]:
        """The tensors sparsity is counted over."""

    def pool(self, scores: Tensors) -> Tensors:
        """Scores of groups from scores of weights."""

    def alive(self, masks: Tensors) -> Tensors:
        """Which groups have a weight left."""

    def spread(self, kept: Tensors) -> Tensors:
        """Masks of weights from the choice among groups."""


class Scorer(Protocol):
    """Importance of each weight, high = keep; leaves model, gradients, buffers and random state as they were."""

    def score(self, context: Context) -> Tensors: ...


class Scope(Protocol):
    """Within which groups of tensors scores compete."""

    def pools(self, context: Context, alive: Tensors, kept: int) -> Sequence[tuple[tuple[str, ...], int]]:
        """(names of tensors, how many they keep together): sums to `kept`, none keeps more than is alive."""


class Select(Protocol):
    """How many to keep at this cut, never fewer than the target leaves."""

    validates: ClassVar[bool]  # whether it needs a held-out validation part

    def kept(
        self, context: Context, scores: Tensors, alive: Tensors, cut: Callable[[int], Tensors], target: int
    ) -> int:
        """Number of groups to keep of those alive; `cut(n)` gives the masks that keeping n would lead to."""


class Schedule(Protocol):
    """When to cut, and to which sparsity."""

    @property
    def gradual(self) -> bool:
        """Whether lower sparsities lie on the way to higher ones."""

    def events(self, span: Span) -> Sequence[Event]:
        """Ascending in step and sparsity, and no asked sparsity is passed over."""


class Regrow(Protocol):
    """Which removed weights come back in exchange for others, or beside them."""

    def regrow(self, context: Context, masks: Tensors) -> Tensors: ...


class Update(Protocol):
    """What is done around each step of the optimiser."""

    def around(self, model: nn.Module) -> Callable[[Step], None]: ...


@dataclass(frozen=True)
class Composition:
    """A pruning method as the engine sees it. The result is materialised as masks over the dense tensors."""

    scorer: Scorer
    schedule: Schedule
    scope: Scope = field(default_factory=WholeNetwork)
    select: Select = field(default_factory=Exact)
    trigger: Trigger = field(default_factory=Always)
    recovery: Recovery = field(default_factory=GoOn)
    regrow: Regrow | None = None
    straight_through: StraightThrough | None = None
    update: Update = field(default_factory=Plain)
    start: Start = field(default_factory=FromParent)
    space: Space = field(default_factory=Elements)

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
        names = [part.name for part in fields(self)]
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
