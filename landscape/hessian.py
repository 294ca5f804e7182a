"""Largest eigenvalues of the Hessian of the mean loss: `python -m landscape.hessian CKPT`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from landscape.flags import Landscape, objective_of
from landscape.position import heading, position, write_position
from store.command import Report, note, render_table, run
from zoo.measuring import measure_each

if TYPE_CHECKING:
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
    operator: Literal["hessian"] = "hessian"
    """of what the eigenvalues are"""
    trace: int | None = None
    """also estimate the trace, from this many random probes"""


def compute(subject: Subject, place: Place, arguments: Hessian) -> dict[str, Any]:
    """Measure a subject, write its spectrum to its place, and return what the JSON object says of it."""
    import time

    from landscape.lanczos import top_eigenpairs
    from landscape.streams import stream
    from landscape.trace import hutchinson

    _check(arguments)
    start = time.perf_counter()
    objective = objective_of(subject, arguments.subspace)
    where = position(objective, arguments.subspace)
    draws, probes = stream(arguments.seed, "lanczos"), stream(arguments.seed, "trace")
    pairs = top_eigenpairs(
        objective.hvp,
        lambda: objective.normal(draws),
        objective.dimension,
        arguments.top,
        tolerance=arguments.tolerance,
        by=arguments.by,
    )
    if not pairs.converged:
        note(f"{subject.name}: {pairs.products} products did not bring all eigenvalues within the tolerance")
    count = arguments.trace
    trace = hutchinson(objective.hvp, lambda: objective.signs(probes), count) if count else None
    seconds = time.perf_counter() - start
    _write(place, pairs, trace, where)
    return where | _summary(pairs, trace) | {"seconds": seconds, "passes": seconds / _pass_seconds(objective)}


def table(summary: dict[str, Any]) -> str:
    """What a person reads: a line for each eigenvalue."""
    rows = [
        [rank, value, residual]
        for rank, (value, residual) in enumerate(
            zip(summary["eigenvalues"], summary["residuals"], strict=True), start=1
        )
    ]
    lines = [heading(summary), "", render_table(["rank", "Hessian eigenvalue", "relative residual"], rows)]
    if summary["trace"]:
        error = summary["trace"]["stderr"]
        lines.append(f"\ntrace {summary['trace']['value']:.5g}" + (f" ± {error:.2g}" if error is not None else ""))
    if not summary["converged"]:
        lines.append("\nNot all eigenvalues are within the tolerance: see the residuals")
    lines.append(
        f"\n{summary['products']} Hessian-vector products; all took as long as {summary['passes']:.0f} passes forward "
        "and backward"
    )
    return "\n".join(lines)


def main(arguments: Hessian) -> Report:
    """Measure every checkpoint named on the command line."""
    _check(arguments)
    return measure_each(arguments, "hessian", lambda subject, place: compute(subject, place, arguments), table)


def _check(arguments: Hessian) -> None:
    from store.command import BadInput

    for flag, value in (("--top", arguments.top), ("--trace", arguments.trace)):
        if value is not None and value < 1:
            raise BadInput(f"{flag} {value}: expected a number of at least 1")
    if not arguments.tolerance > 0:
        raise BadInput(f"--tolerance {arguments.tolerance}: expected a positive number, such as 1e-3")


def _summary(pairs: Eigenpairs, trace: Estimate | None) -> dict[str, Any]:
    return {
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


def _write(place: Place, pairs: Eigenpairs, trace: Estimate | None, where: dict[str, Any]) -> None:
    count = len(pairs.values)
    place.scale("hessian/rank", list(range(1, count + 1)), "1", "rank by value")
    place.write("hessian/eigenvalues", pairs.values, ("rank",), "nat", "largest eigenvalues of the Hessian")
    place.write("hessian/residuals", pairs.residuals, ("rank",), "1", "||Hv - lv|| / max(|l|, 1e-6 |l_1|)")
    write_position(place, "hessian", where)
    place.write("hessian/products", pairs.products, (), "1", "Hessian-vector products of the eigenvalues")
    if trace:
        place.scale("hessian/probe", list(range(len(trace.samples))), "1", "random probe")
        place.write("hessian/probes", trace.samples, ("probe",), "nat", "z.Hz of a random sign vector z")
        place.write("hessian/trace", trace.value, (), "nat", "trace of the Hessian, mean over the probes")
        error = float("nan") if trace.stderr is None else trace.stderr
        place.write("hessian/trace_stderr", error, (), "nat", "standard error of the trace")


if __name__ == "__main__":
    run(Hessian, main, prog="python -m landscape.hessian", description=__doc__ or "")
