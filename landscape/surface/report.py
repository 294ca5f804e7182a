"""What a person reads of a surface."""

from __future__ import annotations

from typing import Any

from landscape.objective.position import heading
from minima.store.table import in_unit


def table(summary: dict[str, Any]) -> str:
    """Where the network sits, the extremes of the surface, its directions, and the other networks on it."""
    shape = " x ".join(map(str, summary["shape"]))
    lines = f" on each of {summary['lines']} lines" if summary["lines"] else ""
    return "\n".join(
        [
            heading(summary),
            "",
            f"{shape} points{lines}, {summary['forward_passes']:,.4g} passes over the data",
            *_promise(summary),
            f"loss at the centre {_loss(summary['loss_at_centre'])}, lowest {_loss(summary['loss_min'])}, "
            f"highest {_loss(summary['loss_max'])}",
            *_not_finite(summary),
            f"length of the directions: {_directions(summary)}",
            *_networks(summary),
        ]
    )


def _promise(summary: dict[str, Any]) -> list[str]:
    """How exact it is, unless it is exact."""
    if "error" not in summary:
        return []
    error = summary["error"]
    if error.get("exact_points") == summary["points"]:
        return ["exact: nothing could be saved, and each point was evaluated with all examples"]
    kept = "as asked" if error["kept"] else "NOT as asked"
    one = in_unit("1", summary["loss_unit"])
    return [
        f"{kept}: {error['cells_beyond']:.2%} of the losses are estimated to be off by more than "
        f"{error['asked']:g} x max(loss, {one});",
        f"of {error['held_out']} points that were held out and then evaluated {error['held_out_beyond']} were "
        f"(the largest error: {error['held_out_largest']:.3g})",
    ]


def _loss(value: float | None) -> str:
    return "not finite" if value is None else f"{value:.6g}"


def _not_finite(summary: dict[str, Any]) -> list[str]:
    count = summary["not_finite"]
    return [f"At {count:,} of {summary['points']:,} points the loss overflows; they do not count."] if count else []


def _directions(summary: dict[str, Any]) -> str:
    pairs = list(zip(summary["direction_norms"], summary["relative_direction_norms"], strict=True))
    shown = [
        f"{norm:.4g}" + ("" if relative is None else f" ({relative:.3g} of the weights' norm)")
        for norm, relative in pairs[:2]
    ]
    return ", ".join(shown) + (f" and {len(pairs) - 2} more" if len(pairs) > 2 else "")


def _networks(summary: dict[str, Any]) -> list[str]:
    """Eigenvalues, checkpoints and a training's course, where there are any."""
    found = []
    if "eigenvalues" in summary:
        values = ", ".join(f"{value:.4g}" for value in summary["eigenvalues"])
        found.append(f"curvature along them: {in_unit(values, summary['loss_unit'])}")
    for name, loss in zip(summary.get("networks", []), summary.get("point_loss", []), strict=True):
        found.append(f"{name}: loss {loss:.6g}")
    if "explained_variance" in summary:
        shares = " + ".join(f"{share:.1%}" for share in summary["explained_variance"])
        found.append(f"the axes hold {shares} of the squared distances of the moments from the network")
    if "trajectory" in summary:
        course = summary["trajectory"]
        found.append(
            f"{course['moments']} moments of the training; beside the plane lies up to "
            f"{course['largest_residual']:.1%} of a moment's distance from the network"
        )
    if "line_ends" in summary:
        means, spreads = summary["line_ends"]["mean"], summary["line_ends"]["spread"]
        ends = " and ".join(f"{mean:.4g} +- {spread:.2g}" for mean, spread in zip(means, spreads, strict=True))
        words = in_unit(ends, summary["loss_unit"])
        found.append(f"loss at the ends, mean and standard deviation over lines: {words}")
    return found
