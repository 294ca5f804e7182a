"""The figures of ways between networks: what is drawn is what the commands measured, and what cannot be compared."""

import json

import h5py
import numpy as np
import pytest

from figures import instability, mode_connection
from minima.store.command import BadInput

SMALL = "--model mlp:hidden=6 --data digits --epochs 2"
WAY = "landscape.path a.pt b.pt --points 5 --samples 60"
COMMANDS = [
    f"minima.train {SMALL} --weights-at 0 1 -o a.pt",
    f"minima.train {SMALL} --seed 1 -o b.pt",
    *(
        f"minima.train --from a.pt --from-epoch {epoch} --epochs {2 - epoch}"
        f" --order-seed {order} -o k{epoch}-{order}.pt"
        for epoch in (0, 1)
        for order in (1, 2)
    ),
    f"{WAY} -o line.h5",
    f"{WAY} --align weights -o aligned.h5",
    f"{WAY} --kind bezier --epochs 2 -o bezier.h5",
    "landscape.path a.pt b.pt --points 5 --samples 61 -o more.h5",
    "landscape.instability k0-1.pt k0-2.pt k1-1.pt k1-2.pt --points 3 --samples 60 -o instability.h5",
]


@pytest.fixture(scope="session")
def measured(chained, tmp_path_factory):
    """Results of the real commands for two small networks and siblings."""
    return chained(tmp_path_factory.mktemp("ways"), COMMANDS)


def summary(path):
    with h5py.File(path) as file:
        return json.loads(file.attrs["summary"])[0]


@pytest.fixture
def shown(monkeypatch):
    """Draw a figure of several files without writing it: matplotlib's figure."""

    def show(module, files):
        kept = []
        monkeypatch.setattr(module, "save", lambda figure, _: kept.append(figure) or [])
        module.draw(files, None)
        return kept[0]

    return show


def test_ways_beside_one_another(shown, measured):
    files = {"straight": "line.h5", "straight, aligned": "aligned.h5", "Bezier": "bezier.h5"}
    above, below = shown(mode_connection, [measured / file for file in files.values()]).axes
    for axes, key, scale in ((above, "losses", 1), (below, "errors", 100)):
        lines = {line.get_label(): line.get_ydata() for line in axes.get_lines()}
        assert list(lines) == list(files)
        for label, file in files.items():
            np.testing.assert_allclose(lines[label], scale * np.array(summary(measured / file)[key]))
        words = [text.get_text() for text in axes.texts]
        assert [word.partition(":")[0] for word in words] == list(files)
        tops = [axes.transData.inverted().transform(text.get_window_extent())[0, 1] for text in axes.texts]
        assert min(tops) > max(line.max() for line in lines.values())  # no words over a line
    assert f"{summary(measured / 'line.h5')['barrier']['loss']:.2g} nat" in above.texts[0].get_text()


def test_instability_against_shared_epochs(shown, measured):
    error, loss = shown(instability, [measured / "instability.h5"]).axes
    barriers = summary(measured / "instability.h5")["barrier"]
    for axes, heights in ((error, 100 * np.array(barriers["error"])), (loss, np.array(barriers["loss"]))):
        marks, line = axes.get_lines()
        np.testing.assert_allclose(marks.get_ydata(), heights)
        np.testing.assert_allclose(line.get_ydata(), heights)  # of a single pair each
        assert list(line.get_xdata()) == [0, 1]


def test_the_same_twice(measured, tmp_path):
    for module, file in ((mode_connection, "line.h5"), (instability, "instability.h5")):
        made = [module.draw([measured / file], tmp_path / stem) for stem in ("once", "again")]
        assert [path.read_bytes() for path in made[0]] == [path.read_bytes() for path in made[1]]


def test_what_cannot_be_compared(measured, tmp_path):
    with pytest.raises(BadInput, match=r"samples 60, .* has 61"):
        mode_connection.draw([measured / "line.h5", measured / "more.h5"], tmp_path / "x")
    for module, file in ((mode_connection, "instability.h5"), (instability, "line.h5")):
        with pytest.raises(BadInput, match=r"drawn from landscape\."):
            module.draw([measured / file], tmp_path / "x")
