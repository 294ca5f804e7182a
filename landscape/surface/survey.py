"""What has to be known before a surface's first point: its networks, the loss over all they kept, and its plane."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from landscape.objective.comparable import union
from landscape.objective.flags import located
from landscape.surface.landmark import Landmark, checkpoints, moments, seen_from
from landscape.surface.pencil import Pencil
from landscape.surface.sheet import Sheet
from landscape.surface.spanning import Centre, spanning
from minima.zoo.measuring.flags import choice
from minima.zoo.subject.subject import Reader

if TYPE_CHECKING:
    from landscape.surface.flags import Surface
    from minima.zoo.subject.subject import Subject


@dataclass(frozen=True)
class Survey:
    """Ready to be drawn."""

    sheet: Sheet
    where: dict[str, Any]
    """the network in the centre (keys of the JSON object)"""
    through: Sequence[Landmark]
    moments: Sequence[Landmark]


def survey(subject: Subject, arguments: Surface, axes: int) -> Survey:
    """Read the other networks; a weight that any of them kept may move."""
    others = checkpoints(arguments.through or (), Reader(choice(arguments), there=subject), subject)
    kept = moments(arguments.trajectory) if arguments.trajectory else []
    masks = union(subject.masks, *(each.masks for each in [*others, *kept]))
    objective, where, slope = located(replace(subject, masks=masks), arguments)
    through, course = ([seen_from(objective, subject.name, each) for each in some] for some in (others, kept))
    centre = Centre(subject, objective, slope, through, course, arguments.lines or axes, arguments.seed)
    plane = spanning(arguments).plane(centre)
    objective.release()  # nothing is differentiated at the centre from here on
    if arguments.lines:
        plane = Pencil(plane.directions)
    anew = arguments.batch_norm_statistics == "re-estimate"
    return Survey(Sheet(objective, plane, subject.classes, arguments.seed, anew), where, through, course)
