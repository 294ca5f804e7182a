"""What a section shows, as the page's script draws it: three kinds of charts, and tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

DIGITS = 6
"""of a number in a chart"""


@dataclass(frozen=True)
class Series:
    """One line or row of marks, of one network or of none."""

    label: str
    x: Sequence[Any]
    y: Sequence[float | None]
    network: int | None = None
    error: Sequence[float | None] | None = None
    text: Sequence[str] | None = None
    """said on hover beside the numbers"""
    mode: str = "lines+markers"
    look: dict[str, Any] = field(default_factory=dict)
    """colour, symbol, dash or width where they are not the network's own"""
    below: Sequence[float | None] | None = None
    """the error downwards, where it is another one"""


@dataclass(frozen=True)
class Lines:
    """Numbers against numbers or names, with errors."""

    title: str
    x: str
    y: str
    series: Sequence[Series]
    categories: Sequence[str] = ()
    """what stands on the x axis, where that is names"""
    layers: bool = False
    """whether these are layers: one that is chosen here is chosen everywhere"""
    small: bool = False
    """whether several of them stand in a row"""
    log: bool = False
    """whether the y axis is logarithmic at first"""
    from_zero: bool = True

    def plain(self) -> dict[str, Any]:
        """The chart as the page's script takes it."""
        series = [
            {
                "label": each.label,
                "network": each.network,
                "x": [_number(value) for value in each.x],
                "y": [_number(value) for value in each.y],
                "error": None if each.error is None else [_number(value) for value in each.error],
                "below": None if each.below is None else [_number(value) for value in each.below],
                "text": None if each.text is None else list(each.text),
                "mode": each.mode,
                "look": each.look,
            }
            for each in self.series
        ]
        return {
            "kind": "lines",
            "title": self.title,
            "x": self.x,
            "y": self.y,
            "categories": list(self.categories),
            "layers": self.layers,
            "small": self.small,
            "log": self.log,
            "fromZero": self.from_zero,
            "series": series,
        }


@dataclass(frozen=True)
class Surfaces:
    """Loss over a plane, of networks on one scale."""

    title: str
    surfaces: Sequence[dict[str, Any]]
    """each with network, axes, quantised loss and accuracy, lengths of the directions, points, trajectory"""
    unit: str
    """of the loss"""

    def plain(self) -> dict[str, Any]:
        """The surfaces as the page's script takes them."""
        return {"kind": "surfaces", "title": self.title, "surfaces": list(self.surfaces), "unit": self.unit}


@dataclass(frozen=True)
class Maps:
    """Small images of one scale, one for each network and layer, or for each network."""

    title: str
    x: str
    y: str
    bar: str
    maps: Sequence[dict[str, Any]]
    """each with network, layer or "", values (quantised), labels of both axes, and words"""

    def plain(self) -> dict[str, Any]:
        """The maps as the page's script takes them."""
        names = ("title", "x", "y", "bar")
        return {"kind": "maps", "maps": list(self.maps)} | {name: getattr(self, name) for name in names}


Chart = Lines | Surfaces | Maps


@dataclass(frozen=True)
class Row:
    """A line of a table, and which network and layer it is of."""

    cells: Sequence[Any]
    network: int | None = None
    layer: str = ""


@dataclass(frozen=True)
class Table:
    """The numbers of a section, for whoever reads them, with the eyes or not."""

    caption: str
    heads: Sequence[str]
    rows: Sequence[Row]


@dataclass(frozen=True)
class View:
    """What a section shows of some results."""

    says: str
    """one sentence of what these numbers say"""
    charts: Sequence[Chart]
    tables: Sequence[Table]


def percent(share: float | None) -> float | None:
    """A share in per cent, a difference of shares in points; None where there is none, as of losses without classes.

    >>> percent(0.25), percent(None), percent(float("nan"))
    (25.0, None, None)
    """
    return None if share is None or np.isnan(share) else 100 * share


def _number(value: Any) -> Any:
    """A few digits of a number; None for what is not finite; names as they are."""
    if value is None or isinstance(value, str):
        return value
    number = float(value)
    return float(f"{number:.{DIGITS}g}") if np.isfinite(number) else None
