"""`make bench`: what PSP-entropy costs, in plain forward passes over the same images and batches.

Networks of the zoo as they are initialised, random images of their data's size already in memory, one thread. The
published algorithm stands beside ours where the network is one it can read: its direct children are its layers.
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.kept import keep
from minima.store.command import Command, Report, render_table, run

NETWORKS = {
    "lenet5": ((1, 28, 28), 10_000),
    "resnet20": ((3, 32, 32), 1_000),
    "vgg16": ((3, 32, 32), 300),
    "vit": ((3, 32, 32), 1_000),
}
"""images' shape and number"""
PLAIN = ("lenet5",)
"""networks whose direct children are their layers"""
CLASSES = 10
OUT = Path("out/benchmarks/entropy.json")


@dataclass(frozen=True, kw_only=True)
class Entropy(Command):
    """What PSP-entropy costs, in plain forward passes over the same images."""

    rounds: int = 3
    """how often each is timed, in turn"""
    networks: tuple[str, ...] = tuple(NETWORKS)
    """of the zoo"""
    images: int | None = None
    """how many (default: 10,000 for lenet5, fewer for the larger networks)"""
    threads: int = 1
    """of each measurement"""


def main(arguments: Entropy) -> Report:
    """Time every network; write the JSON and return the table."""
    import torch

    from benchmarks.alternate import alternate, ratios

    torch.set_num_threads(arguments.threads)
    each, rows = {}, []
    for network in arguments.networks:
        shape, images = NETWORKS[network]
        images = arguments.images or images
        seconds = alternate(_contestants(network, shape, images), arguments.rounds)
        passes = ratios(seconds, "forward")
        costs = {work: {"s": median(times), "forward": passes[work]} for work, times in seconds.items()}
        each[network] = {"images": images, "costs": costs}
        rows += [[network, images, work, cost["s"], cost["forward"]] for work, cost in costs.items()]
    summary = {"rounds": arguments.rounds, "threads": arguments.threads, "torch": torch.__version__, "networks": each}
    keep(OUT, summary)
    table = render_table(["network", "images", "work", "s", "in forward passes"], rows)
    note = f"Medians of {arguments.rounds} rounds, contestants in turn, {arguments.threads} thread(s). Written to {OUT}"
    return Report(summary, f"{table}\n\n{note}")


def _contestants(network: str, shape: tuple[int, ...], images: int) -> dict[str, Callable[[], Any]]:
    import torch

    from benchmarks.plain_passes import forward
    from benchmarks.published_psp import published_psp
    from entropy.information.measurement import measure
    from entropy.information.request import Request, Together
    from minima.zoo.architecture.architecture import describe, initialise, parse_architecture
    from minima.zoo.examples.batches import batches, default_batch_size

    draws = torch.Generator().manual_seed(0)
    x, y = torch.randn(images, *shape, generator=draws), torch.arange(images) % CLASSES
    model = initialise(describe(parse_architecture(network), shape, CLASSES), seed=0).eval()
    size = default_batch_size(x)

    def ours(neurons: Any = "position", order: int = 1, selectivity: bool = False) -> Callable[[], Any]:
        request = Request(together=Together(order), selectivity=selectivity)
        return lambda: measure(model, x, y, CLASSES, neurons=neurons, batch_size=size, request=request)

    contestants: dict[str, Callable[[], Any]] = {
        "forward": lambda: forward(model, x, size),
        "first order": ours(),
        "first order, channels": ours("channel"),
        "first order and selectivity": ours(selectivity=True),
        "second order": ours(order=2),
        "second order, channels": ours("channel", order=2),
    }
    contestants["whole command, from start to files"] = _command(network, model, x, y)
    if network in PLAIN:
        contestants["published algorithm"] = lambda: published_psp(model, lambda: batches(x, y, size), CLASSES)
    return contestants


def _command(network: str, model: Any, x: Any, y: Any) -> Callable[[], Any]:
    """`python -m entropy.psp` on a checkpoint of the network, the images in an .npz: start, reading and writing too."""
    import numpy as np
    import torch

    from minima.store.checkpoints.checkpoint import Checkpoint, save
    from minima.zoo.architecture.architecture import describe, parse_architecture
    from minima.zoo.data.specs import resolve_data
    from minima.zoo.examples.batches import default_batch_size

    folder = Path(tempfile.mkdtemp(prefix="benchmark-"))
    atexit.register(shutil.rmtree, folder)
    few = {"x_train": x[:CLASSES].numpy(), "y_train": y[:CLASSES].numpy()}
    np.savez(folder / "images.npz", x_test=x.numpy(), y_test=y.numpy(), **few)
    described = describe(parse_architecture(network), tuple(x.shape[1:]), CLASSES)
    data = resolve_data(f"npz:{folder / 'images.npz'}")
    save(Checkpoint(model=described, data=data, state=model.state_dict()), folder / "net.pt")
    line = [sys.executable, "-m", "entropy.psp", str(folder / "net.pt"), "--overwrite"]
    line += ["--batch-size", str(default_batch_size(x))]
    environment = {**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())}
    return lambda: subprocess.run(line, env=environment, check=True, capture_output=True)


if __name__ == "__main__":
    run(Entropy, main, prog="python -m benchmarks.entropy")
