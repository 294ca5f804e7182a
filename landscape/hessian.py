"""Largest eigenvalues of the Hessian of the mean loss, or of its kin: `python -m landscape.hessian CKPT`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from landscape.flags import Landscape, objective_of
from landscape.operator import Operator, operators
from landscape.position import heading, position, write_position
from store.command import Report, note, render_table, run
from zoo.measuring import measure_each

if TYPE_CHECKING:
    from landscape.blocks import Block
    from landscape.lanczos import Eigenpairs
    from landscape.objective import Objective
    from landscape.trace import Estimate
    from store.results import Place
    from zoo.subject import Subject


@dataclass(frozen=True, kw_only=True)
class Hessian(Landscape):
    """Flags of `python -m landscape.hessian`."""

    top: int = 5
    """how many eigenvalues"""
    tolerance: float = 1e-3
    """relative error allowed in each eigenvalue"""
    by: Literal["value", "magnitude"] = "value"
    """the largest, or the largest in magnitude (negative ones too)"""
    operator: Literal["hessian", "ggn", "empirical-fisher", "mc-fisher", "gradient-covariance"] = "hessian"
    """of what the eigenvalues are"""
    draws: int = 1
    """labels that mc-fisher draws for each example"""
    trace: int | None = None
    """also estimate the trace, from this many random probes"""
    per_layer: bool = False
    """also the largest eigenvalue and the trace of each layer's diagonal block"""
    layers: tuple[str, ...] = ()
    """the same of these blocks only: names of layers, of modules that hold several, or of parameters"""


def compute(subject: Subject, place: Place, arguments: Hessian) -> dict[str, Any]:
    """Measure a subject, write its spectrum to its place, and return what the JSON object says of it."""
    import time

    from landscape.blocks import summary, write
    from landscape.lanczos import top_eigenpairs
    from landscape.streams import stream
    from landscape.trace import hutchinson

    _check(arguments)
    start = time.perf_counter()
    objective = objective_of(subject, arguments.subspace)
    where = position(objective, arguments.subspace)
    operator = _operator(arguments)
    product = operator.product(objective, arguments.seed)
    draws, probes = stream(arguments.seed, "lanczos"), stream(arguments.seed, "trace")
    pairs = top_eigenpairs(
        product,
        lambda: objective.normal(draws),
        objective.dimension,
        arguments.top,
        tolerance=arguments.tolerance,
        by=arguments.by,
    )
    if not pairs.converged:
        note(f"{subject.name}: {pairs.products} products did not bring all eigenvalues within the tolerance")
    count = arguments.trace
    trace = hutchinson(product, lambda: objective.signs(probes), count) if count else None
    layers = _layers(objective, operator, arguments)
    seconds = time.perf_counter() - start
    _write(place, operator, pairs, trace, where)
    own = _summary(operator, pairs, trace)
    if layers:
        write(place, "hessian", layers)
        own["layers"] = summary(layers)
    return where | own | {"seconds": seconds, "passes": seconds / _pass_seconds(objective)}


def table(summary: dict[str, Any]) -> str:
    """What a person reads: a line for each eigenvalue."""
    rows = [
        [rank, value, residual]
        for rank, (value, residual) in enumerate(
            zip(summary["eigenvalues"], summary["residuals"], strict=True), start=1
        )
    ]
    title = operators()[summary["operator"]].title
    lines = [heading(summary), "", render_table(["rank", f"{title} eigenvalue", "relative residual"], rows)]
    if summary["trace"]:
        error = summary["trace"]["stderr"]
        lines.append(f"\ntrace {summary['trace']['value']:.5g}" + (f" ± {error:.2g}" if error is not None else ""))
    if summary.get("layers"):
        keys = ("name", "dimension", "eigenvalue", "residual", "trace", "trace_stderr")
        head = ["layer", "weights", "eigenvalue", "relative residual", "trace", "±"]
        lines += ["", render_table(head, [[layer[key] for key in keys] for layer in summary["layers"]])]
    if not summary["converged"]:
        lines.append("\nNot all eigenvalues are within the tolerance: see the residuals")
    lines.append(
        f"\n{summary['products']} products with vectors for the eigenvalues; "
        f"all took as long as {summary['passes']:.0f} passes forward and backward"
    )
    return "\n".join(lines)


def main(arguments: Hessian) -> Report:
    """Measure every checkpoint named on the command line."""
    _check(arguments)
    return measure_each(arguments, "hessian", lambda subject, place: compute(subject, place, arguments), table)


def _check(arguments: Hessian) -> None:
    from store.command import BadInput

    for flag, value in (("--top", arguments.top), ("--trace", arguments.trace), ("--draws", arguments.draws)):
        if value is not None and value < 1:
            raise BadInput(f"{flag} {value}: expected a number of at least 1")
    if not arguments.tolerance > 0:
        raise BadInput(f"--tolerance {arguments.tolerance}: expected a positive number, such as 1e-3")


def _operator(arguments: Hessian) -> Operator:
    kind = operators()[arguments.operator]
    return kind(**({"draws": arguments.draws} if arguments.operator == "mc-fisher" else {}))


def _layers(objective: Objective, operator: Operator, arguments: Hessian) -> list[Block]:
    """The diagonal blocks that were asked for."""
    from landscape.blocks import PROBES, blocks, layers

    named = layers(list(objective.coordinates.shapes)) if arguments.per_layer else {}
    named |= {name: [name] for name in arguments.layers}
    probes = arguments.trace or PROBES
    return blocks(objective, operator, named, tolerance=arguments.tolerance, probes=probes, seed=arguments.seed)


def _summary(operator: Operator, pairs: Eigenpairs, trace: Estimate | None) -> dict[str, Any]:
    return {
        "operator": operator.name,
        **asdict(operator),
        "eigenvalues": pairs.values.tolist(),
        "residuals": pairs.residuals.tolist(),
        "converged": pairs.converged,
        "products": pairs.products,
        "trace": trace and {"value": trace.value, "stderr": trace.stderr, "probes": len(trace.samples)},
    }


def _pass_seconds(objective: Objective) -> float:
    """How long one plain forward and backward pass over the same examples takes: the best of three."""
    import time

    times = []
    for _ in range(3):
        start = time.perf_counter()
        objective.gradient().norm().item()
        times.append(time.perf_counter() - start)
    return min(times)


def _write(place: Place, operator: Operator, pairs: Eigenpairs, trace: Estimate | None, where: dict[str, Any]) -> None:
    count = len(pairs.values)
    place.scale("hessian/rank", list(range(1, count + 1)), "1", "rank by value")
    place.write("hessian/eigenvalues", pairs.values, ("rank",), "nat", f"largest eigenvalues of the {operator.title}")
    place.write("hessian/residuals", pairs.residuals, ("rank",), "1", "||Av - lv|| / max(|l|, 1e-6 |l_1|)")
    write_position(place, "hessian", where)
    place.write("hessian/products", pairs.products, (), "1", "products with vectors for the eigenvalues")
    place.attributes("hessian", operator=operator.name, **asdict(operator))
    if trace:
        place.scale("hessian/probe", list(range(len(trace.samples))), "1", "random probe")
        place.write("hessian/probes", trace.samples, ("probe",), "nat", "z.Az of a random sign vector z")
        place.write("hessian/trace", trace.value, (), "nat", f"trace of the {operator.title}, mean over the probes")
        error = float("nan") if trace.stderr is None else trace.stderr
        place.write("hessian/trace_stderr", error, (), "nat", "standard error of the trace")


if __name__ == "__main__":
    run(Hessian, main, prog="python -m landscape.hessian", description=__doc__ or "")
