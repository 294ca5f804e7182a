"""A network's spectrum: eigenvalues, trace, density and blocks, as the flags of `landscape.hessian` ask for them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from landscape.hessian import eigenvalues, traces
from landscape.hessian.traces import VECTORS, refused
from landscape.hessian.work import Work, forms_of
from landscape.objective.coordinates import named
from landscape.objective.flags import located
from landscape.objective.position import write_position
from landscape.objective.room import Vectors
from landscape.objective.streams import stream
from landscape.objective.subsets.asked import subset_of
from landscape.spectrum import blocks, density, eigenvectors
from landscape.spectrum.compact.search import LEAST_ROWS
from landscape.spectrum.lanczos import LEAST_ROOM
from landscape.spectrum.operator import Operator, operators
from landscape.spectrum.watching import counted
from minima.store.command import BadInput, note
from minima.store.hdf5.record import Number, write

if TYPE_CHECKING:
    from torch import Tensor

    from landscape.hessian.block_forms import BlockForms
    from landscape.objective.objective import Objective
    from landscape.spectrum.density import Density
    from landscape.spectrum.operator import Product
    from minima.store.hdf5.results import Place
    from minima.zoo.subject.subject import Subject
from landscape.hessian.flags import Curvature, Hessian

TIMED = 16
"""of the examples, at least one in so many tells how long a pass takes"""
IN_A_FILE = 16
"""bytes of a number of 4 or of 8 while a results file is written, which is in memory until it is whole"""
OUTLIERS = (
    Number("outlier_edge", "nat", "where the bulk ends, by the eigenvalues if known", key="edge"),
    Number("outliers", "1", "eigenvalues beyond the edge of the bulk", key="count"),
    Number("top_share", "1", "as many eigenvalues as there are classes, over the trace"),
)


def compute(subject: Subject, place: Place, arguments: Hessian) -> dict[str, Any]:
    """Measure a subject, write its spectrum to its place, and return what the JSON object says of it."""
    import time

    start, operator = time.perf_counter(), operator_of(arguments)
    objective, where, known, forms = _placed(subject, arguments, operator)
    check_size(arguments, objective)
    compact = objective.keeper.rows is not None
    if arguments.eigenvectors == "keep":
        eigenvectors.make_room(place, objective.coordinates, arguments.top, later=compact)
    informed = known if operator.name == "hessian" and not compact else None
    del known
    work = Work(place, objective, operator, arguments, arguments.seed, subject.used_share, informed, forms)
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
        work.release()  # the eigenvalues are the first part, and the only one that has products of its own
    own = {key: value for part in parts for key, value in place.kept()[part].items()}
    if not own["converged"]:
        note(f"{subject.name}: {own['products']} products did not bring all eigenvalues within the tolerance")
    own |= _outliers(place, own, subject.classes, arguments)
    seconds = time.perf_counter() - start
    write_position(place, "hessian", where)
    place.attributes("hessian", operator=work.operator.name, **asdict(work.operator))
    where["used_share"] = work.used_share
    return where | own | {"seconds": seconds, "passes": seconds / _pass_seconds(objective)}


def _placed(
    subject: Subject, arguments: Hessian, operator: Operator
) -> tuple[Objective, dict[str, Any], tuple[Tensor, Tensor], BlockForms | None]:
    """The objective, where the network sits, g and H g, and how products are taken for eigenvalues with errors."""
    made: list[BlockForms | None] = []

    def product_of(objective: Objective) -> Product:
        made.append(forms_of(operator, objective, arguments, arguments.seed))
        return objective.hvp if made[0] is None else made[0].product

    vectors, moving = vectors_of(arguments), subset_of(subject, arguments)
    objective, where, known = located(subject, arguments, vectors, moving, product_of)
    return objective, where, known, made[0]


def check_size(wanted: Curvature, objective: Objective) -> None:
    """Refuse, before any product, what these weights and examples do not have: so many eigenvalues, such layers.

    Raises:
        BadInput: the flag, what there is, and what to type.
    """
    try:
        if wanted.layers:
            named(objective.model, wanted.layers)
    except BadInput as error:
        raise BadInput(f"--layers {error}") from error
    size, samples = objective.dimension, len(objective.x)
    if wanted.top + wanted.bottom > size:
        asked = f"--top {wanted.top}" + (f" --bottom {wanted.bottom}" if wanted.bottom else "")
        raise BadInput(f"{asked}: {size} weights may move, so that there are no more eigenvalues")
    if (wanted.warm_samples or 1) > samples:
        raise BadInput(f"--warm-samples {wanted.warm_samples}: {samples} examples are used. Type 1 to {samples}")
    trouble = wanted.trace and refused(wanted.trace_estimator, wanted.trace, size)
    if trouble:
        raise BadInput(f"--trace {wanted.trace}: {trouble}")
    objective.room.reserve(objective, vectors_of(wanted, held=2))
    _check_vectors(wanted, size, objective.keeper.vector_bytes)


def vectors_of(wanted: Curvature, held: int = 0) -> Vectors:
    """What the search keeps, `held` vectors in float64 beside it.

    In float32 only eigenvalues are found: for what else is asked there has to be room as usual.
    """
    pairs = wanted.top + wanted.bottom
    more = wanted.trace or wanted.density or wanted.per_layer or wanted.layers
    warm = wanted.warm_start is not None or wanted.warm_samples
    kept = IN_A_FILE + IN_A_FILE * wanted.top if wanted.eigenvectors == "keep" else 0
    beside = 8 * (held + operator_of(wanted).beside)
    least = None if more or warm else pairs + LEAST_ROWS
    return Vectors(pairs + LEAST_ROOM, least, beside, 4 * pairs + 8 * held + kept)


def _check_vectors(wanted: Curvature, size: int, memory: int) -> None:
    """What would keep too many vectors."""
    estimator, steps = wanted.trace_estimator, min(wanted.density_steps, size)
    held = math.ceil(VECTORS[estimator] * (wanted.trace or 0))
    _check_room(memory, f"--trace {wanted.trace} by {estimator}", held, size)
    if wanted.density:
        _check_room(memory, f"--density of {steps} steps", 2 * steps, size)


def _check_room(memory: int, flag: str, count: int, dimension: int) -> None:
    """Refuse what keeps more vectors than `memory` holds; as many as any eigenvalue takes are taken anyway.

    What eight products take while they are computed, about 50 vectors, comes on top, of any estimate.
    """
    needed, room = 8 * count * dimension / 2**30, memory / 2**30  # GiB
    if count > LEAST_ROOM and needed > room:
        raise BadInput(
            f"{flag} keeps {count} vectors of {dimension:,} weights, {needed:.2g} GiB, and vectors have a quarter\n"
            f"of --memory {4 * room:g}. Type --memory {math.ceil(4000 * needed) / 1000:g}, or fewer"
        )


def operator_of(wanted: Curvature) -> Operator:
    """The curvature operator that is asked for, its parameters being the flags of their names.

    Raises:
        BadInput: there is none of that name.
    """
    known = operators()
    if wanted.operator not in known:
        raise BadInput(f"--operator {wanted.operator}: known are {', '.join(known)}")
    kind = known[wanted.operator]
    return kind(**{each.name: getattr(wanted, each.name) for each in fields(kind) if hasattr(wanted, each.name)})


def find_density(work: Work) -> Density:
    """The density of all eigenvalues, by stochastic Lanczos quadrature."""
    wanted, objective = work.wanted, work.objective
    draws, size, probes = stream(work.seed, "density"), objective.dimension, wanted.density_probes
    steps = min(wanted.density_steps, size)
    with work.product("density") as product, counted(product, probes * steps) as watched:
        return density.spectral_density(watched, lambda: objective.normal(draws), size, probes=probes, steps=steps)


def _density(work: Work) -> dict[str, Any]:
    """The density of all eigenvalues, if it was asked for."""
    if not work.wanted.density:
        return {}
    found, size = find_density(work), work.objective.dimension
    removed = work.objective.coordinates.removed
    left_out = removed / (removed + size)
    density.write(work.place, "hessian", found, left_out)
    return {"density": density.summary(found, min(work.wanted.density_steps, size), left_out)}


def _outliers(place: Place, own: dict[str, Any], classes: int | None, arguments: Hessian) -> dict[str, Any]:
    """What lies beyond the bulk, where density, trace and the largest eigenvalues by value are known."""
    if not (arguments.density and arguments.trace and arguments.by == "value"):
        return {}
    found = density.outliers(own["density"], own["eigenvalues"], own["trace"]["value"], classes)
    write(place, "hessian", OUTLIERS, found)
    return {"outliers": found}


def _layers(work: Work) -> dict[str, Any]:
    """The diagonal blocks that were asked for."""
    wanted, objective = work.wanted, work.objective
    chosen = blocks.layers(list(objective.coordinates.shapes)) if wanted.per_layer else {}
    chosen |= {name: [name] for name in wanted.layers}
    if not chosen:
        return {}
    probes, tolerance = wanted.trace or blocks.PROBES, wanted.tolerance
    found = blocks.blocks(objective, work.operator, chosen, tolerance=tolerance, probes=probes, seed=work.seed)
    blocks.write(work.place, "hessian", found)
    return {"layers": blocks.summary(found)}


def _pass_seconds(objective: Objective) -> float:
    """How long one plain forward and backward pass over the same examples takes: by the best of three over some."""
    import time

    times, used, ranks = [], len(objective.x), objective.ranks
    some = objective.part(0, min(used, max(objective.batch_size * ranks.size, used // TIMED)))
    for _ in range(3):
        start = time.perf_counter()
        some.gradient().norm().item()
        times.append(time.perf_counter() - start)
    return min(times) * ranks.own(used) / max(1, ranks.own(len(some.x)))
