"""Temperature, normalised logits and a choice of parameters, as functions and as flags."""

from dataclasses import replace

import h5py
import pytest
import torch
from oracles.small_networks import make
from torch.nn.functional import cross_entropy

from landscape.objective.calibration import best_temperature
from landscape.objective.logits import ScaledCrossEntropy
from landscape.objective.objective import Objective
from landscape.spectrum.operators.mc_fisher import draw_labels
from minima.store.checkpoints.checkpoint import load, save
from minima.zoo.subject.subject import load_subject

QUICK = ["--samples", "50", "--measures", "lambda_max"]
OWN = {"sharpness": QUICK, "hessian": ["--samples", "50", "--top", "1"], "surface": ["--samples", "50", "--grid", "3"]}


def test_normalised_logits_have_no_scale():
    generator = torch.Generator().manual_seed(0)
    logits, labels = torch.randn(7, 3, generator=generator).double(), torch.randint(0, 3, (7,), generator=generator)
    scaled = ScaledCrossEntropy(normalised=True)

    def loss(z, y):
        return scaled.terms(z, y).sums

    torch.testing.assert_close(loss(logits, labels), loss(50 * logits + 3, labels))
    rows = [(row - row.mean()) / (row - row.mean()).norm() for row in logits]
    torch.testing.assert_close(loss(logits, labels), cross_entropy(torch.stack(rows), labels, reduction="none"))


def test_the_best_temperature_is_that_of_a_fine_grid():
    generator = torch.Generator().manual_seed(1)
    labels = torch.randint(0, 3, (200,), generator=generator)
    logits = 4 * torch.randn(200, 3, generator=generator) + 3 * torch.eye(3)[labels]
    grid = torch.logspace(-2, 2, 1001, dtype=torch.float64)
    best = grid[torch.stack([cross_entropy(logits.double() / t, labels) for t in grid]).argmin()]
    assert best_temperature(logits, labels) == pytest.approx(best.item(), rel=5e-3)


def test_labels_are_drawn_at_the_temperature():
    case = make("mlp", dtype=torch.float64)
    objective = Objective(case.model, case.x, case.y, loss=ScaledCrossEntropy(temperature=0.2))
    drawn = draw_labels(objective, 20000, seed=0)
    found = torch.stack([(drawn == c).double().mean(0) for c in range(3)], 1)  # (N, C)
    torch.testing.assert_close(found, (case.model(case.x) / 0.2).softmax(1).detach(), atol=0.02, rtol=0)


@pytest.mark.parametrize("name", OWN)
def test_every_command_measures_and_says_the_temperature(name, command, checkpoint, tmp_path):
    target, flags = tmp_path / "x.h5", [*OWN[name], "--temperature", "2.5", "--parameters", "fc2"]
    _, found, _ = command(name, checkpoint, *flags, "-o", target)
    subject = load_subject(checkpoint, samples=50)
    expected = cross_entropy(subject.model(subject.x) / 2.5, subject.y).item()
    assert found["loss"] == pytest.approx(expected, rel=1e-5)
    assert found["dimension"] == sum(p.numel() for n, p in subject.model.named_parameters() if n.startswith("fc2."))
    assert (found["temperature"], found["parameters"], found["logits"]) == (2.5, ["fc2"], "raw")
    with h5py.File(target) as file:
        assert file[name].attrs["temperature"] == 2.5
        assert list(file[name].attrs["parameters"]) == ["fc2"]
    assert command(name, checkpoint, *OWN[name], "-o", target)[0] == 1  # another result is there
    _, table, _ = command(name, checkpoint, *flags, "-o", target, as_json=False)
    assert "temperature 2.5" in table
    assert "only fc2 may move" in table


def test_calibrated_is_the_best_of_the_held_out_part(command, checkpoint, tmp_path):
    path = tmp_path / "trained.pt"
    save(replace(load(checkpoint), training={"validation": 0.25, "split_seed": 3}), path)
    _, found, _ = command("sharpness", path, *QUICK, "--temperature", "calibrated")
    subject = load_subject(path)
    order = torch.randperm(len(subject.x), generator=seeded(3))[: round(0.25 * len(subject.x))]
    logits = subject.model(subject.x[order])
    assert found["temperature"] == pytest.approx(best_temperature(logits.detach(), subject.y[order]), rel=1e-4)
    assert found["calibrated"]


def seeded(split_seed):
    """The generator of the split, as minima.zoo.data.holdout draws it."""
    from minima.zoo.seeds import derive

    return torch.Generator().manual_seed(derive(split_seed, "holdout"))


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--temperature", "calibrated"], "does not name a validation part"),
        (["--temperature", "-1"], "--temperature -1"),
        (["--parameters", "fc9"], "--parameters: fc9"),
        (["--parameters"], "--parameters: no parameters are named"),
    ],
)
def test_bad_flags_are_one_clear_error(flags, words, command, checkpoint):
    status, _, err = command("sharpness", checkpoint, *QUICK, *flags)
    assert status == 1
    assert words in err


def test_the_rescaling_test_says_which_measures_moved(command, checkpoint, tmp_path):
    target, chosen = tmp_path / "x.h5", "lambda_max,adaptive_lambda_max,filter_normalised"
    flags = ["--samples", "50", "--measures", chosen, "--rescale-test", "--filter-normalised.grid", "3"]
    _, found, _ = command("sharpness", checkpoint, *flags, "-o", target)
    moved = {name: taken["moved"] for name, taken in found["measures"].items()}
    assert abs(moved["lambda_max"]["unit"]) > 0.1
    assert max(map(abs, moved["adaptive_lambda_max"].values())) < 1e-3
    assert abs(moved["filter_normalised"]["layer"]) < 1e-3 < abs(moved["filter_normalised"]["unit"])
    assert found["rescaling"]["layers"] == 1
    assert found["rescaling"]["largest_output_change"] < 1e-5
    with h5py.File(target) as file:
        rescaled = found["measures"]["lambda_max"]["rescaled"]
        assert file["sharpness/lambda_max_rescaled"][()].tolist() == [rescaled["layer"], rescaled["unit"]]
    _, table, _ = command("sharpness", checkpoint, *flags, "-o", target, as_json=False)
    assert "units rescaled" in table
    assert "NOT" not in table


def test_errors_of_draws_and_of_examples_stand_beside_a_value(command, checkpoint, tmp_path):
    target = tmp_path / "x.h5"
    chosen = ["--measures", "trace,sam", "--trace.probes", "4", "--sam.steps", "2"]
    _, found, _ = command("sharpness", checkpoint, "--samples", "100", *chosen, "-o", target)
    for taken in found["measures"].values():
        share = (1 - 100 / 1437) ** 0.5
        assert taken["data_stderr"] == pytest.approx(share * taken["data_stderr_new"])
        assert taken["data_stderr_new"] > 0
    sam = found["measures"]["sam"]
    assert (sam["stderr"], sam["seed_stderr"] >= 0, sam["converged"]) == (None, True, False)
    with h5py.File(target) as file:
        assert file["sharpness/sam_data_stderr"][()] == sam["data_stderr"]
        assert file["sharpness/sam_seed_stderr"][()] == sam["seed_stderr"]
        assert file["sharpness/sam_converged"][()].tolist() == [int(each) for each in sam["values_converged"].values()]
