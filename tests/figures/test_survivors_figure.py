"""The figure of `landscape.survivors`: what is drawn is what is in the file."""

import numpy as np
import pytest

from figures import survivors_spectrum
from minima.store.command import BadInput
from minima.store.hdf5.results import Identity, create

OPERATORS = ["pruned", "parent", "parent-in-mask", "random-mask-1", "random-mask-2"]


def eigenvalues(index):
    return np.arange(1, 16).reshape(5, 3)[:, ::-1] * 10.0 ** (index - 1) - 10.0  # one of them negative


@pytest.fixture
def written(tmp_path):
    def write(*names, errors=None):
        identity = Identity("survivors", [f"{index:064d}" for index in range(len(names))], {})
        with create(tmp_path / "x.h5", identity, names, {"seed": 0}, overwrite=True) as file:
            for index in range(len(names)):
                place = file.place(index)
                place.scale("survivors/operator", OPERATORS, "1", "whose")
                place.scale("survivors/rank", [1, 2, 3], "1", "rank")
                place.write("survivors/eigenvalues", eigenvalues(index), ("operator", "rank"), "nat", "eigenvalues")
                summary = {"sparsity": 0.95, "samples": 30, "split": "train"}
                file.mark_done(index, summary | (errors if errors and index == 0 else {}))
            file.finish()
        return tmp_path / "x.h5"

    return write


@pytest.mark.parametrize("names", [["a.pt"], ["a.pt", "b.pt"]])
def test_each_operator_s_spectrum_and_the_masks_mean(written, names, drawn):
    figure = drawn("survivors_spectrum", written(*names))
    for index, axes in enumerate(figure.axes):
        expected = np.where(eigenvalues(index) > 0, eigenvalues(index), np.nan)
        lines = {line.get_label(): line.get_ydata() for line in axes.lines if not line.get_label().startswith("_")}
        shown = [*expected[:3], expected[3:].mean(0)]
        assert len(lines) == len(shown)
        for line, values in zip(lines.values(), shown, strict=True):
            np.testing.assert_array_equal(line, values)
    assert len(figure.axes) == len(names)


def test_errors_are_bars_where_they_are_known(written, drawn):
    scale = {"pruned": 0.1, "parent": 0.2, "parent-in-mask": 0.3, "random-mask-1": 9.0}

    def errors(size):
        return {"data_stderr_new": {"eigenvalues": [3 * size, 2 * size, size]}}

    entries = [{"name": name, **errors(size)} for name, size in scale.items()]
    summary = {"operators": entries, "random_masks": errors(0.4)}
    first, second = drawn("survivors_spectrum", written("a.pt", "b.pt", errors=summary)).axes
    spectra = [*eigenvalues(0)[:3], eigenvalues(0)[3:].mean(0)]
    assert len(first.collections) == len(spectra)
    for bars, values, size in zip(first.collections, spectra, (0.1, 0.2, 0.3, 0.4), strict=True):
        for segment, value, error in zip(bars.get_segments(), values, (3, 2, 1), strict=True):
            heights = [end[1] for end in segment]
            np.testing.assert_allclose(heights, [value - error * size, value + error * size] if value > 0 else [])
    assert not second.collections


def test_the_same_bytes_again_and_what_is_refused(written, tmp_path):
    file = written("a.pt", "b.pt")
    first = [path.read_bytes() for path in survivors_spectrum.draw([file], tmp_path / "out", ["b.pt"])]
    assert [path.read_bytes() for path in survivors_spectrum.draw([file], tmp_path / "out", ["b.pt"])] == first
    with pytest.raises(BadInput, match="room for 1 to 4"):
        survivors_spectrum.draw([file] * 3, tmp_path / "out")
    with pytest.raises(BadInput, match="0 checkpoints"):
        survivors_spectrum.draw([file], tmp_path / "out", ["c.pt"])
