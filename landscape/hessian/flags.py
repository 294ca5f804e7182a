"""Flags of `python -m landscape.hessian`, and what can be refused before any work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from landscape.objective.flags import Landscape
from landscape.objective.region import Subset
from landscape.spectrum.operator import operators
from minima.store.command import BadInput, note
from minima.store.registry import choices

if TYPE_CHECKING:
    OperatorName = str
else:
    OperatorName = choices(operators(), "hessian")


@dataclass(frozen=True, kw_only=True)
class Curvature:
    """What is to be found of a spectrum."""

    top: int = 5
    """how many eigenvalues"""
    bottom: int = 0
    """how many of the smallest besides, the most negative ones"""
    tolerance: float = 1e-3
    """relative error allowed in each eigenvalue"""
    by: Literal["value", "magnitude"] = "value"
    """the largest, or the largest in magnitude (negative ones too)"""
    operator: OperatorName = "hessian"
    """of what the eigenvalues are"""
    draws: int = 1
    """labels that mc-fisher draws for each example"""
    trace: int | None = None
    """also estimate the trace, from this many products with random probes"""
    trace_estimator: Literal["hutchinson", "hutch++", "xtrace"] = "hutchinson"
    """how; the others sketch the range first, which pays where few eigenvalues carry the trace"""
    data_error: Literal["examples", "none"] = "examples"
    """of eigenvalues and trace: by how much they would differ on other examples; costs a product for each eigenvalue
    and eight for the trace, over graphs of their own: a third to a half more time where examples are few. Eigenvalues
    of the Hessian cost no more than without where a twentieth of the examples is about as many as are computed at once
    """
    diagonal: bool = False
    """also keep the diagonal, estimated from the probes of --trace"""
    eigenvectors: Literal["keep", "drop"] = "keep"
    """whether the file holds the eigenvectors of the largest eigenvalues: as many numbers each as there are weights"""
    warm_start: Path | None = None
    """start from the eigenvectors in an earlier result: of fewer samples, of a parent, of yesterday"""
    warm_samples: int | None = None
    """start from the eigenvectors over the first N examples, found before"""
    density: bool = False
    """also the density of all eigenvalues"""
    density_probes: int = 5
    """random start vectors of the density"""
    density_steps: int = 40
    """products for each of them"""
    per_layer: bool = False
    """also the largest eigenvalue and the trace of each layer's diagonal block"""
    layers: tuple[str, ...] = ()
    """the same of these blocks only: names of layers, of modules that hold several, or of parameters"""


@dataclass(frozen=True, kw_only=True)
class Hessian(Curvature, Subset, Landscape):
    """Flags of `python -m landscape.hessian`."""


NEEDS: dict[str, tuple[str, Callable[[Curvature], object]]] = {
    "draws": ("--operator mc-fisher", lambda flags: hasattr(operators().get(flags.operator), "draws")),
    "trace_estimator": ("--trace N", lambda flags: flags.trace),
    "density_probes": ("--density", lambda flags: flags.density),
    "density_steps": ("--density", lambda flags: flags.density),
}
"""flags that say something of another one only"""


def check(arguments: Curvature) -> None:
    """Refuse flags that mean nothing, before the network is read; say which ones change nothing."""
    counts = {"top": 1, "bottom": 0, "trace": 1, "draws": 1, "density_probes": 1, "density_steps": 1, "warm_samples": 1}
    for name, least in counts.items():
        flag, value = f"--{name}".replace("_", "-"), getattr(arguments, name)
        if value is not None and value < least:
            raise BadInput(f"{flag} {value}: expected a number of at least {least}")
    if not arguments.tolerance > 0:
        raise BadInput(f"--tolerance {arguments.tolerance}: expected a positive number, such as 1e-3")
    if arguments.diagonal and not (arguments.trace and arguments.trace_estimator == "hutchinson"):
        raise BadInput("--diagonal is estimated from Hutchinson's probes: add --trace N, the number of them")
    for name, (other, given) in NEEDS.items():
        value = getattr(arguments, name)
        if value != getattr(Curvature, name) and not given(arguments):
            note(f"--{name.replace('_', '-')} {value} is for {other}: it changes nothing here")
    if arguments.warm_start is not None and arguments.warm_samples is not None:
        raise BadInput("--warm-start and --warm-samples both say where to start: name one")
