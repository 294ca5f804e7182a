"""Curvatures of single weights are called that and are not ranked with a network's; each robustness has one judge."""

import json
import re

import numpy as np
import pytest

from figures import robustness
from figures.drawing.captions import MARGIN, POINTS, _width
from figures.drawing.fitting import draw_all
from figures.page.compute import compute
from minima.store.command import BadInput
from minima.store.hdf5.results import Identity, create

SUMMARY = {
    **{"loss": 0.1, "score": 0.9, "score_name": "accuracy", "loss_name": "cross-entropy", "loss_unit": "nat"},
    **{"samples": 1000, "split": "train", "sparsity": 0.0, "subspace": "survivors", "parameters": None},
}


def written(path, measure, summaries, names=("mine.pt",), on="digits", **arguments):
    """A results file of one summary for each name, with a little array for each measure or trial."""
    identity = Identity(measure, [f"{row:064d}" for row in range(len(names))], {})
    kept = json.dumps({"spec": on, "root": None})
    provenance = {"split": "train", "seed": 0, "data": kept, "arguments": arguments}
    with create(path, identity, names, provenance) as file:
        for row, summary in enumerate(summaries):
            place = file.place(row)
            for name in summary.get("measures", ()):
                place.write(f"{measure}/{name}", 1.0, (), "nat", name)
            for name, taken in summary.get("robustness", {}).items():
                place.scale(f"{measure}/{name}/level", taken["levels"], "1", "size of the noise")
                place.write(f"{measure}/{name}/loss", taken["loss"], ("level",), "nat", "loss")
            file.mark_done(row, SUMMARY | summary)
        file.finish()
    return path


def sharp(path, value, **said):
    """A result of `landscape.sharpness`."""
    taken = {"value": value, "stderr": None, "data_stderr_new": value / 10, "invariant": "none"}
    typed = {"subset": said["subset"]} if "subset" in said else {}
    return written(path, "sharpness", [{"measures": {"lambda_max": taken}} | said], **typed)


def curved(path, value, **said):
    """A result of `landscape.hessian`."""
    found = {"operator": "hessian", "eigenvalues": [value, 0.1], "residuals": [0.0, 0.0], "data_stderr_new": None}
    return written(path, "hessian", [found | said])


def tried(path, names, data="digits", **said):
    """A result of `pruning.robustness`."""
    numbers = {"levels": [0.0, 0.1], "loss": [0.1, 0.2], "loss_stderr": [0.0, 0.0]}
    numbers |= {"score": [0.9, 0.8], "score_stderr": [0.0, 0.0]}
    return written(path, "robustness", [{"robustness": {"input_noise": numbers}} | said for _ in names], names, data)


def words_of(figure):
    legend = figure.legends[0]
    return legend.get_title().get_text(), [text.get_text() for text in legend.get_texts()]


@pytest.mark.parametrize(("name", "write"), [("sharpness_measures", sharp), ("eigenvalues", curved)])
def test_a_picture_of_single_weights_says_so(name, write, drawn, tmp_path):
    caption, labels = words_of(drawn(name, write(tmp_path / "x.h5", 0.87, subset=50)))
    assert "of 50 single weights" in caption.replace("\n", " ")
    assert labels == ["mine (of 50 single weights)"]
    caption, labels = words_of(drawn(name, write(tmp_path / "y.h5", 42.8)))
    assert "single" not in caption
    assert labels == ["mine"]


def test_single_weights_have_a_picture_of_their_own(tmp_path):
    files = [sharp(tmp_path / "all.h5", 42.8), sharp(tmp_path / "some.h5", 0.87, subset=50)]
    assert len(draw_all(files, tmp_path).written) == 2


def test_the_page_ranks_what_is_alike_only(tmp_path):
    pytest.importorskip("plotly", reason="the report extra (plotly) is not installed")
    sharp(tmp_path / "all.h5", 42.8)
    sharp(tmp_path / "some.h5", 0.87, subset=50)
    sharp(tmp_path / "mse.h5", 7.0, loss_name="mse", loss_unit="1")
    curved(tmp_path / "curved.h5", 42.8)
    curved(tmp_path / "few.h5", 0.87, subset=50)
    page = compute([tmp_path])
    assert "Sharpest first" not in page.html
    for words in (
        r"mine \(cross-entropy\) 42\.8",
        r"mine \(of 50 single weights, cross-entropy\) 0\.87",
        r"mine \(mse\) 7",
    ):
        assert len(re.findall(f"Sharpness, by the largest curvature: {words}", page.html)) == 1
    assert len(re.findall(r"Largest eigenvalue: mine \(of 50 single weights\) 0\.87[^,]*\.", page.html)) == 1


def test_what_is_missing_is_asked_with_each_networks_own_flags(tmp_path):
    pytest.importorskip("plotly", reason="the report extra (plotly) is not installed")
    taken = {"lambda_max": {"value": 1.0, "stderr": None, "invariant": "none"}}
    foreign = {"model": {"spec": "/x/my_net.py:conv"}, "data": {"spec": "npz:/x/mine.npz"}}
    for name, data, sparsity, typed in (
        ("marked", "digits", 0.5, {}),
        ("mine", "npz:/x/mine.npz", 0.0, foreign),
        ("half", "npz:/x/mine.npz", 0.5, foreign),
    ):
        found = [{"measures": taken, "sparsity": sparsity}]
        written(tmp_path / f"{name}.h5", "sharpness", found, [f"{name}.pt"], data, **typed)
    flags = "--model /x/my_net.py:conv --data npz:/x/mine.npz"
    missing = compute([tmp_path / "marked.h5", tmp_path / "mine.h5"]).missing
    assert missing["spectrum"] == "python -m landscape.hessian marked.pt --density --trace 20"
    assert missing["path"] == "python -m landscape.path marked.pt OTHER.pt"
    assert missing["survivors"] == "python -m landscape.survivors marked.pt --parent PARENT.pt"
    missing = compute([tmp_path / f"{name}.h5" for name in ("mine", "marked", "half")]).missing
    assert missing["spectrum"] == f"python -m landscape.hessian mine.pt --density --trace 20 {flags}"
    assert missing["path"] == f"python -m landscape.path mine.pt half.pt {flags}"
    assert missing["survivors"] == f"python -m landscape.survivors half.pt --parent mine.pt {flags}"


def test_robustness_of_other_data_or_losses_is_drawn_apart(tmp_path):
    files = [
        tried(tmp_path / "one.h5", ["a.pt"]),
        tried(tmp_path / "two.h5", ["b.pt"]),
        tried(tmp_path / "other.h5", ["c.pt"], data="npz:/x/mine.npz"),
        tried(tmp_path / "mse.h5", ["d.pt"], loss_name="mse"),
    ]
    drawn = draw_all(files, tmp_path)
    pages = {tuple(file.stem for file in picture.page.files) for picture in drawn.written}
    assert drawn.parted == {"robustness": ["data", "loss_name"]}
    assert pages == {("one", "two"), ("other",), ("mse",)}
    with pytest.raises(BadInput, match=r"digits, cross-entropy and mine\.npz, cross-entropy"):
        robustness.draw([files[0], files[2]], tmp_path / "x")


def test_robustness_has_a_colour_for_each_and_a_caption_that_fits(drawn, tmp_path):
    names = [f"net-{number}.pt" for number in range(8)]
    file = tried(tmp_path / "x.h5", names)
    with pytest.raises(BadInput, match="8 checkpoints"):
        robustness.draw([file], tmp_path / "x")
    figure = drawn("robustness", file, checkpoint=tuple(names[:7]))
    colours = {np.asarray(bars[0].get_color()).item() for bars in figure.axes[0].containers}
    assert len(colours) == 7
    caption, _ = words_of(figure)
    assert all(_width(line) <= POINTS * figure.get_figwidth() - MARGIN for line in caption.split("\n"))
