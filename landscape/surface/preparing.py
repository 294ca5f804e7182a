"""What has to be known before a surface's first point: its networks, the loss over all they kept, and its plane."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from landscape.objective.comparable import union
from landscape.objective.flags import located
from landscape.objective.room import Vectors
from landscape.surface.landmark import Landmark, Snapshot, moments, seen_from
from landscape.surface.lines import RandomLines
from landscape.surface.spanning import Centre, spanning
from landscape.surface.surface_function import SurfaceFunction
from minima.store.command import BadInput

if TYPE_CHECKING:
    from torch import Tensor

    from landscape.objective.region import Region
    from landscape.surface.flags import Drawing
    from minima.zoo.subject.subject import Subject

PARALLEL = 1e-12
"""squared sine of an angle that is rounding"""


@dataclass(frozen=True)
class Prepared:
    """A surface that is ready to be drawn: its function over the plane, and the networks that are marked on it."""

    function: SurfaceFunction
    where: dict[str, Any]
    """the network in the centre (keys of the JSON object)"""
    through: Sequence[Landmark]
    moments: Sequence[Landmark]


def prepare(
    subject: Subject,
    region: Region,
    drawing: Drawing,
    *,
    axes: int,
    seed: int,
    others: Sequence[Snapshot] = (),
    moving: Mapping[str, Tensor] | None = None,
) -> Prepared:
    """Make a surface ready to be drawn: the objective, the plane of so many axes, and other networks on it. A weight
    that any of the networks kept may move.

    `others`: the networks that the plane goes through beside the subject's; `moving`: the single weights that may move.
    """
    kept = moments(drawing.trajectory) if drawing.trajectory else []
    masks = union(subject.masks, *(each.masks for each in [*others, *kept]))
    directions = Vectors(drawing.lines or axes)
    objective, where, slope = located(replace(subject, masks=masks), region, directions, moving)
    through, course = ([seen_from(objective, subject.name, each) for each in some] for some in (others, kept))
    centre = Centre(subject, objective, slope, through, course, drawing.lines or axes, seed)
    plane = spanning(drawing).plane(centre)
    if axes > 1 and plane.cosine**2 > 1 - PARALLEL:
        raise BadInput(
            f"both directions are parallel (weights that may move: {objective.dimension:,}): type --grid Nx1"
        )
    objective.release()  # nothing is differentiated at the centre from here on
    if drawing.lines:
        plane = RandomLines(plane.directions)
    anew = drawing.batch_norm_statistics == "re-estimate"
    return Prepared(SurfaceFunction(objective, plane, subject.classes, seed, anew), where, through, course)
