"""`python -m pruning.tuning CKPT`: which settings of ICE-Pruning fall least and train least on a share of the data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minima.store.command import BadInput, Report, note, run
from pruning.tuning.flags import Tuning

if TYPE_CHECKING:
    from pruning.tuning.search import Trial


def main(arguments: Tuning) -> Report:
    """Try the method's own settings, then points of the grid; tell which is best, as a line to type."""
    from minima.zoo.subject.flags import loaded
    from minima.zoo.subject.subject import Choice, Reader
    from pruning.running.job import say_defaults
    from pruning.tuning.report import choose, command, text
    from pruning.tuning.search import Search, few, objective, points

    if not 1 <= arguments.trials <= 216 or arguments.epochs < 1:
        raise BadInput(
            f"--trials {arguments.trials}, --epochs {arguments.epochs}: expected 1 to 216 points, 1 epoch or more"
        )
    _check_measure(arguments)
    subject = Reader(Choice(**loaded(arguments), device=arguments.device)).read(arguments.checkpoint)
    trained = subject.checkpoint.training
    validation = trained.get("validation", 0.0) if arguments.validation is None else arguments.validation
    splits = few(subject.splits(validation, trained.get("split_seed", 0)), arguments.share, arguments.seed)
    say_defaults(subject.checkpoint)
    search = Search(subject, splits, arguments.method, arguments.amount, arguments.measure, arguments.epochs)
    reference = search.trial({})
    held_out = len(splits.validation[0])
    tried = []
    for place, point in enumerate(points(arguments.trials, arguments.seed), 1):
        tried.append(search.trial(point))
        note(f"trial {place} of {arguments.trials}: {tried[-1].steps} steps, score fallen by {tried[-1].fall:.4g}")
    found = choose(reference, tried, 1 / held_out)
    best = tried[found.best - 1].point if found.best else {}
    summary = {
        "checkpoint": str(arguments.checkpoint),
        "examples": len(splits.train[0]),
        "held_out": held_out,
        "own": _plain(reference) | {"objective": objective(reference, reference, 1 / held_out)},
        "trials": [_plain(each) | {"objective": objective(each, reference, 1 / held_out)} for each in tried],
        "best": dict(best),
        "best_trial": found.best,
        "tied": list(found.tied),
        "flags": " ".join(f"--{name} {value:g}" for name, value in best.items()),
        "command": command(arguments, best),
    }
    return Report(summary, text(arguments, reference, tried, held_out))


def _check_measure(arguments: Tuning) -> None:
    """Refuse a share of units of a method that removes single weights, in the flags of this command."""
    from pruning.composition.method import methods
    from pruning.spaces.elements import Elements

    if arguments.measure != "sparsity" and isinstance(methods()[arguments.method]().composition().space, Elements):
        raise BadInput(
            f"--method {arguments.method} removes single weights, of which only a share of their number can be asked "
            f"for, and --measure is {arguments.measure}.\nType --measure sparsity, or --method ice-filters"
        )


def _plain(trial: Trial) -> dict[str, Any]:
    return {"settings": dict(trial.point), "steps": trial.steps, "fall": trial.fall}


if __name__ == "__main__":
    run(Tuning, main, prog="python -m pruning.tuning")
