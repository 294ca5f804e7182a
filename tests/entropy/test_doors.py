"""`psp_entropy` and `layer_entropies` from Python: against counting by hand, and the commands' numbers."""

import numpy as np
import pytest
import torch
from torch import nn

from entropy import layer_entropies, psp_entropy
from entropy.layers.__main__ import main as layers
from entropy.layers.flags import Layers
from entropy.psp.__main__ import main as psp
from entropy.psp.flags import Psp
from minima import BadInput, load_checkpoint
from minima.store.checkpoints.checkpoint import Checkpoint, save
from minima.zoo.architecture.architecture import describe, initialise, parse_architecture
from minima.zoo.data.specs import load_data, resolve_data


@pytest.fixture
def checkpoint(tmp_path):
    entry = describe(parse_architecture("mlp:hidden=8x6"), (1, 8, 8), 10)
    path = tmp_path / "net.pt"
    save(Checkpoint(model=entry, data=resolve_data("digits"), state=initialise(entry, 1).state_dict()), path)
    return path


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3))


X = torch.randn(60, 4, generator=torch.Generator().manual_seed(2))
Y = torch.arange(60) % 3


def bits(p):
    return sum(-q * np.log2(q) for q in (p, 1 - p) if q > 0)


def test_entropies_are_those_counted_by_hand():
    model = network().train()
    with torch.no_grad():
        on = (model[0](X) > 0).numpy()
    by_hand = [sum(bits(on[label == Y, neuron].mean()) for label in range(3)) for neuron in range(5)]
    found = psp_entropy(model, (X, Y))
    np.testing.assert_allclose(found.layers[0].entropy, by_hand, atol=1e-12)
    assert found.network_mean == pytest.approx(np.mean(by_hand))
    assert found.means[found.layers[0].name] == pytest.approx(np.mean(by_hand))
    assert found[found.layers[0].name] is found.layers[0]
    assert model.training
    with torch.no_grad():
        assert found.loss == pytest.approx(nn.functional.cross_entropy(model(X), Y).item(), rel=1e-5)


@pytest.mark.parametrize(
    ("ignored", "loss"),
    [
        (-100, None),
        (255, "cross-entropy:ignore_index=255"),
        (1, "cross-entropy:ignore_index=1"),
        (-100, lambda z, y: nn.functional.cross_entropy(z, y, reduction="none")),
    ],
)
def test_examples_that_the_loss_ignores_are_no_class_and_left_out(ignored, loss):
    y = torch.where(torch.arange(60) < 25, ignored, Y.where(ignored != Y, 2))
    found, alone = psp_entropy(network(), (X, y), loss), psp_entropy(network(), (X[25:], y[25:]), loss)
    assert any(f"25 of 60 examples are labelled {ignored}" in each for each in found.notes)
    assert found.classes == alone.classes == 3
    for own, other in zip(found.layers, alone.layers, strict=True):
        assert own.summary() == other.summary()
        np.testing.assert_array_equal(own.counts, other.counts)
    grouped = psp_entropy(network(), (X, y), loss, groups=Y)
    assert grouped.layers[0].observed.sum() == 60, "groups need no label"


def test_labels_that_are_all_ignored_leave_no_class():
    with pytest.raises(BadInput, match="all labels are -100"):
        psp_entropy(network(), (X, torch.full((60,), -100)), lambda z, y: z.square().sum(1) + 0 * y)


def test_the_command_leaves_out_what_the_loss_ignores(tmp_path):
    torch.manual_seed(0)
    entry = describe(parse_architecture("mlp:hidden=8x6"), (1, 2, 2), 3)
    checkpoint = Checkpoint(model=entry, data={}, state=initialise(entry, 1).state_dict())
    save(checkpoint, tmp_path / "net.pt")
    x, counts = X.view(60, 1, 2, 2).numpy(), np.arange(60) % 4 > 0
    y, summaries = np.where(counts, Y.numpy(), 255), {}
    for name, kept in (("all", counts | True), ("alone", counts)):
        np.savez(tmp_path / f"{name}.npz", x_train=x, y_train=Y.numpy(), x_test=x[kept], y_test=y[kept])
        wanted = Psp(
            checkpoints=(tmp_path / "net.pt",),
            data=f"npz:{tmp_path / name}.npz",
            loss="cross-entropy:ignore_index=255",
            mean="0",
            std="1",
            out=tmp_path / f"{name}.h5",
        )
        summaries[name] = psp(wanted).summary
    assert summaries["all"]["classes"] == 3
    for key in ("loss", "classes", "absent_classes", "network_mean", "layers"):
        assert summaries["all"][key] == summaries["alone"][key], key


def test_without_labels_and_against_groups():
    model = network()
    with torch.no_grad():
        on = (model[0](X) > 0).numpy()
    alone = psp_entropy(model, (X, torch.zeros(60, 3)), "mse")
    assert alone.classes == 1
    np.testing.assert_allclose(alone.layers[0].entropy, [bits(on[:, neuron].mean()) for neuron in range(5)])
    parity = np.arange(60) % 2
    groups = psp_entropy(model, (X, Y), groups=parity)
    by_hand = [sum(bits(on[parity == group, neuron].mean()) for group in range(2)) for neuron in range(5)]
    np.testing.assert_allclose(groups.layers[0].entropy, by_hand, atol=1e-12)
    with pytest.raises(BadInput, match="one for each example"):
        psp_entropy(model, (X, Y), groups=parity[:5])


@pytest.mark.parametrize("order", [1, 2])
def test_the_command_finds_the_same_entropies(order, checkpoint, tmp_path):
    said = psp(Psp(checkpoints=(checkpoint,), order=order, seed=4, out=tmp_path / "x.h5")).summary
    subject = load_checkpoint(checkpoint, split="test")
    found = psp_entropy(subject.model, subject, order=order, seed=4)
    assert found.network_mean == said["network_mean"]
    assert [layer.summary()["mean"] for layer in found.layers] == [layer["mean"] for layer in said["layers"]]
    assert [layer.summary()["stderr_new_images"] for layer in found.layers] == [
        layer["stderr_new_images"] for layer in said["layers"]
    ]
    whole = psp_entropy(subject.model, load_data(resolve_data("digits")), order=order, seed=4)  # its test split
    assert whole.network_mean == found.network_mean
    assert (found.loss, found.score) == (said["loss"], said["accuracy"])


@pytest.mark.parametrize("estimator", ["egp", "nepenthe", "easier"])
def test_the_command_finds_the_same_layers(estimator, checkpoint, tmp_path):
    said = layers(Layers(checkpoints=(checkpoint,), estimator=estimator, out=tmp_path / "x.h5")).summary
    subject = load_checkpoint(checkpoint, split="test")
    found = layer_entropies(subject.model, subject, estimator=estimator)
    assert list(found.entropies.values()) == [layer["entropy"] for layer in said["layers"]]
    assert list(found.remove_next) == list(said["remove_next"])


def test_a_network_without_activations_and_an_unknown_estimator():
    with pytest.raises(BadInput, match="found none"):
        layer_entropies(nn.Linear(4, 3), (X, Y))
    with pytest.raises(BadInput, match="known are"):
        layer_entropies(network(), (X, Y), estimator="shannon")


def test_nothing_is_printed(capsys):
    found = psp_entropy(nn.Linear(4, 3), (X, Y % 2))
    assert any("no elementwise activation" in said for said in found.notes)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"neurons": "channels"}, "neurons 'channels': known are 'position', 'channel'"),
        ({"pairs": "some", "order": 2}, "pairs 'some'"),
        ({"compat": "paper"}, "compat 'paper': known are 'published', None"),
        ({"positions": "all"}, "positions 'all'"),
        ({"order": 1.5}, "order 1.5: expected a whole number"),
        ({"groups": "none"}, "holds no whole numbers"),
        ({"batch_size": 0}, "batch_size 0: expected at least 1"),
    ],
)
def test_settings_that_a_command_line_would_refuse_are_refused(options, words):
    x, y = torch.randn(6, 3), torch.arange(6) % 2
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
    with pytest.raises(BadInput, match=words):
        psp_entropy(model, (x, y), **options)


def test_layers_are_not_looked_at_in_batches_of_less_than_one():
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
    with pytest.raises(BadInput, match="batch_size -1: expected at least 1"):
        layer_entropies(model, (torch.randn(6, 3), torch.arange(6) % 2), batch_size=-1)
