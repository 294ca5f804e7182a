"""What a trial is: a frozen dataclass of parameters that perturbs a network or its inputs at several levels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, ClassVar

from minima.store.command import BadInput
from minima.store.registry import members

if TYPE_CHECKING:
    from pruning.robustness.bench import Bench
    from pruning.robustness.level import Level


@dataclass(frozen=True)
class Trial:
    """Base of the members of pruning/robustness/trials. Its fields are its flags and are stored beside its numbers."""

    name: ClassVar[str]
    meaning: ClassVar[str]
    """what is done, in a line of the table"""
    strength: ClassVar[str]
    """what a level is: the label of the figure's axis"""
    clean: ClassVar[float] = 0.0
    """the level at which nothing is changed, which is always measured"""

    default: ClassVar[bool] = True
    """whether it is made when --trials names none"""

    levels: tuple[float, ...] = ()
    """strengths"""

    def measure(self, bench: Bench, levels: Sequence[float], seed: int) -> list[Level]:
        """The network at each of these levels, which grow stronger, its draws from `seed`.

        Raises:
            Refused: the trial does not apply to this network or its inputs.
        """
        raise NotImplementedError

    def all_levels(self) -> list[float]:
        """The levels in order of strength, the clean one first.

        Raises:
            BadInput: there is none, or one that means nothing.
        """
        rest = sorted({*self.levels} - {self.clean}, reverse=self.clean > 0)
        if not rest or not all(self.allows(level) for level in rest):
            typed = " ".join(f"{level:g}" for level in self.levels)
            such = " ".join(f"{level:g}" for level in type(self)().levels)
            raise BadInput(f"--{self.flag}.levels {typed}: expected numbers ({self.strength}), such as {such}")
        return [self.clean, *rest]

    def allows(self, level: float) -> bool:
        """Whether a level means something."""
        return 0 < level < math.inf

    def check(self) -> None:
        """Refuse parameters that mean nothing, before any work."""
        self.all_levels()
        for parameter in fields(self):
            value = getattr(self, parameter.name)
            if type(value) in (int, float) and not 0 < value < math.inf:
                flag = f"--{self.flag}.{parameter.name.replace('_', '-')}"
                raise BadInput(f"{flag} {value}: expected a positive number")

    @property
    def flag(self) -> str:
        """The name as it is typed before a parameter: --weight-noise.draws."""
        return self.name.replace("_", "-")


def trials() -> dict[str, type[Trial]]:
    """Every trial by the name that --trials knows it by."""
    return members("pruning.robustness.trials", Trial)
