"""What has to be known before a surface's first point: its networks, the loss over all they kept, and its plane."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from landscape.objective.comparable import union
from landscape.objective.flags import located
from landscape.objective.room import Vectors
from landscape.surface.landmark import Landmark, Snapshot, moments, seen_from
from landscape.surface.pencil import Pencil
from landscape.surface.sheet import Sheet
from landscape.surface.spanning import Centre, spanning

if TYPE_CHECKING:
    from landscape.objective.region import Region
    from landscape.surface.flags import Drawing
    from minima.zoo.subject.subject import Subject


@dataclass(frozen=True)
class Survey:
    """A surface that is ready to be drawn: its plane, and the networks that are marked on it."""

    sheet: Sheet
    where: dict[str, Any]
    """the network in the centre (keys of the JSON object)"""
    through: Sequence[Landmark]
    moments: Sequence[Landmark]


def survey(
    subject: Subject, region: Region, drawing: Drawing, *, axes: int, seed: int, others: Sequence[Snapshot] = ()
) -> Survey:
    """What a surface of so many axes needs; a weight that any of the networks kept may move.

    `others`: the networks that the plane goes through beside the subject's.
    """
    kept = moments(drawing.trajectory) if drawing.trajectory else []
    masks = union(subject.masks, *(each.masks for each in [*others, *kept]))
    directions = Vectors(drawing.lines or axes)
    objective, where, slope = located(replace(subject, masks=masks), region, directions)
    through, course = ([seen_from(objective, subject.name, each) for each in some] for some in (others, kept))
    centre = Centre(subject, objective, slope, through, course, drawing.lines or axes, seed)
    plane = spanning(drawing).plane(centre)
    objective.release()  # nothing is differentiated at the centre from here on
    if drawing.lines:
        plane = Pencil(plane.directions)
    anew = drawing.batch_norm_statistics == "re-estimate"
    return Survey(Sheet(objective, plane, subject.classes, seed, anew), where, through, course)
