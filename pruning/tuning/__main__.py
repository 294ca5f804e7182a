"""`python -m pruning.tuning CKPT`: which settings of ICE-Pruning fall least and train least on a share of the data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minima.store.command import BadInput, Report, note, render_table, run
from pruning.tuning.flags import Tuning

if TYPE_CHECKING:
    from pruning.tuning.search import Trial


def main(arguments: Tuning) -> Report:
    """Try the method's own settings, then points of the grid; tell the best as flags to type."""
    from minima.zoo.subject.flags import loaded
    from minima.zoo.subject.subject import Choice, Reader
    from pruning.tuning.search import GRID, Search, few, objective, points

    if not 1 <= arguments.trials <= 216 or arguments.epochs < 1:
        raise BadInput(
            f"--trials {arguments.trials}, --epochs {arguments.epochs}: expected 1 to 216 points, 1 epoch or more"
        )
    subject = Reader(Choice(**loaded(arguments), device=arguments.device)).read(arguments.checkpoint)
    trained = subject.checkpoint.training
    validation = trained.get("validation", 0.0) if arguments.validation is None else arguments.validation
    splits = few(subject.splits(validation, trained.get("split_seed", 0)), arguments.share, arguments.seed)
    search = Search(subject, splits, arguments.method, arguments.amount, arguments.measure, arguments.epochs)
    reference = search.trial({})
    least = 1 / len(splits.validation[0])
    tried = []
    for place, point in enumerate(points(arguments.trials, arguments.seed), 1):
        tried.append(search.trial(point))
        note(f"trial {place} of {arguments.trials}: {tried[-1].steps} steps, score fallen by {tried[-1].fall:.4g}")
    costs = [objective(each, reference, least) for each in tried]
    best = tried[costs.index(min(costs))]
    flags = " ".join(f"--{name} {value:g}" for name, value in best.point.items())
    rows = [["own", *[None] * len(GRID), reference.steps, reference.fall, objective(reference, reference, least)]]
    for place, (each, cost) in enumerate(zip(tried, costs, strict=True), 1):
        rows.append([str(place), *each.point.values(), each.steps, each.fall, cost])
    table = render_table(["trial", *GRID, "steps", "score fallen by", "objective"], rows)
    summary = {
        "checkpoint": str(arguments.checkpoint),
        "examples": len(splits.train[0]),
        "own": _plain(reference),
        "trials": [_plain(each) | {"objective": cost} for each, cost in zip(tried, costs, strict=True)],
        "best": dict(best.point),
        "flags": flags,
    }
    return Report(summary, f"{table}\n\npython -m pruning {arguments.method} {arguments.checkpoint} {flags} ...")


def _plain(trial: Trial) -> dict[str, Any]:
    return {"settings": dict(trial.point), "steps": trial.steps, "fall": trial.fall}


if __name__ == "__main__":
    run(Tuning, main, prog="python -m pruning.tuning")
