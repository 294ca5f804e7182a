"""The figure of `pruning.masks`: what is drawn is what is in the file."""

import numpy as np
import pytest

from figures import masks
from minima.store.command import BadInput
from minima.store.hdf5.results import Identity, create

JACCARD = {"jaccard": [[1, 0.3], [0.3, 1]], "jaccard_expected": [[0.2, 0.1], [0.1, 0.2]]}


@pytest.fixture
def written(tmp_path):
    def write(*names):
        identity = Identity("masks", [f"{index:064d}" for index in range(len(names))], {})
        with create(tmp_path / "x.h5", identity, names, {"seed": 0}, overwrite=True) as file:
            for index in range(len(names)):
                place = file.place(index)
                if len(names) > 1:
                    place.scale("masks/other", range(len(names)), "1", "other")
                    for key, rows in JACCARD.items():
                        place.write(f"masks/{key}", rows[index], ("other",), "1", key)
                layers = [("conv1.weight", 100, 10 + index, 5), ("fc.weight", 200, 2, 0)]
                keys = ("name", "total", "kept", "reachable")
                file.mark_done(index, {"layers": [dict(zip(keys, layer, strict=True)) for layer in layers]})
            file.finish()
        return tmp_path / "x.h5"

    return write


def test_densities_by_layer_and_overlap_beside_the_expected(written, drawn):
    figure = drawn("masks", written("a.pt", "b.pt"))
    lines = [line.get_ydata() for line in figure.axes[0].lines]
    np.testing.assert_allclose(lines, [[10, 1], [5, np.nan], [11, 1], [5, np.nan]])
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["conv1", "fc"]
    (image,) = figure.axes[1].images
    np.testing.assert_allclose(image.get_array(), [[1, 0.1], [0.3, 1]])
    assert len(drawn("masks", written("a.pt")).axes) == 1


def test_the_same_bytes_again_and_what_is_refused(written, tmp_path):
    file = written("a.pt", "b.pt")
    first = [path.read_bytes() for path in masks.draw([file], tmp_path / "out", ["b.pt"])]
    assert [path.read_bytes() for path in masks.draw([file], tmp_path / "out", ["b.pt"])] == first
    with pytest.raises(BadInput, match="together"):
        masks.draw([file, file], tmp_path / "out")
    with pytest.raises(BadInput, match="0 checkpoints"):
        masks.draw([file], tmp_path / "out", ["c.pt"])
