"""The figures of curvature: what is drawn is what the command measured, and a file of something else is refused."""

import importlib
from pathlib import Path

import h5py
import numpy as np
import pytest

from figures import edge_of_stability, spectral_density
from minima.store.command import BadInput

ROOT = Path(__file__).parents[2]
TRAIN = "minima.train --model mlp:hidden=6 --data digits --epochs 2 --momentum 0 --weight-decay 0.5 --keep 1"
COMMANDS = [
    f"{TRAIN} --batch-size 2000 -o full.pt",
    f"{TRAIN} --batch-size 50 -o mini.pt",
    "landscape.stability full.trajectory.h5 mini.trajectory.h5 --samples 60 --batches 4 -o stability.h5",
    "landscape.hessian full.pt mini.pt --samples 60 --density --density-probes 2 --density-steps 8 -o density.h5",
    "landscape.hessian full.pt --samples 60 -o plain.h5",
]
FIGURES = {"edge_of_stability": "stability.h5", "spectral_density": "density.h5"}


@pytest.fixture(scope="session")
def measured(chained, tmp_path_factory):
    """Results of the real commands for two small networks."""
    return chained(tmp_path_factory.mktemp("curvature"), COMMANDS)


def curves(axes):
    return {line.get_label(): np.asarray(line.get_ydata()) for line in axes.get_lines()}


@pytest.mark.parametrize("name", FIGURES)
def test_the_same_twice(name, measured, tmp_path):
    module = importlib.import_module(f"figures.{name}")
    made = [module.draw([measured / FIGURES[name]], tmp_path / stem) for stem in ("once", "again")]
    assert {path.suffix for path in made[0]} == {".svg", ".png"}
    assert [path.read_bytes() for path in made[0]] == [path.read_bytes() for path in made[1]]


def test_the_edge_of_stability(drawn, measured):
    figure = drawn("edge_of_stability", measured / FIGURES["edge_of_stability"])
    above, below = figure.axes[:2], figure.axes[2:]
    assert [axes.get_title() for axes in above] == ["full\nfull batch", "mini\nbatches of 50"]
    with h5py.File(measured / "stability.h5") as file:
        stored = {key: values[()] for key, values in file["stability"].items()}
    for axes, loss, moments in zip(below, above, (slice(3), slice(3, 6)), strict=True):
        lines = {label.split()[0]: values for label, values in curves(axes).items()}
        np.testing.assert_array_equal(lines["largest"], stored["lambda_max"][moments] + 0.5)
        np.testing.assert_array_equal(lines["batch"], stored["batch_sharpness"][moments] + 0.5)
        np.testing.assert_allclose(lines["2"], 20)
        np.testing.assert_array_equal(loss.get_lines()[0].get_ydata(), stored["loss"][moments])


def test_the_density_and_its_edge(drawn, measured):
    figure = drawn("spectral_density", measured / FIGURES["spectral_density"], checkpoint=("mini.pt",))
    (axes,) = figure.axes
    with h5py.File(measured / "density.h5") as file:
        stored = {key: values[1] for key, values in file["hessian"].items() if values.shape[:1] == (2,)}
    lines = {line.get_label(): line for line in axes.get_lines()}
    np.testing.assert_array_equal(lines["density of the eigenvalues, smoothed"].get_ydata(), stored["density"])
    assert set(lines["end of the bulk"].get_xdata()) == {stored["density_edge"]}  # no trace was asked for
    beyond = (stored["eigenvalues"] > stored["density_edge"]).sum()
    assert f"{beyond} beyond" in axes.texts[0].get_text()
    assert axes.get_yscale() == "log"


def test_what_is_refused(measured, tmp_path):
    with pytest.raises(BadInput, match="drawn from landscape"):
        edge_of_stability.draw([measured / "density.h5"], tmp_path / "x")
    with pytest.raises(BadInput, match="--density"):
        spectral_density.draw([measured / "plain.h5"], tmp_path / "x")
    with pytest.raises(BadInput, match="0 checkpoints"):
        spectral_density.draw([measured / "density.h5"], tmp_path / "x", ("other.pt",))
