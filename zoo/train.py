"""`python -m zoo.train`: train a network of the zoo, or train finished checkpoints on with their masks frozen."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from store.command import BadInput, Command, Report, note, render_table, run
from zoo.device import DeviceName
from zoo.recipe import Recipe

COLUMNS = ("out", "epochs", "train_loss", "train_accuracy", "loss", "accuracy")


@dataclass(frozen=True, kw_only=True)
class Train(Command):
    """Train a network and write a checkpoint; with --from, train checkpoints on, their masks frozen.

    A run that was stopped goes on where it was when the same line is typed again, to the same bytes.
    """

    out: Annotated[str, tyro.conf.arg(aliases=["-o"])]
    """checkpoint to write; with several --from it contains {stem}, which becomes each input's name"""
    model: str | None = None
    """NAME or NAME:KEY=VALUE,...: mlp, lenet300 (default), lenet5, resnet20, 32, 56, vgg16, mobilenet, vit"""
    data: str | None = None
    """digits (default), mnist, fashion-mnist, cifar10, cifar100, npz:FILE, file.py:factory, also digits:classes=0-4
    and digits:labels=random"""
    data_root: Path | None = None
    """folder with the datasets (default: $DATA_ROOT, else data)"""
    download: bool = False
    """let torchvision fetch what is missing there of mnist, fashion-mnist, cifar10 or cifar100"""
    mean: str | None = None
    """per channel, comma separated"""
    std: str | None = None
    """per channel, comma separated"""
    start: Annotated[tuple[Path, ...], tyro.conf.arg(name="from")] = ()
    """checkpoints to train on from, instead of a new network"""
    from_epoch: int | None = None
    """with --from: begin at its weights of this epoch, which --weights-at kept, instead of the last"""
    epochs: int = 30
    """passes over the training examples (with --from: further ones)"""
    recipe: Annotated[Recipe, tyro.conf.arg(name="")] = field(default_factory=Recipe)
    validation: float | None = None
    """fraction of the train split held out (default: 0.1; with --from as it was)"""
    seed: int | None = None
    """of the initial weights (default: 0)"""
    split_seed: int | None = None
    """of the held-out part (default: the seed; with --from as it was)"""
    order_seed: int | None = None
    """of the order of the examples (default: the seed): another one gives a sibling"""
    weights_at: tuple[int, ...] = (0,)
    """epochs whose weights a new network's checkpoint also holds, for rewinding"""
    keep: int = 0
    """write the weights of every N-th epoch to OUT.trajectory.h5"""
    keep_unit: Literal["epoch", "step"] = "epoch"
    """unit of --keep"""
    device: DeviceName = "auto"
    """where to compute"""
    overwrite: bool = False
    """replace a file that was made otherwise"""


def main(arguments: Train) -> Report:
    """Train every start to its target."""
    rows = [_train_one(arguments, start, target) for start, target in _targets(arguments)]
    headers = ("checkpoint", "epochs", "train loss", "train accuracy", "test loss", "test accuracy")
    table = render_table(headers, [[row[key] for key in COLUMNS] for row in rows])
    summary = rows[0] if len(rows) == 1 else {key: [row[key] for row in rows] for key in rows[0]}
    return Report(summary, table)


def _targets(arguments: Train) -> list[tuple[Path | None, Path]]:
    """Each start with its target, all checked before any work."""
    from store.files import check_distinct, check_writable

    starts = arguments.start or (None,)
    if len(starts) > 1 and "{stem}" not in arguments.out:
        raise BadInput(
            f"--out {arguments.out}: {len(starts)} checkpoints need a name with {{stem}} in it, "
            "for example -o 'runs/{stem}.on.pt'"
        )
    pairs = []
    for start in starts:
        target = Path(arguments.out.replace("{stem}", start.name.removesuffix(".pt") if start else "new"))
        check_writable(target)
        check_distinct(target, arguments.start)
        pairs.append((start, target))
    return pairs


def _train_one(arguments: Train, source: Path | None, target: Path) -> dict[str, Any]:
    from store.files import sha256
    from zoo.device import resolve_device
    from zoo.fit import fit
    from zoo.starts import continued, fresh
    from zoo.unfinished import reusable, tidy

    start = fresh(arguments) if source is None else continued(arguments, source)
    finished = reusable(target, start.identity(), arguments.overwrite)
    reused = finished is not None
    if finished:
        note(f"{target} is there already, made with these arguments: nothing to do")
        tidy(target, start.identity())
    else:
        finished = fit(start, target, resolve_device(arguments.device))
    train, test = finished.metrics["train"], finished.metrics["test"]
    return {
        "out": str(target),
        "sha256": sha256(target),
        "reused": reused,
        "epochs": start.plan.epochs,
        "train_loss": train["loss"],
        "train_accuracy": train["accuracy"],
        "loss": test["loss"],
        "accuracy": test["accuracy"],
    }


if __name__ == "__main__":
    run(Train, main, prog="python -m zoo.train")
