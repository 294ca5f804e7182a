"""What watches over the cuts of a method, whichever parts it is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Doubt = Literal["refuse", "accept", "ignore"]


@dataclass(frozen=True)
class Guards:
    """What a cut must not do: empty a path, or choose by noise."""

    keep_path: bool = False
    """every cut leaves a path from the input to the output"""
    doubt: Doubt = "refuse"
    """a cut by scores that are mostly noise is refused; or made and told; or nothing is looked at, which saves a second
    estimate of the scores"""
