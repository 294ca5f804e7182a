"""What is said of a file that was written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def text(summary: Mapping[str, Any]) -> str:
    """What a person reads of an export.

    >>> print(text({"out": "x.pt", "format": "state-dict", "bytes": 2048, "max_difference": 0.0, "examples": 16}))
    x.pt: state-dict, 2,048 bytes; read back, its outputs for 16 examples differ by 0 at most
    """
    return (
        f"{summary['out']}: {summary['format']}, {summary['bytes']:,} bytes; read back, its outputs for "
        f"{summary['examples']} examples differ by {summary['max_difference']:.3g} at most"
    )
