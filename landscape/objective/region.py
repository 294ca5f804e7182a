"""Which weights may move, what the loss makes of the logits, and how much memory that may take: plain parameters.

The commands have them as flags, the functions that are called from Python as keywords.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from minima.store.command import BadInput


@dataclass(frozen=True, kw_only=True)
class Restriction:
    """Flags that say which weights may move."""

    subspace: Literal["survivors", "full"] = "survivors"
    """which weights may move: those that pruning left, or the removed ones too"""


@dataclass(frozen=True, kw_only=True)
class Bound:
    """Flags that say how much memory derivatives may take, and what is kept from one to the next."""

    memory: float = 4.0
    """GiB that derivatives may take beside the network and its data, and what is kept from one to the next: graphs of
    the gradient (three quarters of it at most) and vectors. What would take more is refused before the work; 0: nothing
    is kept. landscape.hessian finds eigenvalues in fewer vectors of 4 bytes a weight where those of 8 do not fit, and
    says so; the products that it keeps on disk, for a run that may be killed, take at most as much as the graphs"""

    @property
    def graph_bytes(self) -> int:
        """Bytes that graphs of the gradient may take: three quarters of --memory."""
        return int(0.75 * self.memory * 2**30)

    @property
    def vector_bytes(self) -> int:
        """Bytes that kept vectors may take: a quarter of --memory."""
        return int(0.25 * self.memory * 2**30)

    def check_memory(self) -> None:
        """Refuse a --memory that is no amount of GiB."""
        if not 0 <= self.memory < float("inf"):
            raise BadInput(f"--memory {self.memory}: expected a number of GiB, 0 or more")


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Flags that say what the loss makes of the logits."""

    temperature: float | Literal["calibrated"] = 1.0
    """logits are divided by it; calibrated: by what fits the examples best that training held out for validation"""
    logits: Literal["raw", "normalised"] = "raw"
    """normalised: each example's logits centred and divided by their norm (Andriushchenko et al. 2023)"""


@dataclass(frozen=True, kw_only=True)
class Subset:
    """Flags that say which single weights may move."""

    subset: int | None = None
    """only so many single weights may move, drawn at random from those of convolutions and linear layers that are left
    (default: all that may)"""
    subset_seed: int = 0
    """of that draw"""
    subset_file: Path | None = None
    """instead the weights that a file says, an .npz of bool arrays by parameter name"""


@dataclass(frozen=True, kw_only=True)
class Region(Restriction, Bound, Scale):
    """Where the loss is looked at, and what loss it is."""

    parameters: tuple[str, ...] | None = None
    """only these may move: names of layers, of modules that hold several, or of parameters (default: all)"""
