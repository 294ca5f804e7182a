"""Effects side by side: the views of several studies as a forest, and all of them sorted, as a specification curve.

`python -m figures.study.claims.forest CLAIMS.json ... -o OUT` reads what `figures.study.claims.table` writes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from figures.drawing.figure_command import command
from figures.drawing.style import WIDTH, looks, save, spoken_model, styled
from figures.study.claims.views import STATISTICS
from figures.study.verdicts.picture import LIMIT
from figures.study.verdicts.text import STAGES
from minima.store.command import BadInput
from minima.store.files import readable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHIFT = 0.16
"""of one study's marks in a row against the next one's"""


@dataclass(frozen=True)
class Effect:
    """A view's median and interval in its margins, of one study and one pair of arms."""

    study: str
    compared: bool
    """whether the arms are those that the study is about"""
    view: str
    low: float
    median: float
    high: float


def draw(inputs: Sequence[Path], out: Path) -> list[Path]:
    """Draw OUT, the forest, and OUT-specifications, the curve over all specifications.

    Raises:
        BadInput: no view has a median yet.
    """
    effects = effects_of(inputs)
    if not effects:
        raise BadInput("none of the files holds a median of any view")
    written = draw_effects(effects, out)
    with styled():
        import matplotlib.pyplot as plt

        curve, axes = plt.subplots(figsize=(WIDTH, 3.6))
        _curve(axes, effects)
        return [*written, *save(curve, out.with_name(f"{out.name}-specifications"))]


def draw_effects(effects: Sequence[Effect], out: Path) -> list[Path]:
    """Draw the forest alone."""
    with styled():
        import matplotlib.pyplot as plt

        rows = list(dict.fromkeys(effect.view for effect in effects))
        forest, axes = plt.subplots(figsize=(WIDTH, 1.5 + 0.3 * len(rows)))
        _forest(axes, effects, rows)
        return save(forest, out)


def effects_of(inputs: Sequence[Path], claims: Container[str] | None = None) -> list[Effect]:
    """What there is to draw: every view of every file that has a median, or those of some claims."""
    return [effect for path in inputs for effect in _effects(path, claims)]


def _effects(path: Path, claims: Container[str] | None) -> list[Effect]:
    """All views of a study that have a median, of claims and of secondary comparisons."""
    with readable(path):
        table = json.loads(path.read_text())
    study, pair = f"{spoken_model(table['model'])}, {path.parent.name}", [table["one_shot"], table["gradual"]]
    entries = [*table["claims"][table["gradual"]], *table["secondary"]]
    return [
        _effect(study, entry.get("arms", pair) == pair, view)
        for entry in entries
        if claims is None or entry["name"] in claims
        for view in entry["views"]
        if view["median"] is not None
    ]


def _effect(study: str, compared: bool, view: Mapping[str, Any]) -> Effect:
    scaled = [math.nan if view[end] is None else view[end] / view["margin"] for end in ("low", "median", "high")]
    meaning = STATISTICS[view["statistic"]].meaning
    return Effect(study, compared, f"{meaning}, {STAGES[view['stage']]}", *scaled)


def _forest(axes: Axes, effects: Sequence[Effect], rows: Sequence[str]) -> None:
    """A row for each view; effects of the compared arms only."""
    own = [effect for effect in effects if effect.compared]
    styles = looks(f"study {study}" for study in dict.fromkeys(effect.study for effect in own))
    studies = list(dict.fromkeys(effect.study for effect in own))
    shown = [row for row in rows if any(effect.view == row for effect in own)]
    for effect in own:
        place = studies.index(effect.study)
        y, style = shown.index(effect.view) + SHIFT * (place - (len(studies) - 1) / 2), styles[f"study {effect.study}"]
        ends = [_clipped(effect.low), _clipped(effect.high)]
        axes.plot(ends, [y, y], color=style.colour, linewidth=1.2)
        axes.plot(_clipped(effect.median), y, style.marker, color=style.colour, markersize=4)
    for study in studies:
        style = styles[f"study {study}"]
        axes.plot([], [], style.marker, color=style.colour, label=study)
    axes.set_yticks(range(len(shown)), shown)
    axes.set_ylim(len(shown) - 0.5, -0.5)
    _scale(axes)
    axes.figure.legend(loc="outside lower center", ncols=2)


def _curve(axes: Axes, effects: Sequence[Effect]) -> None:
    """Every effect that anybody could have picked, sorted by its median."""
    ordered = sorted(effects, key=lambda effect: effect.median)
    for place, effect in enumerate(ordered):
        colour = "#D55E00" if effect.low > 0 else "#0072B2" if effect.high < 0 else "#666666"
        axes.plot([_clipped(effect.low), _clipped(effect.high)], [place, place], color=colour, linewidth=0.9)
        axes.plot(_clipped(effect.median), place, ".", color=colour, markersize=4)
    axes.set_yticks([])
    axes.set_ylabel(f"{len(ordered)} specifications: view, arms, study")
    _scale(axes)


def _scale(axes: Axes) -> None:
    axes.axvspan(-1, 1, color="#0072B2", alpha=0.12, linewidth=0)
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_xscale("symlog", linthresh=2)
    axes.set_xlim(-LIMIT * 1.1, LIMIT * 1.1)
    axes.set_xticks([-10, -2, 0, 2, 10], ["−10", "−2", "0", "2", "10"])
    axes.minorticks_off()
    axes.set_xlabel("median and 95 % interval in margins\n(shaded: no difference that counts)")


def _clipped(value: float) -> float:
    return max(-LIMIT, min(LIMIT, value))


if __name__ == "__main__":
    command(draw, "study.claims.forest", (__doc__ or "").partition("\n")[0])
