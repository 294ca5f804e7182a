"""Results files of an invented study with a known answer, written as the measuring commands write them."""

from __future__ import annotations

import fcntl
import importlib
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from forks.python import python

from figures.reading.names import parse
from minima.store.hdf5.results import Identity, create

ROOT = Path(__file__).parents[2]
SPARSITIES = (0.9, 0.95, 0.97, 0.99)
ARMS = ("magnitude", "random", "iterative-magnitude", "gmp", "lobster-from-parent", "lobster")
COMPARED = ("magnitude", "lobster-from-parent")
LOOKED_INTO = (*COMPARED, "gmp", "lobster")
"""the arms of whose neurons something is said"""
LAYERS = {
    ("lenet300", "test"): {"output": 10},
    ("lenet300", "train"): {"fc1": 30, "fc2": 12},
    ("lenet5", "train"): {"conv1": 200, "conv2": 80, "fc1": 50, "output": 10},
}
"""how many neurons there are, where something reads them: of the test split the errors alone are"""
CLASSES, PER_CLASS = 10, 100
HARM = {"magnitude": 1.0, "random": 3.0, "iterative-magnitude": 0.6, "gmp": 0.5, "lobster-from-parent": 0.7}


@pytest.fixture(scope="session")
def chained():
    """Run command lines one after the other in a folder, which is returned."""

    def run(folder, lines):
        line = [python(), "-m", "figures.study.engine.chain", *lines]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        done = subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return folder

    return run


EVERY = [
    "minima.train --model mlp:hidden=12x8 --data digits --epochs 2 --keep 1 -o a.pt",
    "pruning magnitude a.pt --sparsity 0.5 --epochs 1 -o b.pt",
    "minima.train --from a.pt --from-epoch 0 --epochs 2 --order-seed 1 -o c.pt",
    "minima.train --from a.pt --from-epoch 0 --epochs 2 --order-seed 2 -o d.pt",
    "landscape.sharpness a.pt --samples 100 --measures lambda_max,adaptive_lambda_max,trace",
    "landscape.sharpness b.pt --samples 100 --measures lambda_max,adaptive_lambda_max,trace",
    "landscape.sharpness a.trajectory.h5 --samples 100 --measures lambda_max",
    "landscape.hessian a.pt --samples 100 --top 3 --trace 4 --density",
    "landscape.hessian b.pt --samples 100 --top 3",
    "landscape.surface a.pt --samples 100 --grid 7",
    "landscape.surface b.pt --samples 100 --grid 7",
    "landscape.surface a.pt --samples 100 --grid 7x1 --lines 3 -o a.lines.h5",
    "landscape.surface a.pt --samples 100 --grid 5 --directions eigen --maps per-class,gradient -o a.eigen.h5",
    "landscape.surface a.pt --samples 100 --grid 5 --directions checkpoints --through b.pt c.pt -o a.three.h5",
    "landscape.surface a.pt --samples 100 --grid 5 --directions trajectory --trajectory a.trajectory.h5 -o a.course.h5",
    "landscape.topology a.surface.h5",
    "landscape.path a.pt b.pt --samples 100 -o a-b.path.h5",
    "landscape.survivors b.pt --parent a.pt --samples 100 --top 2",
    "landscape.stability a.trajectory.h5 --samples 100",
    "landscape.instability c.pt d.pt --samples 100 -o cd.instability.h5",
    "landscape.successive a.pt b.pt c.pt d.pt --siblings --samples 100 -o ab.successive.h5",
    "entropy.psp a.pt --order 2",
    "entropy.psp b.pt",
    "entropy.psp a.trajectory.h5",
    "entropy.layers a.pt",
    "entropy.transfer a.pt b.pt --to digits:classes=3,8 --epochs 1 -o ab.transfer.h5",
    "pruning.masks b.pt",
    "pruning.criteria a.pt --surrogate --draws 2",
    "pruning.coded a.pt b.pt -o ab.coded.h5",
    "pruning.robustness b.pt --samples 100 --trials fgsm,quantisation",
    "pruning.equilibrium a.pt",
]
"""every measuring command, with what makes the shortest result of it"""


@pytest.fixture(scope="session")
def every_line():
    """What `every_result` was made by."""
    return tuple(EVERY)


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """shared("name", make): a folder that `make` fills, one for all processes, to be read only."""
    own = tmp_path_factory.getbasetemp()

    def once(name, make):
        folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / name
        folder.mkdir(exist_ok=True)
        with (folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (folder / ".made").exists():
                make(folder)
                (folder / ".made").touch()
        return folder

    return once


@pytest.fixture(scope="session")
def every_result(chained, shared):
    """A folder of two networks, and results of every measuring command."""
    return shared("every", lambda folder: chained(folder, EVERY))


@pytest.fixture
def drawn(monkeypatch):
    """Draw a figure of a file without writing it: matplotlib's figure."""

    def draw(name, file, **flags):
        kept = []
        module = importlib.import_module(f"figures.{name}")
        monkeypatch.setattr(module, "save", lambda figure, _: kept.append(figure) or [])
        module.draw([file], Path("nowhere"), **flags)
        return kept[0]

    return draw


@pytest.fixture(scope="session")
def invented(shared):
    """A folder of results: gradual errs less and lies sharper, its neurons are like one-shot's, no barrier between."""
    return shared("invented", invent)


def invent(folder):
    for seed in range(12):
        rng = np.random.default_rng(seed)
        level = rng.normal()
        write_psp(folder, "lenet300", seed, ARMS, SPARSITIES, "test", level, rng)
        write_psp(folder, "lenet300", seed, LOOKED_INTO, SPARSITIES, "train", level, rng)
        write_curvature(folder, seed, rng)
        write_paths(folder, "lenet300", seed, rng)
        write_transfer(folder, seed, rng)
    for seed in range(3):
        rng = np.random.default_rng(100 + seed)
        write_psp(folder, "lenet5", seed, COMPARED, (0.97,), "train", 0.0, rng)
        write_spectra(folder, seed, rng)
        write_paths(folder, "lenet5", seed, rng)
    write_surface(folder, np.random.default_rng(7))


def results(folder, name, measure, checkpoints, summaries, fill, split="train"):
    """One results file; `fill(place, index)` writes a checkpoint's arrays."""
    identity = Identity(measure, [f"{i:064d}" for i in range(max(len(checkpoints), 1))], {})
    provenance = {"split": split, "seed": 0}
    with create(folder / f"{name}.h5", identity, checkpoints, provenance) as file:
        for index in range(max(len(checkpoints), 1)):
            fill(file.place(index), index)
            file.mark_done(index, summaries[index] | {"samples": CLASSES * PER_CLASS})
        file.finish()


def names(model, seed, arms, sparsities):
    """Checkpoints of one seed: dense ones, then every arm unfinished and finished."""
    base = f"digits-{model}-seed{seed}"
    pruned = [f"{base}.{arm}-{s}{end}.pt" for arm in arms for s in sparsities for end in ("", ".finished")]
    return [f"{base}.dense.pt", f"{base}.dense-longer.pt", *pruned]


def error_of(name, level, rng):
    """Per cent: grows with compression, more so where the arm does harm."""
    found = parse(name)
    harm = HARM.get(found.arm, 0.8) * -np.log10(1 - found.sparsity) if found.sparsity else 0.0
    return 2.5 + 0.3 * level + 3 * harm - 0.2 * found.finished + 0.1 * rng.normal()


def write_psp(folder, model, seed, arms, sparsities, split, level, rng):
    checkpoints = names(model, seed, arms, sparsities)
    layers = LAYERS[model, split]
    summary = {"layers": [{"name": n, "output": n == "output"} for n in layers]}

    def fill(place, index):
        place.write("psp/accuracy", 1 - error_of(checkpoints[index], level, rng) / 100, (), "1", "accuracy")
        place.write("psp/sparsity", parse(checkpoints[index]).sparsity, (), "1", "fraction removed")
        place.scale("psp/class", list(range(CLASSES)), "1", "class")
        for layer, count in layers.items():
            place.scale(f"psp/{layer}/neuron", list(range(count)), "1", "neuron")
            p = rng.beta(0.5, 0.5, (CLASSES, count)) * (rng.random(count) > (0.3 if "0.9" in checkpoints[index] else 0))
            on = rng.binomial(PER_CLASS, p)
            f = on / PER_CLASS
            h = -np.where((f > 0) & (f < 1), f * np.log2(f + 1e-300) + (1 - f) * np.log2(1 - f + 1e-300), 0).sum(0)
            place.write(f"psp/{layer}/entropy", h, ("neuron",), "bit", "entropy")
            place.write(f"psp/{layer}/corrected_entropy", h, ("neuron",), "bit", "entropy")
            place.write(f"psp/{layer}/class_information", 0.1 * (h > 0), ("neuron",), "bit", "information")
            place.write(f"psp/{layer}/counts", on, ("class", "neuron"), "1", "on")
            place.write(f"psp/{layer}/observed", np.full(CLASSES, PER_CLASS), ("class",), "1", "observed")

    called = f"digits-{model}-seed{seed}.psp-{split}"
    summaries = [summary | {"sparsity": parse(name).sparsity, "split": split} for name in checkpoints]
    results(folder, called, "psp", checkpoints, summaries, fill, split)


def write_curvature(folder, seed, rng):
    base = f"digits-lenet300-seed{seed}"
    trajectories = [
        f"{base}.{arm}-{s}.finished.trajectory.h5@{epoch}"
        for arm in COMPARED
        for s in SPARSITIES[1:]
        for epoch in (0, 5, 10)
    ]
    others = [f"{base}.{arm}-{s}.finished.pt" for arm in ARMS if arm not in COMPARED for s in SPARSITIES[1:]]
    tuned = [f"{base}.magnitude-{s}.trajectory.h5@{epoch}" for s in SPARSITIES[1:3] for epoch in (0, 10, 20)]
    checkpoints = trajectories + others + tuned

    def fill(place, index):
        name = checkpoints[index]
        loss = 0.1 * 0.7 ** int(name.rpartition("@")[2] if "@" in name else 10) * np.exp(0.1 * rng.normal())
        sharper = 2.0 if "lobster" in name else 1.0
        place.write("sharpness/loss", loss, (), "nat", "loss")
        place.write("sharpness/lambda_max", sharper * 30 * loss**0.5 * np.exp(0.1 * rng.normal()), (), "nat", "x")
        place.write("sharpness/adaptive_lambda_max", 9 * loss**0.5 * np.exp(0.6 * rng.normal()), (), "nat", "x")

    results(folder, f"{base}.curvature", "sharpness", checkpoints, [{}] * len(checkpoints), fill)


def write_paths(folder, model, seed, rng):
    t = np.linspace(0, 1, 21)
    for kind in ("between", *(f"{arm}-siblings" for arm in COMPARED)):

        def fill(place, _):
            bump = 4 * t * (1 - t)
            place.scale("path/t", t, "1", "position")
            rise, error_rise = 0.4 + 0.05 * rng.random(), 0.05 + 0.002 * rng.random()  # bump is 1 at its middle
            place.write("path/loss", 0.05 + rise * bump, ("t",), "nat", "loss")
            place.write("path/accuracy", 0.99 - error_rise * bump, ("t",), "1", "accuracy")
            place.write("path/barrier_loss", rise, (), "nat", "barrier")
            place.write("path/barrier_error", error_rise, (), "1", "barrier")

        results(folder, f"digits-{model}-seed{seed}.path-{kind}-0.97", "path", [], [{}], fill)


def write_transfer(folder, seed, rng):
    """The gradual arm's probe is right 3 points more often."""
    base = f"digits-lenet300-seed{seed}"
    checkpoints = [f"{base}.dense.source.pt", *(f"{base}.{arm}-0.97.source.pt" for arm in COMPARED)]

    def fill(place, index):
        better = 0.03 if "lobster" in checkpoints[index] else 0.0
        place.write("transfer/probe_accuracy", 0.9 + better + 0.002 * rng.normal(), (), "1", "accuracy")
        place.write("transfer/sparsity", parse(checkpoints[index]).sparsity, (), "1", "fraction removed")

    results(folder, f"{base}.transfer", "transfer", checkpoints, [{}] * 3, fill, "test")


def write_spectra(folder, seed, rng):
    base = f"digits-lenet5-seed{seed}"
    shown = [f"{base}.dense.pt", *(f"{base}.{arm}-0.97.finished.pt" for arm in COMPARED)]
    for space, checkpoints in (("survivors", shown), ("full", shown[1:])):

        def fill(place, index):
            place.scale("hessian/rank", list(range(1, 21)), "1", "rank")
            values = (1 + index) * 40 * np.exp(-0.25 * np.arange(20)) * np.exp(0.1 * rng.normal(size=20))
            place.write("hessian/eigenvalues", np.sort(values)[::-1], ("rank",), "nat", "eigenvalue")

        results(folder, f"{base}.hessian-{space}", "hessian", checkpoints, [{}] * len(checkpoints), fill)


def write_surface(folder, rng):
    base = "digits-lenet5-seed0"
    checkpoints = [f"{base}.dense.pt", *(f"{base}.{arm}-0.97.finished.pt" for arm in COMPARED)]
    alpha = np.linspace(-1, 1, 21)

    def fill(place, index):
        place.scale("surface/alpha", alpha, "1", "alpha")
        place.scale("surface/beta", alpha, "1", "beta")
        x, y = np.meshgrid(alpha, alpha, indexing="ij")
        loss = 0.01 + (1 + index) * (2 * x**2 + y**2 + 0.3 * x * y) + 0.1 * np.sin(4 * x) ** 2
        place.write("surface/loss", loss, ("alpha", "beta"), "nat", "loss")
        place.scale("surface/direction", ["alpha", "beta"], "1", "direction")
        place.write("surface/direction_norm", [3.0, 3.1], ("direction",), "1", "norm")
        place.write("surface/relative_direction_norm", [0.9, 0.91], ("direction",), "1", "norm")

    results(folder, f"{base}.surface", "surface", checkpoints, [{}] * 3, fill)
