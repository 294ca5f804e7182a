"""Checkpointed parts of a network, which are computed once more in the backward pass, as plain calls.

A recomputed part would see the module's own parameters in place of those that a pass is given, and the reentrant kind
leaves no graph to differentiate twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch.utils import checkpoint


class _Called:
    """Stands for torch's autograd function of reentrant checkpoints."""

    @staticmethod
    def apply(function: Callable[..., Any], _: bool, *args: Any) -> Any:
        return function(*args)


def _around_the_call(*_: Any, **__: Any) -> Iterator[None]:
    """Stands for what torch puts around a call that is not reentrant."""
    yield


STANDING_IN = {"CheckpointFunction": _Called, "_checkpoint_without_reentrant_generator": _around_the_call}


@contextmanager
def nothing_recomputed() -> Iterator[None]:
    """`torch.utils.checkpoint.checkpoint` and its kin are plain calls inside the block, as whoever imported them."""
    before = {name: getattr(checkpoint, name) for name in STANDING_IN}
    for name, standing_in in STANDING_IN.items():
        setattr(checkpoint, name, standing_in)
    try:
        yield
    finally:
        for name, own in before.items():
            setattr(checkpoint, name, own)
