"""Largest eigenvalues of the Hessian of the mean loss, or of its kin: `python -m landscape.hessian CKPT`."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from landscape.flags import Landscape, located
from landscape.hessian_report import table
from landscape.operator import Operator, operators
from landscape.position import write_position
from store.command import BadInput, Report, note, run
from zoo.measuring import measure_each

if TYPE_CHECKING:
    from landscape.objective import Objective
    from landscape.work import Work
    from store.results import Place
    from zoo.subject import Subject


@dataclass(frozen=True, kw_only=True)
class Hessian(Landscape):
    """Flags of `python -m landscape.hessian`."""

    top: int = 5
    """how many eigenvalues"""
    bottom: int = 0
    """how many of the smallest besides, the most negative ones"""
    tolerance: float = 1e-3
    """relative error allowed in each eigenvalue"""
    by: Literal["value", "magnitude"] = "value"
    """the largest, or the largest in magnitude (negative ones too)"""
    operator: Literal["hessian", "ggn", "empirical-fisher", "mc-fisher", "gradient-covariance"] = "hessian"
    """of what the eigenvalues are"""
    draws: int = 1
    """labels that mc-fisher draws for each example"""
    trace: int | None = None
    """also estimate the trace, from this many products with random probes"""
    trace_estimator: Literal["hutchinson", "hutch++", "xtrace"] = "hutchinson"
    """how; the others sketch the range first, which pays where few eigenvalues carry the trace"""
    data_error: Literal["examples", "none"] = "examples"
    """of eigenvalues and trace: by how much they would differ on other examples; costs a product for each eigenvalue
    and eight for the trace, over graphs of their own: a third to a half more time where examples are few"""
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

    @property
    def journal_bytes(self) -> int:
        """Of products that a killed run leaves to its successor, on disk."""
        return self.graph_bytes


NEEDS: dict[str, tuple[str, Callable[[Hessian], object]]] = {
    "draws": ("--operator mc-fisher", lambda flags: flags.operator == "mc-fisher"),
    "trace_estimator": ("--trace N", lambda flags: flags.trace),
    "density_probes": ("--density", lambda flags: flags.density),
    "density_steps": ("--density", lambda flags: flags.density),
}
"""flags that say something of another one only"""


def compute(subject: Subject, place: Place, arguments: Hessian) -> dict[str, Any]:
    """Measure a subject, write its spectrum to its place, and return what the JSON object says of it."""
    import time

    from landscape import eigenvalues, eigenvectors, traces
    from landscape.work import Work

    start = time.perf_counter()
    objective, where, known = located(subject, arguments)
    _check_size(arguments, objective)
    if arguments.eigenvectors == "keep":
        eigenvectors.make_room(place, objective.coordinates)
    operator = _operator(arguments)
    informed = known if operator.name == "hessian" else None
    work = Work(place, objective, operator, arguments, subject.available, informed)
    parts: dict[str, Callable[[Work], dict[str, Any]]] = {
        "eigenvalues": eigenvalues.measure,
        "trace": traces.measure,
        "density": _density,
        "layers": _layers,
    }
    for name, measure in parts.items():
        if name not in place.kept():  # of a run that was stopped
            place.keep(name, measure(work))
            place.forget(name)
    own = {key: value for part in parts for key, value in place.kept()[part].items()}
    if not own["converged"]:
        note(f"{subject.name}: {own['products']} products did not bring all eigenvalues within the tolerance")
    own |= _outliers(place, own, subject.classes, arguments)
    seconds = time.perf_counter() - start
    write_position(place, "hessian", where)
    place.attributes("hessian", operator=work.operator.name, **asdict(work.operator))
    where["used_share"] = work.used_share
    return where | own | {"seconds": seconds, "passes": seconds / _pass_seconds(objective)}


def main(arguments: Hessian) -> Report:
    """Measure every checkpoint named on the command line."""
    _check(arguments)
    return measure_each(arguments, "hessian", lambda subject, place: compute(subject, place, arguments), table)


def _check(arguments: Hessian) -> None:
    """What can be refused without the network."""
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
        if value != getattr(Hessian, name) and not given(arguments):
            note(f"--{name.replace('_', '-')} {value} is for {other}: it changes nothing here")
    if arguments.warm_start is not None and arguments.warm_samples is not None:
        raise BadInput("--warm-start and --warm-samples both say where to start: name one")


def _check_size(arguments: Hessian, objective: Objective) -> None:
    """What can be refused without a product."""
    from landscape.coordinates import named
    from landscape.traces import refused

    try:
        if arguments.layers:
            named(objective.model, arguments.layers)
    except BadInput as error:
        raise BadInput(f"--layers {error}") from error
    size, samples = objective.dimension, len(objective.x)
    if arguments.top + arguments.bottom > size:
        asked = f"--top {arguments.top}" + (f" --bottom {arguments.bottom}" if arguments.bottom else "")
        raise BadInput(f"{asked}: {size} weights may move, so that there are no more eigenvalues")
    if (arguments.warm_samples or 1) > samples:
        raise BadInput(f"--warm-samples {arguments.warm_samples}: {samples} examples are used. Type 1 to {samples}")
    trouble = arguments.trace and refused(arguments.trace_estimator, arguments.trace, size)
    if trouble:
        raise BadInput(f"--trace {arguments.trace}: {trouble}")
    _check_vectors(arguments, size)


def _check_vectors(arguments: Hessian, size: int) -> None:
    """What would keep too many vectors."""
    from landscape.traces import VECTORS

    estimator, steps = arguments.trace_estimator, min(arguments.density_steps, size)
    held = math.ceil(VECTORS[estimator] * (arguments.trace or 0))
    arguments.check_vectors(f"--trace {arguments.trace} by {estimator}", held, size)
    if arguments.density:
        arguments.check_vectors(f"--density of {steps} steps", 2 * steps, size)


def _operator(arguments: Hessian) -> Operator:
    kind = operators()[arguments.operator]
    return kind(**({"draws": arguments.draws} if arguments.operator == "mc-fisher" else {}))


def _density(work: Work) -> dict[str, Any]:
    """The density of all eigenvalues, if it was asked for."""
    from landscape.density import spectral_density, summary, write
    from landscape.streams import stream
    from landscape.watching import counted

    arguments, objective = work.arguments, work.objective
    if not arguments.density:
        return {}
    draws, size, probes = stream(arguments.seed, "density"), objective.dimension, arguments.density_probes
    steps = min(arguments.density_steps, size)
    with work.product("density") as product, counted(product, probes * steps) as watched:
        found = spectral_density(watched, lambda: objective.normal(draws), size, probes=probes, steps=steps)
    left_out = 1 - size / len(objective.coordinates.full)
    write(work.place, "hessian", found, left_out)
    return {"density": summary(found, steps, left_out)}


def _outliers(place: Place, own: dict[str, Any], classes: int, arguments: Hessian) -> dict[str, Any]:
    """What lies beyond the bulk, where density, trace and the largest eigenvalues by value are known."""
    from landscape.density import outliers

    if not (arguments.density and arguments.trace and arguments.by == "value"):
        return {}
    found = outliers(own["density"], own["eigenvalues"], own["trace"]["value"], classes)
    share = float("nan") if found["top_share"] is None else found["top_share"]
    place.write("hessian/outlier_edge", found["edge"], (), "nat", "where the bulk ends, by the eigenvalues if known")
    place.write("hessian/outliers", found["count"], (), "1", "eigenvalues beyond the edge of the bulk")
    place.write("hessian/top_share", share, (), "1", "as many eigenvalues as there are classes, over the trace")
    return {"outliers": found}


def _layers(work: Work) -> dict[str, Any]:
    """The diagonal blocks that were asked for."""
    from landscape.blocks import PROBES, blocks, layers, summary, write

    arguments, objective = work.arguments, work.objective
    named = layers(list(objective.coordinates.shapes)) if arguments.per_layer else {}
    named |= {name: [name] for name in arguments.layers}
    if not named:
        return {}
    probes, tolerance = arguments.trace or PROBES, arguments.tolerance
    found = blocks(objective, work.operator, named, tolerance=tolerance, probes=probes, seed=arguments.seed)
    write(work.place, "hessian", found)
    return {"layers": summary(found)}


def _pass_seconds(objective: Objective) -> float:
    """How long one plain forward and backward pass over the same examples takes: the best of three."""
    import time

    times = []
    for _ in range(3):
        start = time.perf_counter()
        objective.gradient().norm().item()
        times.append(time.perf_counter() - start)
    return min(times)


if __name__ == "__main__":
    run(Hessian, main, prog="python -m landscape.hessian", description=__doc__ or "")
