"""What masks cost in training: a step with fixed masks and a step of SR-STE beside a dense step.

Random images of CIFAR's shape, SGD with momentum and weight decay, one thread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.kept import keep
from minima.store.command import Command, Report, render_table, run

if TYPE_CHECKING:
    from minima.zoo.training.loop import Trainer

OUT = Path("out/benchmarks/masks.json")


@dataclass(frozen=True, kw_only=True)
class Masks(Command):
    """What masks cost in training, in dense steps."""

    network: str = "resnet20"
    """of the zoo"""
    batch_size: int = 64
    """examples per step"""
    rounds: int = 21
    """how often each is timed, in turn"""


def main(arguments: Masks) -> Report:
    """Time the steps; write the JSON and return the table."""
    import torch

    from benchmarks.alternate import alternate, ratios

    torch.set_num_threads(1)
    seconds = alternate(_contestants(arguments), arguments.rounds)
    by = ratios(seconds, "dense step")
    costs = {name: {"ms": 1000 * median(times), "dense steps": by[name]} for name, times in seconds.items()}
    setting = {"network": arguments.network, "batch_size": arguments.batch_size, "rounds": arguments.rounds}
    summary: dict[str, Any] = setting | {"threads": 1, "torch": torch.__version__, "costs": costs}
    keep(OUT, summary)
    table = render_table(["work", "ms", "in dense steps"], [[name, *cost.values()] for name, cost in costs.items()])
    note = f"Medians of {arguments.rounds} rounds, contestants in turn, one thread. Written to {OUT}"
    return Report(summary, f"{table}\n\n{note}")


def _contestants(arguments: Masks) -> dict[str, Callable[[], object]]:
    import torch

    from minima.zoo.anatomy.prunable import prunable
    from pruning.methods.sr_ste import SrSte

    dense, masked, loose = (_trainer(arguments) for _ in range(3))
    weights = prunable(masked.model)
    masked.set_masks({name: torch.rand(weight.shape) > 0.9 for name, weight in weights.items()})
    first = next(iter(weights)).removesuffix(".weight")  # three colours fall into no blocks
    loose.loosen(SrSte(dense=(first,)).composition().loose(loose.model))
    return {
        "dense step": lambda: dense.advance(1),
        "step with fixed masks": lambda: masked.advance(1),
        "step of SR-STE, 2:4": lambda: loose.advance(1),
    }


def _trainer(arguments: Masks) -> Trainer:
    import torch

    from minima.zoo.architecture.architecture import describe, initialise, parse_architecture
    from minima.zoo.training.loop import Trainer
    from minima.zoo.training.recipe import Recipe

    model = initialise(describe(parse_architecture(arguments.network), (3, 32, 32), 10), seed=0)
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(4 * arguments.batch_size, 3, 32, 32, generator=generator)
    y = torch.randint(0, 10, (len(x),), generator=generator)
    recipe = Recipe(lr=0.01, weight_decay=5e-4, batch_size=arguments.batch_size)
    return Trainer(model, x, y, recipe, epochs=1000, order_seed=0)


if __name__ == "__main__":
    run(Masks, main, prog="python -m benchmarks.masks")
