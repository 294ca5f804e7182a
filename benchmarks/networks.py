"""The trained networks that tools are compared on, and their data."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from minima.zoo.subject.subject import Subject

FOLDER = Path("out/benchmarks")
CHUNK = 64
"""examples at once, for every tool: it divides the numbers of images, since a tool may not cope with a ragged chunk"""


@dataclass(frozen=True)
class Trained:
    """What `python -m minima.train` is told, and how many images of the train split the comparison looks at."""

    data: str
    epochs: int
    lr: float
    images: int
    few: int
    """the same for a quick look"""
    model: str = ""
    """of the zoo; empty: the one of this name"""
    seed: int = 0
    further: tuple[str, ...] = ()
    """flags of `minima.train`"""


ON_MNIST = Trained("benchmarks/mnist32.py:make", epochs=8, lr=0.05, images=1024, few=128, model="resnet20")
SEEDS = 4
"""of networks that differ in nothing else: how many products a solver takes depends on the gaps of their spectra"""
NETWORKS = {
    "lenet300": Trained("digits", epochs=10, lr=0.05, images=1024, few=256),
    "lenet5": Trained("digits", epochs=20, lr=0.05, images=1024, few=256),
    "resnet20": Trained("benchmarks/digits32.py:make", epochs=8, lr=0.05, images=1024, few=128),
    "resnet20-mnist": ON_MNIST,
    **{f"resnet20-mnist-seed{seed}": replace(ON_MNIST, seed=seed) for seed in range(1, SEEDS)},
    "resnet20-cifar": Trained(
        "cifar10",
        epochs=20,
        lr=0.1,
        images=1024,
        few=128,
        model="resnet20",
        further=("--batch-size", "128", "--weight-decay", "5e-4", "--nesterov"),
    ),
}
BUNDLED = tuple(name for name, recipe in NETWORKS.items() if "digits" in recipe.data)
"""those whose data need no file; the others': $DATA_ROOT"""


def subject(name: str, images: int) -> Subject:
    """The network, trained if it is not yet, with the first `images` of its train split."""
    from minima.zoo.subject.subject import load_subject

    path = train(name, NETWORKS[name])
    return load_subject(path, data=NETWORKS[name].data, samples=images, batch_size=CHUNK)


def train(name: str, recipe: Trained) -> Path:
    """`out/benchmarks/NAME.pt`, trained by the recipe; a finished one is left as it is."""
    path = FOLDER / f"{name}.pt"
    path.parent.mkdir(parents=True, exist_ok=True)
    line = [
        sys.executable,
        "-m",
        "minima.train",
        "--model",
        recipe.model or name,
        "--data",
        recipe.data,
        "-o",
        str(path),
    ]
    line += ["--epochs", str(recipe.epochs), "--lr", str(recipe.lr), "--schedule", "cosine", "--seed", str(recipe.seed)]
    line += recipe.further
    subprocess.run(line, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"})
    return path
