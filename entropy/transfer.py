"""`python -m entropy.transfer CKPT... --to DATA`: what networks are worth on other data, and whether entropy tells."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from store.command import BadInput, Report, run
from zoo.measuring import Measuring, measure_each
from zoo.recipe import Recipe, require

if TYPE_CHECKING:
    from store.results import Place
    from zoo.subject import Subject

Summary = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Transfer(Measuring):
    """What networks are worth on other data: linear probe, fine-tuning, and how both go with PSP-entropy."""

    to: str
    """the target: any data (mnist, npz:FILE, ...) or some of its classes (digits:classes=5-9), normalised as the
    checkpoint's own data is"""
    split: Literal["train", "test"] = "test"
    """of the checkpoint's own data, for loss and accuracy, and of the target, for the entropies"""
    samples: int | None = None
    """the first N examples of the split of the checkpoint's own data (default: all); the target is used whole"""
    epochs: int = 30
    """of fine-tuning on the target, with a fresh head and the mask kept (0: none)"""
    recipe: Recipe = field(default_factory=lambda: Recipe(lr=0.05))


def main(arguments: Transfer) -> Report:
    """Measure every checkpoint named on the command line, then compare them."""
    from entropy.transfer_comparison import compared, overview
    from entropy.transfer_measurement import Target, measure_on
    from zoo.data import load_data, resolve_data

    require("--epochs", arguments.epochs, arguments.epochs >= 0, "0 (no fine-tuning) or more")
    _check_recipe(arguments.recipe)

    @cache
    def target(mean: tuple[float, ...], std: tuple[float, ...]) -> Target:
        entry = resolve_data(arguments.to, arguments.data_root, mean, std, flag="--to")
        return Target(entry["spec"], load_data(entry, run_code=True))

    def compute(subject: Subject, place: Place) -> Summary:
        own = subject.checkpoint.data
        found = measure_on(target(tuple(own["mean"]), tuple(own["std"])), subject, place, arguments)
        return compared([found], arguments.seed)[0]

    def conclude(_places: list[Place], summaries: list[Summary]) -> list[Summary]:
        return compared(summaries, arguments.seed)

    report = measure_each(arguments, "transfer", compute, lambda _: "", conclude=conclude)
    return replace(report, table=overview(report.summary))


def _check_recipe(recipe: Recipe) -> None:
    """Its flags have a prefix here, because --batch-size is taken."""
    try:
        recipe.check()
    except BadInput as error:
        raise BadInput(str(error).replace("--", "--recipe.", 1)) from error


if __name__ == "__main__":
    run(Transfer, main, prog="python -m entropy.transfer")
