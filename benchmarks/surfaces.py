"""`make bench`: what a point of a loss surface costs, beside other tools, in one process and run (in .venv-peers).

Networks of the zoo as they are initialised, in eval mode, and random images already in memory, the same for all. Floor:
plain passes of the module, 64 images at once. Ours: as `python -m landscape.surface` computes a surface of 11x11
points, the trials of its planner included, time to compile apart. Contestants in turn, a few points each time.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.kept import keep
from benchmarks.known import check
from minima.store.command import BadInput, Command, Report, note, render_table, run

if TYPE_CHECKING:
    from torch import Tensor, nn

NETWORKS = {"resnet20": (3, 32, 32), "lenet5": (1, 28, 28), "vgg16": (3, 32, 32), "vit": (3, 32, 32)}
"""images' shape"""
POINTS = 11 * 11
STEPS = 2
"""points of each side of the grid that a contestant does in its turn"""
CLASSES, CHUNK = 10, 64
FLOOR = "plain passes"
OUT = Path("out/benchmarks/surfaces.json")
COLUMNS = ("network", "contestant", "s a point", "x floor", "how", "trials, s", "compiling, s", "error")


@dataclass(frozen=True, kw_only=True)
class Surfaces(Command):
    """What a point of a loss surface costs, in plain forward passes over the same images."""

    quick: bool = False
    """few images and a single round: that everything works; the numbers then say little"""
    networks: tuple[str, ...] = tuple(NETWORKS)
    """of the zoo"""
    images: int = 2048
    """how many"""
    rounds: int = 5
    """how often each takes its turn"""
    threads: int = 1
    """of torch"""


def main(arguments: Surfaces) -> Report:
    """Time every network; write the JSON and the table as Markdown; return the table."""
    check("--networks", arguments.networks, NETWORKS)
    import torch

    torch.set_num_threads(arguments.threads)
    images, rounds = (128, 1) if arguments.quick else (arguments.images, arguments.rounds)
    each = {}
    for network in arguments.networks:
        note(f"{network}: {images} images, {rounds} round(s)")
        each[network] = _costs(network, images, rounds)
    summary = {
        "images": images,
        "rounds": rounds,
        "threads": arguments.threads,
        "torch": torch.__version__,
        "networks": each,
    }
    rows = [[network, *row.values()] for network, found in each.items() for row in found]
    keep(OUT, summary, COLUMNS, rows)
    text = f"Medians of {rounds} round(s), {images} images, {arguments.threads} thread(s). Written to {OUT} and .md"
    return Report(summary, f"{render_table(COLUMNS, rows)}\n\n{text}")


def _costs(network: str, images: int, rounds: int) -> list[dict[str, Any]]:
    import torch

    from benchmarks.alternate import alternate, ratios
    from benchmarks.plain_passes import forward
    from minima.zoo.architecture.architecture import describe, initialise, parse_architecture

    shape = NETWORKS[network]
    model = initialise(describe(parse_architecture(network), shape, CLASSES), seed=0).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.01 * (not parameter.any()))  # loss-landscapes divides by the norm of each bias
    x, y = torch.randn(images, *shape, generator=torch.Generator().manual_seed(0)), torch.arange(images) % CLASSES

    def floor() -> None:
        for _ in range(STEPS**2):
            forward(model, x, CHUNK)

    ours = {f"minima, --compile {compiling}": _Ours(model, x, y, compiling) for compiling in ("off", "on")}
    seconds = alternate({FLOOR: floor, **ours, **_peers(model, x, y)}, rounds)
    found = []
    for name, relative in ratios(seconds, FLOOR).items():
        each, own = median(seconds[name]) / STEPS**2, ours.get(name)
        trials = own.trial_seconds if own else 0.0
        floor_ = each / relative
        row = {"contestant": name, "seconds": each + trials / POINTS, "relative": relative + trials / POINTS / floor_}
        found.append(row | (own.said() if own else dict.fromkeys(("plan", "trials", "compiling", "error"))))
    return found


class _Ours:
    """Our way to evaluate points, chosen for a surface."""

    def __init__(self, model: nn.Module, x: Tensor, y: Tensor, compiling: Any) -> None:
        import time

        import torch

        from landscape.objective.objective import Objective
        from landscape.surface.planner import choose

        self.objective = Objective(model, x, y)
        self.point = 0.01 * torch.randn(self.objective.dimension, dtype=torch.float64)
        plain = self._plain(copy.deepcopy(model), x, y)
        start = time.perf_counter()
        self.plan = choose(self.objective, self.point, POINTS, compiling)
        self.objective.forward.settle(self.plan)
        self.trial_seconds = time.perf_counter() - start - self.objective.forward.compile_seconds
        self.error = abs(self.objective.loss(self.point) / plain - 1)

    def __call__(self) -> None:
        for _ in range(STEPS**2):
            self.objective.evaluate(self.point)

    def said(self) -> dict[str, Any]:
        """The plan, what it took, and the relative error of the loss."""
        compiling = self.objective.forward.compile_seconds
        return {"plan": str(self.plan), "trials": self.trial_seconds, "compiling": compiling, "error": self.error}

    def _plain(self, model: nn.Module, x: Tensor, y: Tensor) -> float:
        """The loss of a copy that is moved to the point."""
        import torch

        from minima.zoo.examples.evaluation import evaluate

        with torch.no_grad():
            for name, weight in self.objective.weights(self.point).items():
                model.get_parameter(name).copy_(weight)
        return evaluate(model, x, y, CHUNK).loss


def _peers(model: nn.Module, x: Tensor, y: Tensor) -> dict[str, Callable[[], Any]]:
    """Each with a copy of the model, since one of them leaves it displaced."""
    from importlib import import_module

    names = {"loss-landscapes": "loss_landscapes", "Landscaper": "landscaper", "the 2018 loop": "published_loop"}
    found = {}
    for name, module in names.items():
        try:
            surface = import_module(f"benchmarks.surface_tools.{module}").surface
        except ModuleNotFoundError as error:
            raise BadInput(f"{error.name} is not installed here: run .venv-peers/bin/python") from error
        found[name] = lambda surface=surface: surface(copy.deepcopy(model), x, y, STEPS)
    return found


if __name__ == "__main__":
    run(Surfaces, main, prog="python -m benchmarks.surfaces")
