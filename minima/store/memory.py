"""Memory: what work will take is told before it, beyond `--memory` it is refused, and what it took is told after it."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from minima.store.messages import BadInput, note

GIB = 2**30
TOLD = 0.25
"""GiB from which on it is said: less than that torch itself takes when it is imported"""
OVERHEAD = 2**27
"""bytes beside what can be foreseen: libraries that are loaded on the way"""
SLACK = 1.15
"""what is foreseen takes so many times itself at most: blocks between those that are in use"""
RESET = b"5"
"""for /proc/self/clear_refs: the high-water mark falls to what is resident now"""


def foreseen_within(memory: float) -> float:
    """Bytes that may be foreseen for some work, so that `memory` bytes (`TOLD` GiB at least) hold all it takes."""
    return (max(memory, TOLD * GIB) - OVERHEAD) / SLACK


def require_room(needed: float, memory: float, what: str, otherwise: str, kept: float = 0.0) -> None:
    """Say how much memory `what`, of `needed` bytes, takes at most, or refuse it where that is more than `memory` GiB.

    `otherwise`: what to type that takes less; `kept`: bytes that are taken besides because there is room, to save work.
    Less than `TOLD` is neither said nor refused.

    Raises:
        BadInput: with the amount to type.
    """
    exactly, taken = ((SLACK * each + OVERHEAD) / GIB for each in (needed, needed + kept))
    wanted, said = (math.ceil(100 * each) / 100 for each in (exactly, taken))
    if exactly > max(memory, TOLD):
        raise BadInput(
            f"{what} takes up to {wanted:g} GiB beside the network and its data, and --memory is {memory:.4g}.\n"
            f"Type --memory {math.ceil(10 * wanted) / 10:g}, or {otherwise}"
        )
    if taken >= TOLD:
        graphs = f", {SLACK * kept / GIB:.2g} of them to save work later" if kept else ""
        note(f"{what} takes up to {said:g} GiB beside the network and its data{graphs} (--memory {memory:.4g})")


class Peak:
    """How far the memory of this process rose above what it was, once `watched_peak` is over."""

    gib: float | None = None
    """None where the system does not tell"""


@contextmanager
def watched_peak() -> Iterator[Peak]:
    """Watch how far memory rises in the block: the high-water mark of what is resident, less what was resident when it
    began.

    As Linux counts it, which is asked to forget the mark of what was before (it then falls to what is resident).
    Memory that was freed before and not given back to the system is resident, so that filling it anew does not show.
    What a GPU held at most is beside it: the larger rise of the two counts.
    """
    peak = Peak()
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_bytes(RESET)
    before, on_gpu = _resident("VmRSS:"), _allocated_on_gpu(forget=True)
    yield peak
    highest = _resident("VmHWM:")
    if before is not None and highest is not None:
        peak.gib = max(0, highest - before, _allocated_on_gpu() - on_gpu) / GIB


def _resident(field: str) -> int | None:
    """Bytes, as /proc/self/status tells them."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith(field)), None)


def _allocated_on_gpu(*, forget: bool = False) -> int:
    """Bytes that torch held at most on the current GPU; `forget`: holds now, from where the mark counts anew."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return 0
    if forget:
        torch.cuda.reset_peak_memory_stats()
    return int(torch.cuda.max_memory_allocated())
