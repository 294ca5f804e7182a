"""Which numbers there are of a trial, with their meaning."""

from __future__ import annotations

from dataclasses import replace

from minima.store.hdf5.record import Number

BITS = Number("bit_error", "1", "share of the watermark's bits that are read wrong", ("level",))
NUMBERS = (
    Number("loss", "nat", "mean loss of the examples", ("level",)),
    Number("loss_stderr", "nat", "standard error of its mean over draws", ("level",)),
    Number("score", "1", "score of the examples", ("level",)),
    Number("score_stderr", "1", "standard error of its mean over draws", ("level",)),
    BITS,
)
"""of each level"""


def under(meaning: str) -> list[Number]:
    """The numbers of each level, with what a trial does to the network said beside them."""
    return [replace(number, long_name=f"{number.long_name}: {meaning}") for number in NUMBERS]
