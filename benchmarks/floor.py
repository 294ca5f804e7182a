"""`make bench`: what each measurement costs, in the plain passes over the data that it cannot avoid.

Networks of the zoo, trained for ten epochs, on the digits' train split (1,437 images), one thread. `forward` is a plain
pass of the module in eval mode without gradients, `forward+backward` a plain `torch.autograd.grad` of the mean loss.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.kept import keep
from minima.store.command import Command, Report, render_table, run

NETWORKS = ("lenet300", "lenet5", "resnet20:width=8")
POINTS = 51 * 51
"""of a surface"""
OUT = Path("out/benchmarks/floor.json")


@dataclass(frozen=True, kw_only=True)
class Floor(Command):
    """What each measurement costs, in plain passes over the same data."""

    rounds: int = 5
    """how often each is timed, in turn"""
    networks: tuple[str, ...] = NETWORKS
    """of the zoo"""


def main(arguments: Floor) -> Report:
    """Time every network; write the JSON and return the table."""
    import torch

    torch.set_num_threads(1)
    each = {network: _costs(network, arguments.rounds) for network in arguments.networks}
    summary = {"rounds": arguments.rounds, "threads": 1, "torch": torch.__version__, "networks": each}
    keep(OUT, summary)
    rows = [
        [network, work, cost["ms"], cost["forward"], cost["forward+backward"]]
        for network, costs in each.items()
        for work, cost in costs.items()
    ]
    table = render_table(["network", "work", "ms", "in forward passes", "in forward+backward"], rows)
    note = f"Medians of {arguments.rounds} rounds, contestants in turn, one thread. Written to {OUT}"
    return Report(summary, f"{table}\n\n{note}")


def _costs(network: str, rounds: int) -> dict[str, dict[str, float]]:
    from benchmarks.alternate import alternate, ratios

    seconds = alternate(_contestants(network), rounds)
    passes = {floor: ratios(seconds, floor) for floor in ("forward", "forward+backward")}
    return {
        work: {"ms": 1000 * median(times), **{floor: by[work] for floor, by in passes.items()}}
        for work, times in seconds.items()
    }


def _contestants(network: str) -> dict[str, Callable[[], Any]]:
    import torch

    from benchmarks.plain_passes import forward, forward_backward
    from entropy.information.measurement import measure
    from landscape.objective.objective import Objective
    from landscape.objective.streams import stream
    from landscape.spectrum.lanczos import top_eigenpairs
    from landscape.spectrum.operator import operators
    from landscape.surface.planner import choose
    from minima.zoo.architecture.architecture import describe, initialise, parse_architecture
    from minima.zoo.data.specs import load_data, resolve_data
    from minima.zoo.examples.batches import default_batch_size
    from minima.zoo.training.loop import Trainer
    from minima.zoo.training.recipe import Recipe

    data = load_data(resolve_data("digits"))
    model = initialise(describe(parse_architecture(network), data.input_shape, data.classes), seed=0)
    trainer = Trainer(model, data.x_train, data.y_train, Recipe(lr=0.05), epochs=10, order_seed=0)
    trainer.advance(10 * trainer.steps_per_epoch)
    model.eval()
    size = default_batch_size(data.x_train)
    objective = Objective(model, data.x_train, data.y_train, batch_size=size)
    vector = torch.randn(objective.dimension, dtype=torch.float64)
    objective.forward.settle(choose(objective, 1e-3 * vector, POINTS))
    block = torch.randn(8, objective.dimension, dtype=torch.float64)
    others = [kind for name, kind in operators().items() if name != "hessian"]

    def top_five() -> None:
        draws = stream(0, "lanczos")
        top_eigenpairs(objective.hvp, lambda: objective.normal(draws), objective.dimension, 5)

    return {
        "forward": lambda: forward(model, data.x_train, size),
        "forward+backward": lambda: forward_backward(model, data.x_train, data.y_train, size),
        "a point of a surface": lambda: objective.evaluate(1e-3 * vector),
        "gradient": objective.gradient,
        "Hessian-vector product": lambda: objective.hvp(vector),
        "8 products at once": lambda: objective.hvp(block),
        **{f"{kind.title} product": _product(kind(), objective, vector) for kind in others},
        "top 5 eigenvalues": top_five,
        "PSP-entropy": lambda: measure(model, data.x_train, data.y_train, data.classes, batch_size=size),
    }


def _product(operator: Any, objective: Any, vector: Any) -> Callable[[], Any]:
    """On graphs of its own, as Hessian-vector products are."""
    product = operator.product(objective.part(0, len(objective.x)))
    return lambda: product(vector)


if __name__ == "__main__":
    run(Floor, main, prog="python -m benchmarks.floor")
