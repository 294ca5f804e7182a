"""What the default list of `landscape.sharpness` takes, measure by measure, in plain passes forward and backward."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.kept import keep
from minima.store.command import Command, Report, note, render_table, run

if TYPE_CHECKING:
    from landscape.objective.objective import Objective

OUT = Path("out/benchmarks/sharpness.json")


@dataclass(frozen=True, kw_only=True)
class SharpnessPasses(Command):
    """What each sharpness measure takes, and all of the default list, as one command runs them."""

    networks: tuple[str, ...] = ("lenet5", "resnet20")
    """of benchmarks.networks, trained if they are not yet"""
    samples: int = 1000
    """examples of the train split"""
    threads: int = 1
    """of the processor"""
    rounds: int = 2
    """how often the list is run; medians are told"""


def main(arguments: SharpnessPasses) -> Report:
    """Time every network; write the JSON and return the table."""
    import torch

    torch.set_num_threads(arguments.threads)
    each = {network: _costs(network, arguments) for network in arguments.networks}
    summary: dict[str, Any] = {name: getattr(arguments, name) for name in ("samples", "threads", "rounds")}
    keep(OUT, summary | {"torch": torch.__version__, "networks": each})
    rows = [[network, measure, passes] for network, costs in each.items() for measure, passes in costs.items()]
    return Report(
        summary | {"networks": each}, render_table(["network", "measure", "passes forward and backward"], rows)
    )


def _costs(network: str, arguments: SharpnessPasses) -> dict[str, float]:
    from benchmarks.networks import NETWORKS, train
    from landscape.objective.flags import mean_loss
    from landscape.sharpness.flags import chosen_measures
    from landscape.sharpness.measure import prepare
    from minima.zoo.subject.subject import load_subject

    found: dict[str, list[float]] = {}
    for _ in range(arguments.rounds):
        path = train(network, NETWORKS[network])
        subject = load_subject(path, data=NETWORKS[network].data, samples=arguments.samples)
        objective = mean_loss(subject, "survivors")
        objective.gradient()  # derivatives are checked before the first
        plain = median(_plain(objective) for _ in range(5))
        start, chosen = time.perf_counter(), chosen_measures(None)
        prepare(objective, chosen)
        total = time.perf_counter() - start
        for measure in chosen:
            start = time.perf_counter()
            measure.measure(objective, 0)
            taken = time.perf_counter() - start
            total += taken
            found.setdefault(measure.name, []).append(taken / plain)
            note(f"{network}: {measure.name} {taken / plain:.1f} passes of {plain:.3g} s")
        found.setdefault("all", []).append(total / plain)
    return {name: median(times) for name, times in found.items()}


def _plain(objective: Objective) -> float:
    """Seconds of a plain forward and backward pass over the same chunks."""
    import torch
    from torch.nn import functional

    weights = [weight for weight in objective.model.parameters() if weight.requires_grad]
    start = time.perf_counter()
    with torch.enable_grad():
        for first in range(0, len(objective.x), objective.batch_size):
            chunk = slice(first, first + objective.batch_size)
            loss = functional.cross_entropy(objective.model(objective.x[chunk]), objective.y[chunk], reduction="sum")
            torch.autograd.grad(loss, weights)
    return time.perf_counter() - start


if __name__ == "__main__":
    run(SharpnessPasses, main, prog="python -m benchmarks.sharpness_passes")
