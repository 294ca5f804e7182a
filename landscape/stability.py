"""Curvature over training beside what the optimiser bears (edge of stability): `python -m landscape.stability FILE`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from landscape.flags import Landscape, located
from landscape.position import write_position
from store.command import BadInput, Report, note, render_table, run
from zoo.measuring import measure_each

if TYPE_CHECKING:
    from landscape.objective import Objective
    from landscape.threshold import Moment
    from store.results import Place
    from zoo.subject import Subject

UNITS = {
    "update": ("1", "steps of the optimiser done"),
    "lambda_max": ("nat", "largest eigenvalue of the Hessian of the loss of all examples trained on"),
    "residual": ("1", "||Hv - lv|| / |l| of it"),
    "batch_sharpness": ("nat", "curvature of a batch's own loss along its own gradient, mean over batches"),
    "batch_sharpness_stderr": ("nat", "standard error of it over the batches; NaN where one holds all examples"),
    "batch_sharpness_of_means": (
        "nat",
        "the mean of g.Hg over that of g.g: large gradients count more",
    ),
    "weight_decay": ("nat", "curvature of the weight decay, to be added to that of the loss"),
    "learning_rate": ("1", "of the next step"),
    "threshold": ("nat", "largest curvature that the next step bears on a quadratic"),
}
COLUMNS = {
    "update": "step",
    "loss": "loss",
    "lambda_max": "lambda_max",
    "batch_sharpness": "batch sharpness",
    "batch_sharpness_stderr": "±",
    "learning_rate": "learning rate",
    "threshold": "threshold",
}
EXPLANATION = """
threshold: what a step bears on a quadratic; plain gradient descent 2 / lr. Full-batch training is said to settle with
lambda_max there (Cohen et al. 2021), mini-batch training with its batch sharpness there and lambda_max below (Andreyev
and Beneventano 2024); a weight decay counts as curvature, to be added to both. ±: over the batches drawn."""


@dataclass(frozen=True, kw_only=True)
class Stability(Landscape):
    """Flags of `python -m landscape.stability`."""

    tolerance: float = 1e-3
    """relative error allowed in the largest eigenvalue"""
    batches: int = 64
    """batches drawn for the batch sharpness, each of the size that training used"""


def compute(subject: Subject, place: Place, arguments: Stability) -> dict[str, Any]:
    """Measure one moment of a trajectory, write it to its place, and return what the JSON object says of it.

    Each moment is measured by itself (no start from the eigenvector of the one before), so that a run that was stopped
    goes on to the same numbers. The network is in eval mode: where training normalised by each batch or dropped units,
    its steps felt another curvature.
    """
    from landscape.threshold import moment

    subject, trained = _trained_on(subject)
    when = moment(subject.checkpoint, subject.step or 0, trained)
    objective, where, _ = located(subject, arguments)
    found = _curvature(objective, when, arguments)
    if not found["converged"]:
        note(f"{subject.name}: the products allowed did not bring the eigenvalue within the tolerance")
    write_position(place, "stability", where)
    for key, (units, long_name) in UNITS.items():
        value = found[key]
        place.write(f"stability/{key}", float("nan") if value is None else value, (), units, long_name)
    level = {"accuracy": objective.evaluate().accuracy, "samples": len(subject.x)}
    return where | level | found | {"batch_size": when.recipe.batch_size, "no_threshold": when.unknown}


def table(summary: dict[str, Any]) -> str:
    """What a person reads of the JSON object: a line for each moment."""
    several = isinstance(summary["update"], list)
    rows = [summary[key] if several else [summary[key]] for key in COLUMNS]
    lines = [render_table(list(COLUMNS.values()), list(zip(*rows, strict=True))), EXPLANATION]
    reasons = summary["no_threshold"] if several else [summary["no_threshold"]]
    lines += [f"There is no threshold: {reason}." for reason in dict.fromkeys(reasons) if reason]
    return "\n".join(lines)


def main(arguments: Stability) -> Report:
    """Measure every moment of the trajectories named on the command line."""
    _check(arguments)
    report = measure_each(arguments, "stability", lambda subject, place: compute(subject, place, arguments), str)
    return replace(report, table=table(report.summary))


def _trained_on(subject: Subject) -> tuple[Subject, int]:
    """The subject without the examples that training held out for validation, and how many training used in all."""
    from zoo.holdout import holdout

    training = subject.checkpoint.training
    used, _ = holdout(subject.available, training["validation"], training["split_seed"])
    kept = used[used < len(subject.x)].to(subject.device)
    if not len(kept):
        raise BadInput(f"--samples {len(subject.x)}: training held all of them out. Type more")
    return replace(subject, x=subject.x[kept], y=subject.y[kept]), len(used)


def _curvature(objective: Objective, when: Moment, arguments: Stability) -> dict[str, Any]:
    """The numbers of `UNITS`, and whether the eigenvalue converged."""
    from landscape.lanczos import top_eigenpairs
    from landscape.measures.batch_sharpness import BatchSharpness
    from landscape.streams import stream
    from zoo.seeds import derive

    draws, size, room = stream(arguments.seed, "lanczos"), objective.dimension, objective.keeper.vector_bytes
    top = top_eigenpairs(
        objective.hvp, lambda: objective.normal(draws), size, 1, tolerance=arguments.tolerance, memory=room
    )
    batches = BatchSharpness(batch=when.recipe.batch_size, batches=arguments.batches)
    sharpness = batches.measure(objective, derive(arguments.seed, "moment", when.update))
    return {
        "update": when.update,
        "lambda_max": float(top.values[0]),
        "residual": float(top.residuals[0]),
        "converged": top.converged,
        "batch_sharpness": sharpness.value,
        "batch_sharpness_stderr": sharpness.stderr,
        "batch_sharpness_of_means": sharpness.values.get("quotient_of_means"),
        "weight_decay": when.recipe.weight_decay,
        "learning_rate": when.learning_rate,
        "threshold": when.threshold,
    }


def _check(arguments: Stability) -> None:
    from store.trajectory import is_trajectory

    if arguments.split != "train":
        raise BadInput(f"--split {arguments.split}: training goes down the loss of the train split. Leave --split out")
    if arguments.batches < 1 or not arguments.tolerance > 0:
        flag = "--batches" if arguments.batches < 1 else "--tolerance"
        raise BadInput(f"{flag}: expected a number above 0")
    for path in arguments.checkpoints:
        if path.is_file() and not is_trajectory(path):
            raise BadInput(
                f"{path} is no trajectory, and what is asked is what happened on the way.\n"
                "Train with --keep 10 --keep-unit step, and name the file NAME.trajectory.h5"
            )


if __name__ == "__main__":
    run(Stability, main, prog="python -m landscape.stability", description=__doc__ or "")
