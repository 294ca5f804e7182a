"""The commands that go through the faults, on the smallest inputs there are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from faults.trials import Command, Server

MODEL = ("--model", "mlp:hidden=8", "--data", "digits:classes=0-2")
STUDY = """
kind = "methods"
name = "two"
model = "mlp:hidden=8"
data = "digits:classes=0-2"
seeds = 1
sparsities = [0.5]
dense = "--epochs 2 --keep 1"
prune = "--epochs 2"
sharpness = "--measures lambda_max --samples 50"

[arms.magnitude]
method = "magnitude"
"""
REPEATS = {
    **{"train": 40, "gradual": 30, "surface": 24, "surface-error": 28, "hessian": 18, "psp": 60, "transfer": 24},
    "study": 130,
}
"""operations of each that may be done twice: of psp, all of the first of its two networks; of a study, what its engine
does whenever it begins, and all of one measurement"""
KEPT_BY_STUDY = (
    *(f"runs/two-mlp-seed0.{made}" for made in ("dense.pt", "magnitude-0.5.pt")),
    *(
        f"out/two-mlp-seed0.{network}.{measure}.h5"
        for network in ("dense", "magnitude-0.5")
        for measure in ("masks", "sharpness", "psp")
    ),
)
"""once it is there; the trajectory only when its checkpoint is"""
CONCLUDED = (
    *("out/logs/two.jobs.json", "out/made.json", "out/two.comparison.json", "out/two.comparison.md"),
    *("fig/two-comparison.svg", "fig/two-comparison.png"),
)


def make_bases(folder: Path, server: Server) -> None:
    """What the commands begin with, where it is not there yet."""
    (folder / "two.toml").write_text(STUDY)
    for seed, name in enumerate(("net.pt", "other.pt")):
        if not (folder / name).exists():
            line = (*MODEL, "--epochs", "2", "--seed", str(seed), "-o", name)
            ended = server.run(Command("minima.train", line, (name,)), folder)
            assert ended.status == 0, ended.said


def commands(folder: Path) -> dict[str, Command]:
    """By name; `folder` holds the bases."""
    net, other = str(folder / "net.pt"), str(folder / "other.pt")
    surface = f"{net} --grid 4 --compile off --samples 50 -o t.h5"
    known = {
        "train": _command("minima.train", f"{' '.join(MODEL)} --epochs 3 --keep 1 -o t.pt", "t.pt t.trajectory.h5"),
        "gradual": _command(
            "pruning",
            f"gmp {net} --sparsity 0.5 0.8 --epochs 3 --keep 1 -o t-{{sparsity}}.pt",
            "t-0.5.pt t-0.8.pt t-0.8.trajectory.h5",
        ),
        "surface": _command("landscape.surface", surface),
        "surface-error": _command("landscape.surface", f"{surface} --error 0.1"),
        "hessian": _command("landscape.hessian", f"{net} --top 2 --trace 3 --samples 50 -o t.h5"),
        "psp": _command("entropy.psp", f"{net} {other} --order 2 -o t.h5"),
        "transfer": _command("entropy.transfer", f"{net} {other} --to digits:classes=3-5 --epochs 2 -o t.h5"),
        "study": Command(
            "figures.study",
            (str(folder / "two.toml"), "--cores", "1"),
            (*KEPT_BY_STUDY, *CONCLUDED, "runs/two-mlp-seed0.dense.trajectory.h5"),
            keeps=KEPT_BY_STUDY,
            starts_others=True,
        ),
    }
    return {name: replace(each, repeats=REPEATS.get(name, each.repeats)) for name, each in known.items()}


def _command(module: str, line: str, makes: str = "t.h5") -> Command:
    reuses = {"minima.train": "is there already", "pruning": "there already"}
    return Command(module, tuple(line.split()), tuple(makes.split()), reuses.get(module, "holds this result already"))
