"""Positions as examples: the counts of the network run by hand, pixel by pixel; errors that know the examples."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
import torch
from cases.lines import typed
from torch import nn

from entropy import psp_entropy
from minima.store.command import BadInput

N, C, SIZE, IGNORED = 24, 3, 6, 255


class Pixels(nn.Module):
    """A small segmenter: one layer keeps the size, one has half of it."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.low = nn.Conv2d(2, 5, 3, padding=1), nn.Conv2d(5, 4, 3, stride=2, padding=1)
        self.last = nn.Conv2d(9, C, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        first = self.first(x).relu()
        low = nn.functional.interpolate(self.low(first).relu(), size=x.shape[2:])
        return self.last(torch.cat([first, low], 1))


@pytest.fixture(scope="module")
def case() -> tuple[nn.Module, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    x, y = torch.randn(N, 2, SIZE, SIZE), torch.randint(0, C, (N, SIZE, SIZE))
    y[:, 0, 0], y[3:9, 2] = IGNORED, IGNORED
    return Pixels().eval(), x, y


LOSS = f"cross-entropy:ignore_index={IGNORED}"


def test_counts_are_those_of_each_pixel(case) -> None:
    net, x, y = case
    found = psp_entropy(net, (x, y), LOSS, positions="as-examples", batch_size=5)
    on = {"first": net.first(x) > 0, "last": net(x) > 0}
    assert [layer.name for layer in found.layers] == [*on]
    assert any("low has 9 positions" in each for each in found.notes)
    for layer in found.layers:
        states = on[layer.name].movedim(1, -1)
        for label in range(C):
            assert layer.counts[label].tolist() == states[y == label].sum(0).tolist()
            assert layer.observed[label] == (y == label).sum()
        p = layer.counts / layer.observed[:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            each = np.nan_to_num(-p * np.log2(p)) + np.nan_to_num(-(1 - p) * np.log2(1 - p))
        np.testing.assert_allclose(layer.entropy, each.sum(0), rtol=1e-12)
    again = psp_entropy(net, (x, y), LOSS, positions="as-examples", batch_size=N)
    assert [layer.summary() for layer in again.layers] == [layer.summary() for layer in found.layers]


def test_the_error_knows_that_pixels_of_one_image_are_not_independent() -> None:
    """Images of one colour each: the states of a thousand pixels are those of one."""
    torch.manual_seed(1)
    net = nn.Sequential(nn.Conv2d(1, 4, 1), nn.ReLU(), nn.Conv2d(4, 2, 1))
    x = torch.randn(400, 1, 1, 1)
    y = torch.arange(400)[:, None, None] % 2
    one = psp_entropy(net, (x, y), positions="as-examples")
    many = psp_entropy(net, (x.expand(-1, 1, 8, 8), y.expand(-1, 8, 8)), positions="as-examples")
    for single, whole in zip(one.layers, many.layers, strict=True):
        np.testing.assert_allclose(whole.entropy, single.entropy, rtol=1e-12)
        few, same = (layer.summary()["stderr_new_images"] for layer in (single, whole))
        assert same == pytest.approx(few, rel=0.05)


def test_tokens_are_examples_too() -> None:
    torch.manual_seed(2)
    net = nn.Sequential(nn.Embedding(11, 6), nn.Linear(6, 7), nn.ReLU(), nn.Linear(7, 4))
    x, y = torch.randint(0, 11, (20, 5)), torch.randint(0, 4, (20, 5))
    found = psp_entropy(net, (x, y), positions="as-examples")
    states = net[1](net[0](x)) > 0
    for label in range(4):
        assert found.layers[0].counts[label].tolist() == states[y == label].sum(0).tolist()


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({"order": 2}, "without --order"),
        ({"permutations": 3}, "without --permutations"),
        ({}, "the targets are of shape"),
    ],
)
def test_what_does_not_go_together_is_refused(case, keywords, words) -> None:
    net, x, y = case
    data, network = ((x, y), net) if keywords else ((torch.randn(9, 4), torch.arange(9) % 2), nn.Linear(4, 2))
    with pytest.raises(BadInput, match=words):
        psp_entropy(network, data, LOSS if keywords else None, positions="as-examples", **keywords)


def test_labels_of_other_positions_are_refused() -> None:
    net = nn.Sequential(nn.Conv2d(1, 2, 2, stride=2), nn.ReLU(), nn.Conv2d(2, 2, 1), nn.Upsample(scale_factor=2))
    with pytest.raises(BadInput, match=r"16 positions .* no layer has as many|output"):
        psp_entropy(
            nn.Sequential(*net[:3]), (torch.randn(6, 1, 4, 4), torch.zeros(6, 4, 4).long()), positions="as-examples"
        )


def test_the_command_says_what_it_counted(case, tmp_path) -> None:
    net, x, y = case
    (tmp_path / "net.py").write_text(f"import torch\nfrom torch import nn\n\nC = {C}\n\n\n{inspect.getsource(Pixels)}")
    torch.save(net.state_dict(), tmp_path / "net.pt")
    np.savez(tmp_path / "pixels.npz", x_train=x[:3], y_train=y[:3], x_test=x, y_test=y)
    line = ["net.pt", "--model", "net.py:Pixels", "--data", "npz:pixels.npz", "--loss", LOSS]
    status, found, said = typed(tmp_path, "entropy.psp", *line, "--positions", "as-examples")
    assert status == 0, said
    counted = int((y != IGNORED).sum())
    assert f"{y.numel() - counted:,} that the loss ignores are left out" in said
    assert (found["neurons"], found["positions"], found["classes"]) == ("channel", "as-examples", C)
    expected = psp_entropy(net, (x, y), LOSS, positions="as-examples")
    assert [layer["mean"] for layer in found["layers"]] == [expected.means[name] for name in ("first", "last")]
