"""One look for all figures: colours, markers and line styles that tell methods apart in grey, too."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minima.store.files import write_atomically
from minima.store.messages import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

WIDTH = 7.2
"""inches: a text column of an A4 page"""

RC: dict[Any, Any] = {
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "lines.linewidth": 1.4,
    "lines.markersize": 4.5,
    "figure.constrained_layout.use": True,
    "figure.dpi": 100,
    "savefig.dpi": 200,
    "svg.hashsalt": "minima",
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",
}


@dataclass(frozen=True)
class Look:
    """How one method is drawn everywhere."""

    label: str
    colour: str
    marker: str
    line: str | tuple[int, tuple[float, ...]]


# Colours: Okabe and Ito's palette, without its yellow (too pale on paper).
LOOKS = {
    "dense": Look("dense", "#000000", "D", "-"),
    "dense-longer": Look("dense, trained as long", "#666666", "d", (0, (1, 1))),
    "magnitude": Look("one-shot magnitude", "#D55E00", "o", "-"),
    "lobster-from-parent": Look("LOBSTER (from the parent)", "#0072B2", "s", (0, (5, 1.5))),
    "lobster": Look("LOBSTER (own training)", "#56B4E9", "^", (0, (2, 1))),
    "iterative-magnitude": Look("iterative magnitude", "#009E73", "v", "-."),
    "gmp": Look("gradual magnitude (GMP)", "#CC79A7", "P", (0, (4, 1, 1, 1, 1, 1))),
    "random": Look("random mask", "#E69F00", "X", ":"),
}
LAST = "dense-longer"
"""whose grey beside black is given to no other"""
MORE_MARKERS = "<>*hp8"

MODELS = {
    "lenet300": "LeNet-300-100",
    "lenet5": "LeNet-5",
    "resnet20": "ResNet-20",
    "resnet32": "ResNet-32",
    "resnet56": "ResNet-56",
    "vgg16": "VGG-16",
    "mobilenet": "MobileNet",
    "vit": "ViT",
    "mlp": "MLP",
}


def spoken_model(name: str) -> str:
    """A network's name as people write it; of code its file and name, without its folder."""
    return MODELS.get(name, name.rpartition("/")[2])


def look(arm: str) -> Look:
    """How an arm is drawn; an arm that is not in the list is grey under its own name."""
    return LOOKS.get(arm, Look(arm, "#999999", "*", "--"))


def looks(arms: Iterable[str]) -> dict[str, Look]:
    """How arms are drawn beside one another: one that is not in the list takes the look of one that is not there, while
    there are any, then one of their colours with another marker.

    >>> found = looks(["mine", "magnitude"])
    >>> found["mine"].label, found["mine"].colour, found["magnitude"].label
    ('mine', '#000000', 'one-shot magnitude')
    """
    there = list(dict.fromkeys(arms))
    free = chain([style for name, style in LOOKS.items() if name not in (*there, LAST)], _further())
    return {arm: LOOKS[arm] if arm in LOOKS else replace(next(free, look(arm)), label=arm) for arm in there}


def _further() -> Iterator[Look]:
    """The methods' colours and lines again, with other markers."""
    coloured = [style for name, style in LOOKS.items() if not name.startswith("dense")]
    return (replace(style, marker=marker) for marker in MORE_MARKERS for style in coloured)


@contextmanager
def styled() -> Iterator[None]:
    """matplotlib without a screen and with the common settings, for the time of the block."""
    import matplotlib

    matplotlib.use("Agg")
    with matplotlib.rc_context(RC):
        yield


def save(figure: Figure, out: Path) -> list[Path]:
    """Write `out`.svg and `out`.png, atomically; the same data give the same bytes."""
    import matplotlib.pyplot as plt

    _as_written(figure)
    written = []
    for ending, metadata in ((".svg", {"Date": None}), (".png", {"Software": None})):
        buffer = io.BytesIO()
        figure.savefig(buffer, format=ending[1:], metadata=metadata)
        target = out.with_name(out.name + ending)
        write_atomically(target, buffer.getvalue())
        written.append(target)
    plt.close(figure)
    return written


def _as_written(figure: Figure) -> None:
    """A $ in a name is a $: mathematics is only what matplotlib itself writes as numbers of an axis."""
    from matplotlib.text import Text
    from matplotlib.ticker import FixedFormatter

    numbers = {
        id(label)
        for axes in figure.axes
        for axis in (axes.xaxis, axes.yaxis)
        if not isinstance(axis.get_major_formatter(), FixedFormatter)
        for label in axis.get_ticklabels(which="both")
    }
    for text in figure.findobj(Text):
        if id(text) not in numbers and isinstance(text, Text):
            text.set_parse_math(False)
            text.set_text(printable(text.get_text()))


def plain_ticks(axis: Axis) -> None:
    """Label a log axis 0.5, 1, 2, 5, 10, ... instead of powers of ten.

    0.1, 1, 10, ... where that is too many, with 0.3, 3, 30 between where these are not three; 10, 15, 20, 30, 50, 70
    where it is not three, and a few round numbers where these are not three either.
    """
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    low, high = axis.get_view_interval()
    kinds = [LogLocator(subs=subs) for subs in ((1, 2, 5), (1,), (1, 3), (1, 1.5, 2, 3, 5, 7))]
    found = [sum(low <= value <= high for value in each.tick_values(low, high)) for each in kinds]
    fitting = [each for each, ticks in zip(kinds, found, strict=True) if 2 < ticks < 8 and high > 3 * low]
    axis.set_major_locator(fitting[0] if fitting else MaxNLocator(4))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def from_zero(row: Sequence[Axes]) -> None:
    """One scale for these axes, which share it, from zero to a little above everything in them."""
    tops = [axes.dataLim.y1 for axes in row if math.isfinite(axes.dataLim.y1)]
    row[0].set_ylim(0, 1.08 * max(tops, default=0) or 1)


def compression_axis(axes: Axes, sparsities: list[float]) -> None:
    """A log axis of parameters / survivors, ticked where measured, labelled where there is room."""
    ticks = sorted({1 / (1 - s) for s in sparsities})
    if len(ticks) == 1:  # one place has no width
        axes.set_xlim(ticks[0] / 2, 2 * ticks[0])
    axes.set_xscale("log")
    axes.set_xticks(ticks, _labels(ticks))
    axes.minorticks_off()
    axes.set_xlabel("compression (prunable weights / survivors)")


def _labels(ticks: Sequence[float]) -> list[str]:
    """About five of them at most.

    >>> _labels([2, 10 / 3, 5, 10, 20, 100])
    ['2×', '', '5×', '', '20×', '100×']
    """
    labels, room, last = [], (ticks[-1] / ticks[0]) ** 0.2 if ticks else 1.0, 0.0
    for tick in ticks:
        shown = tick >= 0.99 * room * last
        labels.append(f"{tick:.3g}×" if shown else "")
        last = tick if shown else last
    return labels
