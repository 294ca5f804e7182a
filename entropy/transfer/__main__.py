"""`python -m entropy.transfer CKPT... --to DATA`: what networks are worth on other data, and whether entropy tells."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from minima.store.command import Report, run
from minima.zoo.training.recipe import require

if TYPE_CHECKING:
    from minima.store.hdf5.results import Place
    from minima.zoo.subject.subject import Subject
from entropy.transfer.flags import Transfer, check_recipe

Summary = dict[str, Any]


def main(arguments: Transfer) -> Report:
    """Measure every checkpoint named on the command line, then compare them."""
    require("--epochs", arguments.epochs, arguments.epochs >= 0, "0 (no fine-tuning) or more")
    check_recipe(arguments.recipe)

    from entropy.transfer.compute import Target, measure_on
    from entropy.transfer.report import compared, overview
    from minima.zoo.data.specs import load_data, resolve_data
    from minima.zoo.measuring.each import measure_each

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


if __name__ == "__main__":
    run(Transfer, main, prog="python -m entropy.transfer")
