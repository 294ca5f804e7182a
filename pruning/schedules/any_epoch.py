"""A chance to make the one cut at the end of each epoch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pruning.schedules.every_epoch import EveryEpoch


@dataclass(frozen=True)
class AnyEpoch(EveryEpoch):
    """The trigger decides at which, and each sparsity is a run of its own."""

    gradual: ClassVar[bool] = False
