"""The figures of PSP-entropy: what is drawn is what the command measured, and a file of something else is refused."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from figures import entropy_against_sparsity, entropy_over_training, neuron_class_map, pair_entropy
from figures.drawing.psp import Layer, level, read_networks
from minima.store.command import BadInput

ROOT = Path(__file__).parents[2]
SHORT = "--epochs 2 --keep 1"
COMMANDS = [
    f"minima.train --model mlp:hidden=24x16 --data digits {SHORT} -o net.pt",
    f"pruning magnitude net.pt --sparsity 0.9 0.95 --each {SHORT} -o net.one-shot-{{sparsity}}.pt",
    f"pruning gmp net.pt --sparsity 0.9 0.95 --each {SHORT} -o net.gmp-{{sparsity}}.pt",
    "entropy.psp net.pt net.one-shot-0.9.pt --order 2 --selectivity -o pairs.h5",
    "entropy.psp net.pt -o plain.h5",
    "entropy.psp net.pt net.one-shot-0.9.pt net.one-shot-0.95.pt net.gmp-0.9.pt net.gmp-0.95.pt -o each.h5",
    "entropy.psp net.one-shot-0.9.trajectory.h5 net.gmp-0.9.trajectory.h5 -o training.h5",
    "entropy.layers net.pt -o layers.h5",
]
FIGURES = {
    "neuron_class_map": "pairs.h5",
    "pair_entropy": "pairs.h5",
    "entropy_by_depth": "each.h5",
    "entropy_against_sparsity": "each.h5",
    "entropy_over_training": "training.h5",
}


@pytest.fixture(scope="session")
def measured(chained, tmp_path_factory):
    """Results of the real commands for a network of two hidden layers, pruned two ways; names of nobody's scheme."""
    return chained(tmp_path_factory.mktemp("entropy"), COMMANDS)


def line_of(axes, label):
    (found,) = [line for line in axes.get_lines() if line.get_label() == label]
    return np.asarray(found.get_xdata()), np.asarray(found.get_ydata())


@pytest.mark.parametrize(("figure", "file"), FIGURES.items())
def test_by_hand_and_the_same_twice(figure, file, measured, tmp_path):
    line = [sys.executable, "-m", f"figures.{figure}", measured / file, "-o", tmp_path / "drawn", "--json"]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    made = [Path(path) for path in json.loads(done.stdout)["written"]]
    assert {path.suffix for path in made} == {".svg", ".png"}
    again = importlib.import_module(f"figures.{figure}").draw([measured / file], tmp_path / "again")
    assert [path.read_bytes() for path in made] == [path.read_bytes() for path in again]


@pytest.mark.parametrize("figure", FIGURES)
def test_a_file_of_another_measure(figure, measured, tmp_path):
    draw = importlib.import_module(f"figures.{figure}").draw
    with pytest.raises(BadInput, match=r"result of layers; this figure is drawn from entropy\.psp"):
        draw([measured / "layers.h5"], tmp_path / "x")
    with pytest.raises(BadInput, match=r"format is minima-trajectory, expected minima-results"):
        draw([measured / "net.trajectory.h5"], tmp_path / "x")


@pytest.mark.parametrize(
    ("figure", "file", "flags", "words"),
    [
        ("pair_entropy", "plain.h5", {}, "no joint entropies of fc2"),
        ("pair_entropy", "pairs.h5", {"layer": "conv9"}, "no hidden layer conv9, but fc1, fc2"),
        ("pair_entropy", "pairs.h5", {"checkpoint": ("other.pt",)}, "--checkpoint other.pt: not in these files"),
        ("neuron_class_map", "each.h5", {}, "5 checkpoints, and the figure has room for 4"),
        ("entropy_over_training", "plain.h5", {}, "no moment of a trajectory"),
    ],
)
def test_what_a_figure_cannot_draw(figure, file, flags, words, measured, tmp_path):
    draw = importlib.import_module(f"figures.{figure}").draw
    with pytest.raises(BadInput, match=words):
        draw([measured / file], tmp_path / "x", **flags)
    assert not list(tmp_path.iterdir())


def layer_of(counts, observed=100, **more):
    """A layer with these ON states (class, neuron)."""
    counts = np.array(counts)
    there = dict.fromkeys(("activation", "selectivity", "joint")) | more
    zero = np.zeros(counts.shape[1])
    there = {"entropy": zero, "information": zero} | there
    return Layer("fc", {}, np.arange(len(counts)), counts, np.full(len(counts), observed), **there)


def test_neurons_are_ordered_by_class_and_selectivity():
    """By hand: neuron 0 dead, 1 always on, 2 for class 1 weakly, 3 for class 0, 4 for class 1 only."""
    layer = layer_of([[0, 100, 40, 90, 0], [0, 100, 60, 30, 50]])
    assert neuron_class_map.order_of(layer).tolist() == [3, 4, 2, 1, 0]
    selectivity, preferred = neuron_class_map.selectivity_of(layer)
    np.testing.assert_allclose(selectivity, [-1, 0, 0.2, 0.5, 1])
    assert preferred.tolist()[2:] == [1, 0, 1]


def test_the_stored_selectivity_comes_first():
    activation = np.array([[3.0, 0.0, 1.0], [1.0, 2.0, 0.5]])
    layer = layer_of([[50, 50, 50], [50, 50, 50]], activation=activation, selectivity=np.array([0.5, 1.0, 0.9]))
    assert neuron_class_map.order_of(layer).tolist() == [2, 0, 1]


def test_the_map_shows_p_on(drawn, measured):
    figure = drawn("neuron_class_map", measured / "pairs.h5")
    with h5py.File(measured / "pairs.h5") as file:
        stored = file["psp/fc1/p_on"][1]  # (class, neuron)
    (image,) = figure.axes[1].get_images()
    shown = np.asarray(image.get_array())[:: neuron_class_map.BLUR]
    assert sorted(map(tuple, shown.T)) == sorted(map(tuple, stored.T))


def test_multi_information_of_worked_pairs():
    """Neurons 0 and 2 are one coin, 1 is another, 3 is dead and 4 is on in class 1 alone."""
    entropy = np.array([2.0, 2.0, 2.0, 0.0, 0.0])
    joint = entropy[:, None] + entropy
    joint[0, 2] = joint[2, 0] = 2
    np.fill_diagonal(joint, entropy)
    counts = [[50, 50, 50, 0, 0], [50, 50, 50, 0, 100]]
    clustered = pair_entropy.cluster(layer_of(counts, entropy=entropy, joint=joint), "net.pt")
    assert clustered.left_out == "left out: 1 dead, 1 fixed by the class"
    expected = [[2, 2, 0], [2, 2, 0], [0, 0, 2]]
    assert clustered.information.tolist() in (expected, np.flip(expected).tolist())
    np.testing.assert_allclose(clustered.tree[:, 2], [0, 1])


def test_a_layer_without_pairs_is_drawn_empty(measured):
    dead = layer_of(np.zeros((2, 3), int), joint=np.zeros((3, 3)))
    clustered = pair_entropy.cluster(dead, "net.pt")
    assert clustered.information.shape == (0, 0)
    assert pair_entropy.off_diagonal(clustered.information).tolist() == [0]


def test_the_matrix_is_of_the_file(drawn, measured):
    figure = drawn("pair_entropy", measured / "pairs.h5", layer="fc1")
    with h5py.File(measured / "pairs.h5") as file:
        entropy, joint = file["psp/fc1/entropy"][0], file["psp/fc1/joint_entropy"][0]
    information = (entropy[:, None] + entropy - joint)[np.ix_(entropy > 0, entropy > 0)]
    (image,) = [image for axes in figure.axes[:4] for image in axes.get_images()][:1]
    np.testing.assert_allclose(np.sort(np.ravel(image.get_array())), np.sort(information.ravel()), atol=1e-9)


def test_depth_is_the_tables(drawn, measured):
    figure = drawn("entropy_by_depth", measured / "each.h5", checkpoint=("net.one-shot-0.9.pt",))
    with h5py.File(measured / "each.h5") as file:
        layers = json.loads(file.attrs["summary"])[1]["layers"][:2]
        entropy = file["psp/fc2/entropy"][1]
    every, alive = figure.axes
    (bars,) = every.containers
    line, _, (sticks,) = bars.lines
    assert [label.get_text() for label in every.get_xticklabels()] == ["fc1", "fc2"]
    np.testing.assert_allclose(line.get_ydata().astype(float), [layer["mean"] for layer in layers])
    assert line.get_ydata()[1] == pytest.approx(entropy.mean())
    lengths = [float(np.ptp(segment[:, 1])) for segment in sticks.get_segments()]
    np.testing.assert_allclose(lengths, [2 * layer["stderr_new_images"] for layer in layers])
    np.testing.assert_allclose(line_of(alive, "net.one-shot")[1], [layer["alive_mean"] for layer in layers])


def alive_mean(file, row, quantity):
    """Over all hidden neurons of a checkpoint, from the arrays."""
    values, alive = [], []
    for layer in ("fc1", "fc2"):
        counts, observed = file[f"psp/{layer}/counts"][row].sum(0), file[f"psp/{layer}/observed"][row].sum()
        values.append(file[f"psp/{layer}/{quantity}"][row])
        alive.append((counts > 0) & (counts < observed))
    return np.concatenate(values)[np.concatenate(alive)].mean()


def test_sparsity_is_the_files(drawn, measured):
    figure = drawn("entropy_against_sparsity", measured / "each.h5")
    entropy, _, information = figure.axes
    with h5py.File(measured / "each.h5") as file:
        sparsity = file["psp/sparsity"][1:3]
        for axes, quantity in ((entropy, "entropy"), (information, "class_information")):
            for method, rows in (("net.one-shot", (1, 2)), ("net.gmp", (3, 4))):
                x, y = line_of(axes, method)
                np.testing.assert_allclose(x, 1 / (1 - sparsity))
                np.testing.assert_allclose(y, [alive_mean(file, row, quantity) for row in rows])
            np.testing.assert_allclose(line_of(axes, "net")[1], alive_mean(file, 0, quantity))


def test_sparsity_of_the_study(invented, monkeypatch):
    """Twelve seeds, both stages: the median over seeds of each method."""
    kept = []
    monkeypatch.setattr(entropy_against_sparsity, "save", lambda figure, _: kept.append(figure) or [])
    files = sorted(invented.glob("digits-lenet300-*.psp-train.h5"))
    entropy_against_sparsity.draw(files, Path("nowhere"))
    networks = [n for n in read_networks(files) if n.seed_and_method[1] == "gmp" and "-0.97.finished" in n.name]
    assert len(networks) == 12
    _, finished = kept[0].axes[2:4]
    x, y = line_of(finished, "gradual magnitude (GMP)")
    assert y[x.tolist().index(pytest.approx(1 / 0.03))] == pytest.approx(
        np.median([level(n.layers).dead for n in networks])
    )


def test_training_is_the_files(drawn, measured):
    figure = drawn("entropy_over_training", measured / "training.h5")
    titles = [axes.get_title() for axes in figure.axes[:2]]
    assert titles == ["net.one-shot", "net.gmp"]
    with h5py.File(measured / "training.h5") as file:
        names = [name.decode() for name in file["checkpoint"][()]]
        rows = [row for row, name in enumerate(names) if "gmp" in name]
        dead = 100 * (file["psp/fc1/counts"][()].sum(1) == 0).mean(1)
    x, y = line_of(figure.axes[3], "fc1")
    assert x.tolist() == [0, 1, 2]
    np.testing.assert_allclose(y, dead[rows])


def test_two_runs_of_one_method_and_seed_are_no_median():
    networks = read_networks_of("net.a-0.9.trajectory.h5@1", "net.a-0.8.trajectory.h5@1")
    with pytest.raises(BadInput, match="of one method and seed"):
        entropy_over_training.runs_of(networks)


def read_networks_of(*names):
    from figures.drawing.psp import Network

    return [Network(name, {"step": int(name[-1])}, ()) for name in names]


def test_who_shares_a_method_is_called_by_its_name():
    from figures.drawing.psp import beside

    labels = [style.label for style in beside(read_networks_of("x.gmp-0.9.pt@1", "x.gmp-0.8.pt@1"))]
    assert labels == ["x.gmp-0.9", "x.gmp-0.8"]
    assert [style.label for style in beside(read_networks_of("x-seed1.gmp-0.9.pt@1"))] == ["x.gmp"]


def test_quartiles_without_alive_neurons():
    assert np.isnan(entropy_against_sparsity.quartiles([np.nan])).all()
