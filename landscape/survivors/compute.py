"""The Hessian of a pruned network over its survivors, and of its controls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from landscape.objective.flags import loss_of
from landscape.objective.logits import temperature_of
from landscape.objective.position import position, slope
from landscape.objective.relative import Relative
from landscape.objective.streams import stream
from landscape.sharpness.report import ERRORS
from landscape.spectrum.data_error import DATA_PROBES, block_quotients
from landscape.spectrum.lanczos import LEAST_ROOM, top_eigenpairs
from landscape.spectrum.paired_error import errors
from landscape.spectrum.trace import hutchinson
from landscape.survivors.controls import compared, dense_parent
from landscape.survivors.numbers import NUMBERS, error_numbers
from landscape.survivors.report import RATIOS, spread
from minima.store.command import note
from minima.store.hdf5 import record
from minima.store.messages import progress_bar

if TYPE_CHECKING:
    from torch import Tensor

    from landscape.objective.differentiable import Differentiable
    from landscape.objective.objective import Objective
    from landscape.spectrum.lanczos import Eigenpairs
    from minima.store.hdf5.results import Place
    from minima.zoo.losses.loss import Loss
    from minima.zoo.subject.subject import Subject
from landscape.survivors.flags import Comparison, Survivors

SURE = 2
"""errors that a number must be away from zero, for ratios to it to mean something"""


def compute(subject: Subject, place: Place, arguments: Survivors) -> dict[str, Any]:
    """Measure a subject and its controls, write them to its place, and return what the JSON object says of them."""
    parent = dense_parent(subject, arguments.parent)
    losses = [loss_of(each, arguments) for each in (subject, parent)]
    own = compare(subject, parent, place, arguments, losses, seed=arguments.seed, memory=arguments.graph_bytes)
    return own | {"calibrated": arguments.temperature == "calibrated", "logits": arguments.logits}


def compare(
    subject: Subject,
    parent: Subject,
    place: Place,
    comparison: Comparison,
    losses: Sequence[Loss],
    *,
    seed: int,
    memory: int,
) -> dict[str, Any]:
    """Compare the curvature of a pruned network with that of its dense parent, whole and in masks, written to `place`.

    Args:
        losses: of the pruned network, and of the parent.
        seed: of probes, random masks and start vectors.
        memory: bytes that the graphs of each Hessian may take.
    """
    objectives = compared(subject, parent, losses, comparison.masks, seed, memory)
    for name, build in progress_bar(objectives.items(), desc=subject.name, unit="Hessian"):
        if name not in place.kept():  # of a run that was stopped
            place.keep(name, _measured(build(), comparison, seed))
            if not place.kept()[name]["converged"]:
                note(f"{subject.name}: not all eigenvalues of {name} are within the tolerance")
    found = [{"name": name, **place.kept()[name]} for name in objectives]
    pooled = _pooled(found[3:]) if found[3:] else None
    _compare([*found, *([pooled] if pooled else [])], found[0], subject.used_share)
    _write(place, found)
    where = (
        "loss",
        "accuracy",
        "score",
        "score_name",
        "dimension",
        "gradient_norm",
        "gradient_curvature",
        "weight_norm",
    )
    return {
        **{key: found[0][key] for key in where},
        "subspace": "survivors",
        "temperature": temperature_of(losses[0]),
        "parent_temperature": temperature_of(losses[1]),
        "used_share": subject.used_share,
        "operators": found,
        "random_masks": pooled and pooled | {key: spread([each[key] for each in found[3:]]) for key in RATIOS},
    }


def _measured(objective: Objective, comparison: Comparison, seed: int) -> dict[str, Any]:
    """One Hessian's numbers; the draws are the same for all, as far as they have coordinates in common."""

    def solve(function: Differentiable, top: int, known: tuple[Tensor, Tensor] | None = None) -> Eigenpairs:
        draws = stream(seed, "lanczos")
        return top_eigenpairs(
            function.hvp,
            lambda: function.normal(draws),
            function.dimension,
            top,
            tolerance=comparison.tolerance,
            known=known,
            memory=objective.keeper.vector_bytes,
        )

    objective.keeper.reserve(comparison.top + LEAST_ROOM, objective.dimension)
    at, relative, probes = slope(objective), Relative(objective), stream(seed, "trace")
    pairs, adaptive = solve(objective, comparison.top, at[1:]), solve(relative, 1)
    trace = hutchinson(objective.hvp, lambda: objective.signs(probes), comparison.trace)
    top_share = float(pairs.values.sum()) / trace.value if trace.value else None
    return position(objective, at) | {
        **objective.evaluate().said(),
        "lambda_max": float(pairs.values[0]),
        "eigenvalues": pairs.values.tolist(),
        "residuals": pairs.residuals.tolist(),
        "converged": pairs.converged and adaptive.converged,
        "products": pairs.products,
        "trace": trace.value,
        "trace_stderr": trace.stderr,
        "top_share": top_share,
        "top_share_stderr": trace.stderr and top_share and abs(top_share * trace.stderr / trace.value),
        "adaptive_lambda_max": float(adaptive.values[0]),
        "adaptive_residual": float(adaptive.residuals[0]),
        "blocks": _blocks(objective, pairs.vectors, relative.absolute(adaptive.vectors), comparison, seed),
    }


def _blocks(
    objective: Objective, vectors: Tensor, relative: Tensor, comparison: Comparison, seed: int
) -> dict[str, Any]:
    """The numbers of each block of the examples by itself, to first order: what their errors come from.

    `vectors`: (k, d) eigenvectors; `relative`: (1, d) that of |w| H |w|, times |w|.
    """
    import torch

    probes, count = stream(seed, "trace"), min(DATA_PROBES, comparison.trace)
    signs = torch.stack([objective.signs(probes) for _ in range(count)])
    every = torch.cat([vectors, relative, signs])
    found, weights = block_quotients(objective, every, seed)  # (blocks, k + 1 + probes)
    eigenvalues, adaptive, traces = found.split([len(vectors), 1, count], dim=1)
    return {
        "eigenvalues": eigenvalues.tolist(),
        "lambda_max": eigenvalues[:, 0].tolist(),
        "trace": traces.mean(1).tolist(),
        "adaptive_lambda_max": adaptive[:, 0].tolist(),
        "weights": list(weights),
    }


def _pooled(masks: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The means of several Hessians' numbers, of each block too."""
    import numpy as np

    blocks = {key: np.mean([each["blocks"][key] for each in masks], axis=0).tolist() for key in masks[0]["blocks"]}
    means = {key: float(np.mean([each[key] for each in masks])) for key in RATIOS}
    eigenvalues = np.mean([each["eigenvalues"] for each in masks], axis=0).tolist()
    top_share = sum(eigenvalues) / means["trace"] if means["trace"] else None
    return means | {"eigenvalues": eigenvalues, "top_share": top_share, "blocks": blocks}


def _compare(entries: Sequence[dict[str, Any]], reference: dict[str, Any], used_share: float | None) -> None:
    """Put ratios and errors in the place of what they come from."""
    weights = reference["blocks"]["weights"]
    shares = {"data_stderr": used_share, "data_stderr_new": 1.0}
    for each in entries:
        each["ratios"] = {key: _ratio(each[key], reference[key], reference.get(f"{key}_stderr")) for key in RATIOS}
        each |= {kind: errors(each, reference, RATIOS, weights, share) for kind, share in shares.items()}
    for each in entries:
        del each["blocks"]


def _ratio(value: float, reference: float, error: float | None) -> float | None:
    """None to a reference that is zero, or cannot be told from it by its error: such a ratio may be anything.

    >>> _ratio(3.0, 2.0, 0.5), _ratio(3.0, 2.0, None), _ratio(3.0, 0.8, 0.5)
    (1.5, 1.5, None)
    """
    return None if abs(reference) <= SURE * (error or 0.0) else value / reference


def _write(place: Place, found: Sequence[dict[str, Any]]) -> None:
    place.scale("survivors/operator", [each["name"] for each in found], "1", "whose Hessian, over which weights")
    place.scale("survivors/rank", list(range(1, len(found[0]["eigenvalues"]) + 1)), "1", "rank by value")
    record.write(place, "survivors", NUMBERS, found)
    unknown = {number.key: None for number in NUMBERS} | {"eigenvalues": [None] * len(found[0]["eigenvalues"])}
    for kind in ("data_stderr", "data_stderr_new"):
        record.write(place, "survivors", error_numbers(kind, ERRORS[kind]), [each[kind] or unknown for each in found])
