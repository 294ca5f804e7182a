"""The figures of any surface and of its topology: what is drawn is what is in the file."""

import numpy as np
import pytest

from figures import surface, surface_topology
from minima.store.command import BadInput
from minima.store.hdf5.results import Identity, create

ALPHA, BETA = np.linspace(-1, 1, 9), np.linspace(-2, 2, 7)
ABOUT = {"samples": 300, "split": "train"}
MOMENTS = {
    "alpha": [0.9, 0.4, 0.0],
    "beta": [-1.5, -0.2, 0.0],
    "residual": [3.0, 1.0, 0.0],
    "loss": [2.0, 1.0, 0.1],
}


def directions(place, norms):
    place.scale("surface/direction", list(range(1, len(norms) + 1)), "1", "direction")
    for key in ("direction_norm", "relative_direction_norm"):
        place.write(f"surface/{key}", norms, ("direction",), "1", "length")


@pytest.fixture
def written(tmp_path):
    """A results file with a group that `fill` fills for each checkpoint."""

    def write(measure, fill, names=("a.pt",), **summary):
        identity = Identity(measure, [f"{index:064d}" for index in range(len(names))], {})
        with create(tmp_path / "x.h5", identity, names, {"seed": 0}, overwrite=True) as file:
            for index in range(len(names)):
                fill(file.place(index), index)
                file.mark_done(index, ABOUT | summary)
            file.finish()
        return tmp_path / "x.h5"

    return write


def bowl(steep=1.0):
    return 0.1 + steep * (ALPHA[:, None] ** 2 + 3 * BETA**2)


def plane(place, index):
    place.scale("surface/alpha", ALPHA, "1", "alpha")
    place.scale("surface/beta", BETA, "1", "beta")
    loss = bowl(1 + index)
    loss[:2, 0] = np.inf
    place.write("surface/loss", loss, ("alpha", "beta"), "nat", "loss")
    place.write("surface/accuracy", np.exp(-bowl()), ("alpha", "beta"), "1", "accuracy")
    directions(place, [3.0, 3.5])
    place.write("surface/direction_cosine", 0.5, (), "1", "cosine")


def everything(place, index):
    plane(place, index)
    place.write("surface/loss_error", 0.01 * bowl(), ("alpha", "beta"), "nat", "error")
    place.write("surface/held_out", np.zeros((9, 7)), ("alpha", "beta"), "1", "no map")
    place.write("surface/map_gradient_norm", bowl() ** 0.5, ("alpha", "beta"), "nat", "norm")
    place.scale("surface/class", [0, 1, 2], "1", "class")
    place.write("surface/class_loss", np.stack([bowl(k + 1) for k in range(3)]), ("class", "alpha", "beta"), "nat")
    place.scale("surface/point", ["other.pt"], "1", "network")
    place.write("surface/point_alpha", [0.7], ("point",), "1")
    place.write("surface/point_beta", [1.1], ("point",), "1")
    place.scale("surface/moment", [0, 4, 9], "1", "moment")
    for key, values in MOMENTS.items():
        place.write(f"surface/trajectory_{key}", values, ("moment",), "1")


def line(place, index):
    place.scale("surface/alpha", ALPHA, "1", "alpha")
    place.scale("surface/line", [1, 2, 3, 4, 5], "1", "line")
    loss = np.stack([1 + ALPHA**2 + k for k in range(5)])
    loss[0, ALPHA > 0.9] = np.inf
    place.write("surface/loss", loss, ("line", "alpha"), "nat", "loss")
    place.write("surface/loss_mean", loss.mean(0), ("alpha",), "nat", "mean")
    place.write("surface/accuracy", np.exp(-loss), ("line", "alpha"), "1", "accuracy")
    directions(place, [3.0, 3.1, 3.2, 3.3, 3.4])


def titled(figure):
    return {axes.get_title(): axes for axes in figure.axes if axes.get_title()}


def caption(figure):
    return " ".join(figure.get_supxlabel().split())


def test_all_maps_of_one_network(written, drawn):
    figure = drawn("surface", written("surface", everything))
    panels = titled(figure)
    classes = [f"loss, class {index} (nat)" for index in range(3)]
    maps = ["loss (nat)", "estimated error of the loss (nat)", "accuracy", *classes, "gradient norm (nat)"]
    assert list(panels) == [*maps, "training, off the plane"]
    assert "hatched: the loss of 2 of 63 points is not finite" in caption(figure)
    assert "directions 3 and 3.5 long" in caption(figure)
    assert "60.0°" in caption(figure)
    assert panels["loss (nat)"].patch.get_hatch()
    assert not panels["accuracy"].patch.get_hatch()
    curves = [np.array(each.get_data()).tolist() for each in panels["loss (nat)"].get_lines()]
    assert [MOMENTS["alpha"], MOMENTS["beta"]] in curves
    assert [[0.7], [1.1]] in curves
    assert [[0], [0]] in curves
    assert {"0", "9", "other"} <= {each.get_text() for each in panels["loss (nat)"].texts}
    (residual,) = panels["training, off the plane"].get_lines()
    assert residual.get_xydata().tolist() == [[0, 3], [4, 1], [9, 0]]


def test_losses_of_classes_by_themselves(written, drawn):
    panels = titled(drawn("surface", written("surface", everything), maps=("class_loss",)))
    assert [title for title in panels if "class" in title] == [f"loss, class {index} (nat)" for index in range(3)]
    assert "loss (nat)" not in panels


def test_contours_stand_where_the_loss_has_their_level(written, drawn):
    """Alpha to the right, beta upwards: of an oblong bowl the other way round, no contour would fit."""
    axes = titled(drawn("surface", written("surface", plane)))["loss (nat)"]
    lines = axes.collections[1]  # filled ones are first
    levels, paths = lines.levels, lines.get_paths()
    assert levels[-1] / levels[0] > 20
    assert np.diff(np.log(levels)) == pytest.approx(np.log(levels[1] / levels[0]))
    ring = paths[len(levels) // 2].vertices
    width, height = np.ptp(ring, axis=0)
    assert width / height == pytest.approx(3**0.5, rel=0.25)


def test_losses_of_several_networks_share_a_scale(written, drawn):
    figure = drawn("surface", written("surface", plane, ("a.pt", "b.pt")))
    panels = titled(figure)
    assert list(panels) == ["a: loss (nat)", "b: loss (nat)"]
    finite = [bowl(), bowl(2)[2:]]  # the corner that is higher still is the same on the other side
    for axes in panels.values():
        assert axes.collections[0].get_clim() == pytest.approx((0.1, max(each.max() for each in finite)))
    assert list(titled(drawn("surface", written("surface", plane, ("a.pt", "b.pt")), checkpoint=("b.pt",)))) == [
        "loss (nat)",
        "accuracy",
    ]


def test_a_line_with_the_spread_of_others(written, drawn):
    figure = drawn("surface", written("surface", line))
    assert list(titled(figure)) == ["loss (nat)", "accuracy"]
    axes = titled(figure)["loss (nat)"]
    curve = next(each for each in axes.get_lines() if each.get_label() == "first direction")
    np.testing.assert_allclose(curve.get_ydata(), [*(1 + ALPHA[:-1] ** 2), np.nan])
    bands = {each.get_label(): each.get_paths()[0].vertices[:, 1] for each in axes.collections}
    assert (bands["all 5 directions"].min(), bands["all 5 directions"].max()) == (1, 6)
    assert (bands["half of 5 directions"].min(), bands["half of 5 directions"].max()) == (2, 6)
    assert "1 of 45 points is not finite" in caption(figure)


def basins(place, index):
    """Two, beside a wall."""
    place.scale("topology/alpha", ALPHA, "1", "alpha")
    place.scale("topology/beta", BETA, "1", "beta")
    loss = np.minimum(bowl(), bowl()[::-1] + ALPHA[:, None] + 1)
    loss[0, 0] = np.inf
    of = np.broadcast_to(np.where(ALPHA > 0.5, 2, 1)[:, None], loss.shape).copy()
    of[0, 0] = 0
    place.write("topology/loss", loss, ("alpha", "beta"), "nat")
    place.write("topology/basin_of_point", of, ("alpha", "beta"), "1")
    place.scale("topology/basin", [1, 2], "1", "basin")
    for key, values in {
        "minimum_alpha": [0.0, 0.75],
        "minimum_beta": [0.0, 0.0],
        "minimum_loss": [0.1, 0.3],
        "saddle_loss": [np.nan, 0.8],
        "parent": [0, 1],
    }.items():
        place.write(f"topology/{key}", values, ("basin",), "nat")


SHAPE = {"minima": 2, "centre_share": 0.75, "condition": 3.0, "convex_share": 0.5}


def test_basins_and_how_they_merge(written, drawn):
    figure = drawn("surface_topology", written("topology", basins, **SHAPE))
    left, right = figure.axes
    numbers = left.collections[0].get_array()
    assert numbers.shape == (7, 9)
    assert numbers.mask.sum() == 1
    assert (numbers[1:, -1].tolist(), numbers[1:, 0].tolist()) == ([2] * 6, [1] * 6)
    stems = [each.get_xydata().tolist() for each in right.get_lines()]
    assert [[1, 0.3], [1, 0.8]] in stems  # the second, from its minimum up to its saddle
    assert [[0, 0.8], [1, 0.8]] in stems  # where it joins the first
    assert "2 basins" in caption(figure)
    assert "75.0% of the grid" in caption(figure)


def test_the_same_bytes_again_and_what_is_refused(written, tmp_path):
    file = written("surface", plane)
    once, again = ([path.read_bytes() for path in surface.draw([file], tmp_path / name)] for name in ("o", "p"))
    assert once == again
    with pytest.raises(BadInput, match="drawn from landscape"):
        surface_topology.draw([file], tmp_path / "x")
    with pytest.raises(BadInput, match="room for 1 to"):
        surface.draw([file], tmp_path / "x", ["nobody.pt"])
