"""Flags of `python -m landscape.surface`, and what can be refused before any work."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from landscape.objective.flags import Landscape
from landscape.passes.pass_plan import PassPlan
from landscape.surface.field import fields, parse_maps
from landscape.surface.grid import parse_grid
from landscape.surface.spanning import spannings
from minima.store.command import BadInput
from minima.store.registry import choices
from minima.zoo.settings import chosen

if TYPE_CHECKING:
    PlaneName = str
else:
    PlaneName = choices(spannings(), "random")
MAPS_FLAG = tyro.conf.arg(help=f"what else to find at each point, separated by commas: {', '.join(fields())}")


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """Which surface is to be drawn, and how exactly."""

    grid: str = "51x51"
    """points: N (a square of N x N), NxM, or Nx1 for a line along one direction"""
    extent: float = 1.0
    """how far to go on both sides, in units of the directions; where other networks are on the surface, the margin
    around all of them, 1 being a fifth of the longest side of their box"""
    directions: PlaneName = "random"
    """random: Gaussian draws; eigen: unit eigenvectors of the Hessian's largest eigenvalues; checkpoints: the plane
    --through others; trajectory: the plane that is closest to the course of a training (--trajectory)"""
    normalise: Literal["filter", "layer", "weight", "none"] = "filter"
    """what of a random direction gets the norm of the weights it moves"""
    biases_and_norms: Literal["ignore", "scale"] = "ignore"
    """whether biases and normalisation parameters stay where they are, or move like a filter each, at random"""
    eigenvectors: Path | None = None
    """a result of landscape.hessian for the same checkpoint (default: they are computed)"""
    through: tuple[Path, ...] | None = None
    """checkpoints that the plane goes through beside the first: two, or one for a line"""
    trajectory: Path | None = None
    """weights at moments of a training, drawn on the surface, with the part that lies beside it"""
    batch_norm_statistics: Literal["own", "re-estimate"] = "own"
    """at each point: the network's own, interpolated where the plane goes through several; or anew from the examples,
    a pass for each layer"""
    error: float | None = None
    """E lets it spend less: |error of the loss| <= E x max(loss, 1) in 99 % of the cells, so absolute where the loss
    is below 1, in its own unit (default: exact)"""
    lines: int | None = None
    """with --grid Nx1: along this many random directions, and their mean and spread"""
    maps: Annotated[str | None, MAPS_FLAG] = None
    compile: Literal["auto", "on", "off"] = "auto"
    """the passes, with the weights as inputs: auto where the work is long enough to pay for half a minute; off: nor are
    convolutions in tiles tried, which are compiled once for a machine, in a second"""
    plan: str | None = None
    """how to compute the passes, as `plan` in a result says, for the same bits (default: the fastest that agrees)"""


@dataclass(frozen=True, kw_only=True)
class Surface(Drawing, Landscape):
    """Flags of `python -m landscape.surface`."""


def check(arguments: Surface) -> None:
    """Refuse flags that mean nothing, or name files that are not there, before the network is read."""
    check_drawing(arguments)
    axes = len(parse_grid(arguments.grid, arguments.extent).shape)
    for path in arguments.through or ():
        if not path.is_file():
            raise BadInput(f"{path}: there is no such file")
    if arguments.through is not None and len(arguments.through) != axes:
        raise BadInput(
            f"--through names {len(arguments.through)} checkpoints: a plane goes through the first and two others, "
            "a line (--grid Nx1) through one other"
        )
    if arguments.parameters is not None and (arguments.through or arguments.trajectory):
        raise BadInput("--parameters holds weights that differ between networks: leave it out with other networks")


def check_drawing(arguments: Drawing) -> None:
    """Refuse what makes no surface, whatever the network: its grid, directions, maps and allowed error."""
    axes = len(parse_grid(arguments.grid, arguments.extent).shape)
    parse_maps(arguments.maps)
    if arguments.plan is not None:
        PassPlan.parse(arguments.plan)
    if arguments.directions not in spannings():
        raise BadInput(f"--directions {arguments.directions}: known are {', '.join(spannings())}")
    chosen(arguments)
    kind, flag = arguments.directions, spannings()[arguments.directions].needs
    if flag is not None and getattr(arguments, flag) is None:
        raise BadInput(f"--directions {kind} needs --{flag}: " + ("B.pt C.pt" if flag == "through" else "FILE"))
    for name, only in (("through", "checkpoints"), ("eigenvectors", "eigen")):
        if getattr(arguments, name) is not None and kind != only:
            raise BadInput(f"--{name} is for --directions {only}, not {kind}")
    if arguments.trajectory is not None and not arguments.trajectory.is_file():
        raise BadInput(f"{arguments.trajectory}: there is no such file")
    _check_lines(arguments, axes)
    _check_error(arguments)


def _check_lines(arguments: Drawing, axes: int) -> None:
    if arguments.lines is None:
        return
    if arguments.lines < 2:
        raise BadInput(f"--lines {arguments.lines}: expected at least 2; without it there is one")
    if axes != 1 or arguments.directions != "random":
        raise BadInput(f"--lines {arguments.lines} are random lines: expected --grid Nx1 and --directions random")
    if arguments.maps or arguments.trajectory:
        raise BadInput(f"--lines {arguments.lines}: --maps and --trajectory are for a single line or a plane")


def _check_error(arguments: Drawing) -> None:
    error = arguments.error
    if error is None:
        return
    if not 0 < error < 1:
        raise BadInput(f"--error {error}: expected a fraction of max(loss, 1), such as 0.02")
    if arguments.maps or arguments.lines or arguments.batch_norm_statistics == "re-estimate":
        raise BadInput(f"--error {error} is for loss and accuracy: without --maps, --lines and re-estimated statistics")
