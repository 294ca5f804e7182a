"""Every pruning method keeps weights and masks on request, and measures run over what it kept."""

import importlib

import numpy as np
import pytest
import tyro

from minima.store.checkpoints.checkpoint import load
from minima.store.checkpoints.trajectory import load_step, read_steps
from pruning.composition.method import methods

EPOCHS, EVERY = 16, 4
PRUNABLE = 64 * 12 + 12 * 10
MEASURES = {
    "landscape.sharpness": ("Sharpness", ["--measures", "lambda_max", "--samples", "50"]),
    "entropy.psp": ("Psp", ["--samples", "50"]),
    "pruning.masks": ("Masks", ["--samples", "50"]),
}


@pytest.mark.parametrize("name", [name for name in methods() if name != "network-slimming"])  # there is no batch norm
def test_the_moments_of_a_run_are_kept_with_their_masks(name, dense, tmp_path, prune):
    asked = getattr(methods()[name]().composition().schedule, "sparsity", 0.8)  # of methods that know only one
    words = [dense, "--sparsity", asked, "--epochs", EPOCHS, "--keep", EVERY]
    prune(name, *words, "-o", tmp_path / "x.pt")
    path, last = tmp_path / "x.trajectory.h5", load(tmp_path / "x.pt")
    steps = list(range(0, int(last.metrics["epochs"]) + 1, EVERY))
    assert read_steps(path) == steps
    moments = [load_step(path, step) for step in steps]
    for moment in moments:
        assert all(not moment.state[key][~mask].any() for key, mask in moment.masks.items())
    if last.metrics["epochs"] == steps[-1]:  # a method may end its run between two moments
        check_is(moments[-1], last)
    for module, (flags, more) in MEASURES.items():
        found = _measured(module, flags, [path, *more, "-o", tmp_path / f"{flags}.h5"])
        assert np.array_equal(np.atleast_1d(found["step"]), steps)
        weights = [[mask for mask in moment.masks.values() if mask.ndim > 1] for moment in moments]
        kept = [sum(int(mask.sum()) for mask in masks) for masks in weights]
        assert np.atleast_1d(found["sparsity"]) == pytest.approx(1 - np.array(kept) / PRUNABLE)


def test_the_last_moment_is_the_finished_network_also_where_a_cut_comes_last(dense, tmp_path, prune):
    prune("magnitude", dense, "--sparsity", 0.8, "--epochs", 0, "--keep", 1, "-o", tmp_path / "x.pt")
    check_is(load_step(tmp_path / "x.trajectory.h5", 0), load(tmp_path / "x.pt"))


def check_is(moment, checkpoint):
    assert all((moment.state[key] == value).all() for key, value in checkpoint.state.items())
    assert all((moment.masks[key] == mask).all() for key, mask in checkpoint.masks.items())


def _measured(module, flags, words):
    command = importlib.import_module(f"{module}.__main__")
    return command.main(tyro.cli(getattr(command, flags), args=list(map(str, words)))).summary
