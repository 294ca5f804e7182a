"""Every pruning method keeps weights and masks on request, and measures run over what it kept."""

import importlib

import pytest
import tyro

from pruning.method import methods
from store.checkpoint import load
from store.trajectory import load_step, read_steps

EPOCHS, EVERY = 16, 4
MEASURES = {
    "landscape.sharpness": ("Sharpness", ["--measures", "lambda_max", "--samples", "50"]),
    "entropy.psp": ("Psp", ["--samples", "50"]),
    "pruning.masks": ("Masks", ["--samples", "50"]),
}


@pytest.mark.parametrize("name", methods())
def test_the_moments_of_a_run_are_kept_with_their_masks(name, dense, tmp_path, prune):
    words = [dense, "--sparsity", 0.8, "--epochs", EPOCHS, "--keep", EVERY]
    prune(name, *words, "-o", tmp_path / "x.pt")
    path, last = tmp_path / "x.trajectory.h5", load(tmp_path / "x.pt")
    assert read_steps(path) == list(range(0, EPOCHS + 1, EVERY))
    moments = [load_step(path, step) for step in read_steps(path)]
    for moment in moments:
        assert all(not moment.state[key][~mask].any() for key, mask in moment.masks.items())
    assert all((moments[-1].state[key] == value).all() for key, value in last.state.items())
    assert all((moments[-1].masks[key] == mask).all() for key, mask in last.masks.items())
    for module, (flags, more) in MEASURES.items():
        found = _measured(module, flags, [path, *more, "-o", tmp_path / f"{flags}.h5"])
        assert found["step"] == list(range(0, EPOCHS + 1, EVERY))
        assert found["sparsity"][-1] == pytest.approx(last.metrics["sparsity"])


def _measured(module, flags, words):
    command = importlib.import_module(module)
    return command.main(tyro.cli(getattr(command, flags), args=list(map(str, words)))).summary
