"""How a network takes inputs: floats in the data type that it runs in, integers as they are or as floats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from minima.zoo.examples.inputs import Inputs, mapped

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True)
class Intake:
    """What is done to inputs before a network gets them.

    >>> import torch
    >>> Intake(torch.float64, as_floats=True)(torch.tensor([[1, 2]])).dtype
    torch.float64
    """

    dtype: torch.dtype | None = None
    """of floating inputs; None leaves them as they are"""
    as_floats: bool = False
    """whether whole numbers are handed on as floats of the same values"""

    def __call__(self, x: Inputs) -> Inputs:
        """The inputs as the network takes them."""
        return mapped(x, self._handed)

    def _handed(self, leaf: Tensor) -> Tensor:
        import torch

        if leaf.is_floating_point() or (self.as_floats and counts(leaf)):
            return leaf.to(self.dtype or (leaf.dtype if leaf.is_floating_point() else torch.float32))
        return leaf


def counts(leaf: Tensor) -> bool:
    """Whether a tensor holds whole numbers."""
    return not (leaf.is_floating_point() or leaf.is_complex()) and str(leaf.dtype) != "torch.bool"


AS_THEY_ARE = Intake()
