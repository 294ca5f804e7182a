"""What else is found at each point of a surface: a frozen dataclass that turns a point into numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from minima.store.command import BadInput
from minima.store.registry import members

if TYPE_CHECKING:
    from landscape.surface.surface_function import SurfacePoint


@dataclass(frozen=True)
class Map:
    """What a results file says of one array over the grid."""

    name: str
    units: str
    long_name: str
    along: str | None = None
    """a scale of the surface's group that is its leading axis"""
    axes: int = 1
    """that a surface must have at least"""


@dataclass(frozen=True)
class Field:
    """Base of the members of landscape/surface/fields: maps beside the loss and accuracy of a surface."""

    name: ClassVar[str]
    gradients: ClassVar[int] = 0
    """passes forward and backward at each point"""

    products: ClassVar[tuple[int, int]] = (0, 0)
    """of the Hessian with vectors at each point: for each axis, and besides"""
    maps: ClassVar[Sequence[Map]]
    """what it finds"""

    def cost(self, axes: int, points: int) -> dict[str, int]:
        """What a whole surface of this field costs, beside the passes for its loss: gradients and products."""
        each, besides = self.products
        return {"gradients": points * self.gradients, "products": points * (each * axes + besides)}

    def values(self, point: SurfacePoint) -> Mapping[str, Any]:
        """Each map's value at a point, or values along its leading axis; NaN where there is none."""
        raise NotImplementedError


def fields() -> dict[str, type[Field]]:
    """Every field that a surface can hold beside the loss, by its name."""
    return members("landscape.surface.fields", Field)


def parse_maps(text: str | None) -> list[Field]:
    """The fields that --maps names, separated by commas.

    >>> [field.name for field in parse_maps("per-class,gradient")]
    ['per-class', 'gradient']
    """
    names = [] if text is None else [name.strip() for name in text.split(",")]
    known = fields()
    unknown = [name for name in names if name not in known]
    if unknown:
        raise BadInput(f"--maps {text}: known are {', '.join(known)}, separated by commas")
    return [known[name]() for name in dict.fromkeys(names)]
