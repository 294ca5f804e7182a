"""Loss surfaces to turn: networks on one scale, what lies on their planes, and a training's course."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from figures.drawing.captions import with_unit
from figures.page.content.charts import Chart, Lines, Row, Series, Surfaces, Table, View
from figures.page.content.networks import Networks
from figures.page.content.quantised import quantised
from figures.page.content.results import Result
from figures.page.content.section import Section, listed
from figures.reading.measurements import stem

PLANES = {
    "random": "Along random directions",
    "eigen": "Along the two sharpest directions",
    "checkpoints": "Through other networks",
    "trajectory": "Along a training's course",
}
COARSE = 11
"""points of each axis that a table shows"""


@dataclass(frozen=True)
class Surface(Section):
    """The section on the loss around a network: results of `landscape.surface`."""

    name: ClassVar[str] = "surface"
    place: ClassVar[int] = 30
    title: ClassVar[str] = "Loss surface"
    measure: ClassVar[str] = "surface"
    command: ClassVar[str] = "python -m landscape.surface {checkpoint}"
    arrays: ClassVar[tuple[str, ...]] = (
        *("alpha", "beta", "loss", "accuracy", "direction_norm", "relative_direction_norm", "direction_cosine"),
        *("point", "point_alpha", "point_beta", "point_loss"),
        *("moment", "trajectory_*"),
    )
    question: ClassVar[str] = "What does the loss look like around the network, on one plane through its weights?"
    caveat: ClassVar[str] = (
        "Two directions of many thousands: what is flat here may be steep elsewhere. Unless the directions are "
        "normalised to the filters, and even then where units are rescaled, a wide valley may just be a network with "
        "large weights: compare the lengths of the directions, too."
    )
    cite: ClassVar[tuple[str, ...]] = ("Li et al. 2018, Visualizing the Loss Landscape of Neural Nets",)

    def view(self, results: Sequence[Result], networks: Networks) -> View:
        """A chart for each kind of plane, networks side by side; lines of one direction together."""
        planes: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for each in results:
            if "beta" in each.arrays:
                kind, points = str(each.summary["directions"]), " x ".join(map(str, each.summary["shape"]))
                planes.setdefault((kind, points), []).append(_plane(each, networks))
        charts: list[Chart] = [
            Surfaces(f"{PLANES.get(kind, kind)}, {points} points", surfaces, results[0].summary.get("loss_unit", "nat"))
            for (kind, points), surfaces in sorted(planes.items(), key=_rank)
        ]
        lines = [series for each in results if "beta" not in each.arrays for series in _lines(each, networks)]
        if lines:
            charts.append(Lines("Along single directions", "α, in lengths of the direction", "loss", lines))
        tables = [_summary(results, networks), *(_grid(each, networks) for each in results if "beta" in each.arrays)]
        return View(_says(results, networks), charts, tables)


def _rank(plane: tuple[tuple[str, str], Any]) -> int:
    """Kinds of planes in the order of the list, others last."""
    known = list(PLANES)
    return known.index(plane[0][0]) if plane[0][0] in known else len(known)


def _plane(result: Result, networks: Networks) -> dict[str, Any]:
    arrays, trajectory = result.arrays, None
    if "trajectory_beta" in arrays:
        names = ("alpha", "beta", "residual", "distance", "loss", "surface_loss")
        trajectory = {name: _floats(arrays[f"trajectory_{name}"]) for name in names if f"trajectory_{name}" in arrays}
        trajectory["moment"] = [int(moment) for moment in arrays["moment"]]
    points = [
        {"label": stem(_text(name)), "alpha": float(alpha), "beta": float(beta), "loss": _float(loss)}
        for name, alpha, beta, loss in zip(
            *(arrays.get(key, ()) for key in ("point", "point_alpha", "point_beta", "point_loss")), strict=True
        )
    ]
    return {
        "network": networks.place(result),
        "alpha": _floats(arrays["alpha"]),
        "beta": _floats(arrays["beta"]),
        "loss": quantised(arrays["loss"], logarithmic=True),
        "accuracy": quantised(arrays["accuracy"]) if "accuracy" in arrays else None,
        "norms": _floats(arrays["direction_norm"]),
        "shares": _floats(arrays["relative_direction_norm"]),
        "cosine": _float(arrays.get("direction_cosine")),
        "points": points,
        "trajectory": trajectory,
    }


def _lines(result: Result, networks: Networks) -> list[Series]:
    """The loss along each direction of a line's result; the first named, further ones thin."""
    losses = np.atleast_2d(result.arrays["loss"])
    alpha, place = result.arrays["alpha"].tolist(), networks.place(result)
    found = [Series(networks.label(result), alpha, losses[0].tolist(), place)]
    thin = {"width": 0.6, "hidden": True}
    found += [
        Series(f"{networks.label(result)}, direction {row}", alpha, line.tolist(), place, mode="lines", look=thin)
        for row, line in enumerate(losses[1:], 2)
    ]
    return found


def _says(results: Sequence[Result], networks: Networks) -> str:
    said = []
    for each in results:
        summary, loss = each.summary, each.arrays["loss"]
        finite = loss[np.isfinite(loss)]
        kind = str(summary["directions"])
        line = "along single directions" if "beta" not in each.arrays else ""
        where = line or ("" if kind == "random" else PLANES.get(kind, kind).lower())
        on = f" ({where})" if where else ""
        words = f"{networks.label(each)}{on}: {_short(summary.get('loss_at_centre'))} at the network"
        if finite.size:
            words += f", {_short(finite.min())} to {_short(finite.max())} in the picture"
        if loss.size > finite.size:
            words += f" ({loss.size - finite.size} of {loss.size} points are not finite)"
        said.append(words)
    return f"{with_unit('Loss', results[0].summary.get('loss_unit', 'nat'))}: {listed(said)}."


def _summary(results: Sequence[Result], networks: Networks) -> Table:
    rows = []
    for each in results:
        summary, loss = each.summary, each.arrays["loss"]
        lengths = ", ".join(f"{norm:.4g}" for norm in each.arrays["direction_norm"])
        cells = [networks.label(each), summary["directions"], " x ".join(map(str, summary["shape"]))]
        cells += [
            _short(summary.get("loss_at_centre")),
            _short(summary.get("loss_min")),
            _short(summary.get("loss_max")),
        ]
        rows.append(Row([*cells, int((~np.isfinite(loss)).sum()), lengths], networks.place(each)))
    heads = ("network", "directions", "points", "at the network", "lowest", "highest", "not finite", "lengths")
    return Table("Each surface in a line", heads, rows)


def _grid(result: Result, networks: Networks) -> Table:
    """The loss at some points of the plane, the network's own row and column among them."""
    alpha, beta, loss = (result.arrays[name] for name in ("alpha", "beta", "loss"))
    across, down = _chosen(alpha), _chosen(beta)
    heads = ("β \\ α", *(f"{alpha[column]:.3g}" for column in across))
    place = networks.place(result)
    rows = [Row([f"{beta[row]:.3g}", *(_short(loss[column, row]) for column in across)], place) for row in down[::-1]]
    return Table(f"Loss of {networks.label(result)} ({result.summary['directions']} directions)", heads, rows)


def _chosen(axis: Any) -> list[int]:
    """Places on an axis: its ends, the one next to zero, and others evenly between."""
    middle = int(np.argmin(np.abs(axis)))
    steps = np.linspace(0, len(axis) - 1, min(COARSE, len(axis))).round().astype(int)
    return sorted({*steps.tolist(), middle})


def _short(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}"


def _text(name: Any) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)


def _float(value: Any) -> float | None:
    if value is None or not np.isfinite(value):
        return None
    return float(f"{float(value):.6g}")


def _floats(values: Any) -> list[float | None]:
    return [_float(value) for value in values]
