"""The figures of `pruning.criteria` and `pruning.coded`: what is drawn is what is in the file."""

import numpy as np
import pytest

from figures import criteria_compared, error_against_bytes
from minima.store.command import BadInput
from minima.store.hdf5.results import Identity, create

CRITERIA, LAYERS = ["l1", "fpgm"], ["conv1.weight", "fc.weight"]
WEIGHTS = [9.0, 100.0]


@pytest.fixture
def written(tmp_path):
    def write(measure, names, fill):
        identity = Identity(measure, [f"{index:064d}" for index in range(len(names))], {})
        with create(tmp_path / "x.h5", identity, names, {"seed": 0}, overwrite=True) as file:
            for index in range(len(names)):
                file.mark_done(index, fill(file.place(index), index))
            file.finish()
        return tmp_path / "x.h5"

    return write


def compared(place, index):
    rng = np.random.default_rng(index)
    for name, labels in (("layer", LAYERS), ("criterion", CRITERIA), ("other", CRITERIA)):
        place.scale(f"criteria/{name}", labels, "1", name)
    place.write("criteria/spearman", rng.uniform(-1, 1, (2, 2, 2)), ("layer", "criterion", "other"))
    for name in ("variation", "surrogate_variation"):
        place.write(f"criteria/{name}", rng.uniform(0.1, 1, (2, 2)), ("layer", "criterion"))
    place.write("criteria/weights", WEIGHTS, ("layer",))
    return {"draws": 3}


def coded(place, index):
    place.scale("coded/point", range(2), "1", "point")
    for name in ("coded_bytes", "ideal_bytes", "coded_loss"):
        place.write(f"coded/{name}", [200.0 * (index + 1), 100.0], ("point",), "1", name)
    level = {"score_name": "accuracy", "loss": 0.1, "accuracy": 0.99, "score": 0.99}
    points = [{"bits": 8, "step": None, **level}, {"bits": 2, "step": None, **level, "accuracy": 0.5}]
    return {"points": points, "samples": 360, "split": "test", "loss_name": "cross-entropy", **level}


def test_maps_and_spreads_of_every_layer(written, drawn):
    file = written("criteria", ["a.pt", "b.pt"], compared)
    figure = drawn("criteria_compared", file, checkpoint=["b.pt"])
    rng = np.random.default_rng(1)
    expected, spread, theirs = rng.uniform(-1, 1, (2, 2, 2)), *rng.uniform(0.1, 1, (2, 2, 2))
    images = [axes.images[0].get_array() for axes in figure.axes if axes.images]
    np.testing.assert_allclose(images[:2], expected)
    below = next(axes for axes in figure.axes if axes.get_xlabel() == "weights of a unit")
    lines = [line.get_ydata() for line in below.lines]
    np.testing.assert_allclose(lines[:4], [spread[:, 0], theirs[:, 0], spread[:, 1], theirs[:, 1]])
    law = below.lines[4]  # of l1; there is none of fpgm
    assert law.get_ydata() * law.get_xdata() ** 0.5 == pytest.approx((np.pi / 2 - 1) ** 0.5)
    assert len(below.lines) == 5
    with pytest.raises(BadInput, match="2 checkpoints"):
        criteria_compared.draw([file], file.parent / "out")


def test_errors_and_bytes_of_every_network(written, drawn):
    file = written("coded", ["a.pt", "b.pt"], coded)
    (axes,) = drawn("error_against_bytes", file).axes
    lines = [line for line in axes.lines if len(line.get_xdata()) == 2 and line.get_xdata()[0] == 100]
    assert [list(line.get_xdata()) for line in lines] == [[100, 200], [100, 200], [100, 400], [100, 400]]
    np.testing.assert_allclose([line.get_ydata() for line in lines], [[50, 1]] * 4)
    assert [text.get_text() for text in axes.texts] == ["2", "8"] * 2
    assert axes.get_ylabel() == "error on 360 test examples (%)"
    with pytest.raises(BadInput, match="0 checkpoints"):
        error_against_bytes.draw([file], file.parent / "out", ["c.pt"])
