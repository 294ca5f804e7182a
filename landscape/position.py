"""Where in its landscape a network sits: on a slope, or near a minimum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from landscape.objective import Objective
    from store.results import Place

STRIDE = 0.01
"""the longest step that is tried against the gradient, in norms of the weights"""
STEEP = 0.1
"""the fraction of the loss whose fall in that step is worth a warning"""


def position(objective: Objective, subspace: str) -> dict[str, Any]:
    """What is reported beside every measure of a landscape, by the keys of the JSON object.

    `gradient_drop`: nats that the loss falls by in the best step against the gradient, to second order.
    """
    loss, gradient = objective.loss_and_gradient()
    norm, weight_norm = gradient.norm().item(), objective.point.norm().item()
    curvature = (gradient @ objective.hvp(gradient)).item() / norm**2 if norm else 0.0
    return {
        "subspace": subspace,
        "dimension": objective.dimension,
        "loss": loss,
        "gradient_norm": norm,
        "gradient_drop": best_drop(norm, curvature, STRIDE * weight_norm),
        "weight_norm": weight_norm,
    }


def best_drop(slope: float, curvature: float, longest: float) -> float:
    """max over 0 <= s <= longest of slope s - curvature s^2 / 2.

    >>> best_drop(1.0, 2.0, 9.0), best_drop(1.0, -2.0, 1.0)
    (0.25, 2.0)
    """
    step = min(longest, slope / curvature) if curvature > 0 else longest
    return slope * step - curvature * step**2 / 2


def write_position(place: Place, group: str, where: dict[str, Any]) -> None:
    """The norms, beside a measure's arrays."""
    place.write(f"{group}/gradient_norm", where["gradient_norm"], (), "nat", "norm of the gradient of the loss")
    place.write(f"{group}/weight_norm", where["weight_norm"], (), "1", "norm of the weights that may move")


def heading(summary: dict[str, Any]) -> str:
    """The first lines of a table: where the network sits, and a warning where that is no minimum."""
    lines = [
        f"loss {summary['loss']:.6g} nat, accuracy {summary['accuracy']:.2%} "
        f"on {summary['samples']:,} examples ({summary['split']})",
        f"{summary['dimension']:,} weights may move ({summary['subspace']}), norm {summary['weight_norm']:.4g}; "
        f"gradient norm {summary['gradient_norm']:.3g}",
    ]
    if summary["gradient_drop"] > STEEP * abs(summary["loss"]):
        lines.append(
            f"The gradient is not small (a step against it saves about {summary['gradient_drop']:.2g} nat):\n"
            "a curvature here is not the curvature of a minimum. Train on before comparing minima."
        )
    return "\n".join(lines)
