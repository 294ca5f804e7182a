"""Where in its landscape a network sits: on a slope, or near a minimum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minima.store.hdf5.record import Number, write
from minima.zoo.measuring.level_text import spoken_loss, spoken_score

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from landscape.objective.objective import Objective
    from minima.store.hdf5.results import Place

NORMS = (
    Number("gradient_norm", "nat", "norm of the gradient of the loss"),
    Number("weight_norm", "1", "norm of the weights that may move"),
)
"""what is written beside every measure of a landscape"""
FAR = 0.01
"""of the weights' norm: a stationary point beyond it, along the gradient, is not the one that is measured"""
FLAT = 1e-3
"""of the loss: a gradient that changes less of it over that distance is small, whatever the curvature"""


def slope(objective: Objective, product: Callable[[Tensor], Tensor] | None = None) -> tuple[float, Tensor, Tensor]:
    """The loss, its gradient g (d,) and H g: what a position is told from, and a good first direction for Lanczos.

    `product`: v -> H v, if it is not the objective's own.
    """
    loss, gradient = objective.loss_and_gradient()
    return loss, gradient, (product or objective.hvp)(gradient)


def position(objective: Objective, at: tuple[float, Tensor, Tensor]) -> dict[str, Any]:
    """What is reported beside every measure of a landscape, by the keys of the JSON object; `at`: its slope.

    `gradient_curvature`: g.Hg / g.g in nats, the curvature along the gradient; the slope vanishes |g| / it away.
    """
    loss, gradient, image = at
    norm = gradient.norm().item()
    curvature = (gradient @ image).item() / norm**2 if norm else 0.0
    return {
        "dimension": objective.dimension,
        "loss": loss,
        "gradient_norm": norm,
        "gradient_curvature": curvature,
        "weight_norm": objective.point.norm().item(),
    }


def is_steep(loss: float, gradient_norm: float, gradient_curvature: float, weight_norm: float) -> bool:
    """Whether the slope along the gradient vanishes only more than 1 % of the weights' norm away, or not at all.

    A gradient too small to change the loss by 0.1 % over that distance does not count.

    >>> is_steep(0.02, 0.03, 0.8, 17.0), is_steep(2.3, 0.3, 0.5, 2.7), is_steep(2.3, 0.3, -0.5, 2.7)
    (False, True, True)
    """
    reach = FAR * weight_norm
    return gradient_norm > reach * max(0.0, gradient_curvature) and gradient_norm * reach > FLAT * abs(loss)


def write_position(place: Place, group: str, where: dict[str, Any]) -> None:
    """The norms beside a measure's arrays, and as attributes of their group what loss it is, and of which weights."""
    write(place, group, NORMS, where)
    own = {key: where[key] for key in ("temperature", "logits", "parameters")}
    place.attributes(group, **own)


def heading(summary: dict[str, Any]) -> str:
    """The first lines of a table: where the network sits, and a warning where that is no minimum."""
    lines = [
        f"{spoken_loss(summary)}, {spoken_score(summary)} on {summary['samples']:,} examples ({summary['split']})",
        f"{summary['dimension']:,} weights may move ({summary['subspace']}), norm {summary['weight_norm']:.4g}; "
        f"gradient norm {summary['gradient_norm']:.3g}",
    ]
    if summary.get("parameters"):
        lines.append(f"The others are held: only {', '.join(summary['parameters'])} may move.")
    if summary.get("subset"):
        lines.append(f"The others are held: only a subset of {summary['subset']:,} single weights may move.")
    lines += _scale_of_the_logits(summary)
    if is_steep(*(summary[key] for key in ("loss", "gradient_norm", "gradient_curvature", "weight_norm"))):
        lines.append(
            "The gradient is not small: along it the loss still falls for more than 1 % of the weights' norm, so that\n"
            "a curvature here is not the curvature of a minimum. Train on before comparing minima."
        )
    return "\n".join(lines)


def _scale_of_the_logits(summary: dict[str, Any]) -> list[str]:
    """A line where the loss is not that of the network's own logits."""
    raw, calibrated = summary.get("logits", "raw") == "raw", summary.get("calibrated", False)
    if raw and not calibrated and summary.get("temperature", 1) == 1:
        return []
    kind = "logits" if raw else "logits centred and of norm 1"
    origin = ", calibrated on the validation examples" if calibrated else ""
    parent = f" (the parent's by {summary['parent_temperature']:.4g})" if "parent_temperature" in summary else ""
    return [f"The loss is that of {kind}, divided by the temperature {summary['temperature']:.4g}{parent}{origin}."]
