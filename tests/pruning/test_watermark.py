"""`python -m pruning.watermark`: bits stay, the loss is sharpened around them, and attacks are read."""

import math
from dataclasses import replace

import pytest
import torch
import tyro
from oracles.quadratic import Quadratic
from torch import nn

from landscape.objective.flags import mean_loss
from landscape.objective.subsets.drawn import drawn_subset
from landscape.sharpness.measures.gradient_step import GradientStep
from minima.store.checkpoints.checkpoint import load, save
from minima.store.command import BadInput
from minima.store.reading import sha256
from minima.train import main as train
from minima.zoo.examples.task import Task
from minima.zoo.losses.own import OwnLoss
from minima.zoo.subject.subject import load_subject
from minima.zoo.training.flags import Train
from pruning.robustness.__main__ import main as robustness
from pruning.robustness.flags import flags
from pruning.watermark.__main__ import main
from pruning.watermark.flags import Watermark
from pruning.watermark.mark import Mark, carried, mark_of
from pruning.watermark.settings import Settings
from pruning.watermark.sharpening import sharpened

BITS = ["--bits", "40", "--key", "7", "--lr", "0.05", "--rho", "0.02"]


def watermark(*words):
    return main(tyro.cli(Watermark, args=[str(word) for word in words]))


@pytest.fixture(scope="module")
def marked(dense, tmp_path_factory):
    """Of a pruned network: set and kept only, and with the loss sharpened around."""
    folder = tmp_path_factory.mktemp("marked")
    checkpoint = load(dense)
    masks = {name: value.abs() > value.abs().median() for name, value in checkpoint.state.items() if value.ndim == 2}
    state = checkpoint.state | {name: checkpoint.state[name] * mask for name, mask in masks.items()}
    save(replace(checkpoint, state=state, masks=masks), folder / "sparse.pt")
    for name, strength in (("plain", 0), ("sharp", 0.1)):
        watermark(folder / "sparse.pt", *BITS, "--epochs", 4, "--strength", strength, "-o", folder / f"{name}.pt")
    return folder


def test_bits_are_where_the_key_says_and_what_is_removed_stays_so(marked):
    sparse = load_subject(marked / "sparse.pt")
    places = drawn_subset(sparse.model, sparse.masks, 40, 7)
    parent = dict(sparse.model.named_parameters())
    for name in ("plain", "sharp"):
        found = load_subject(marked / f"{name}.pt")
        mark = carried(found.checkpoint, found.model)
        assert all(torch.equal(places[key], place) for key, place in mark.places.items())
        assert sum(map(len, mark.bits.values())) == 40
        for key, place in mark.places.items():
            weight, mask = found.model.get_parameter(key).detach(), sparse.masks[key]
            size = 2 * parent[key][mask].double().square().mean().sqrt().float()
            assert torch.equal(weight[place], size * mark.bits[key])
            assert not weight[~mask].any()
            assert not torch.equal(weight[mask & ~place], parent[key][mask & ~place])
        assert found.checkpoint.metrics["watermark"]["wrong"] == 0
        assert torch.equal(
            torch.cat([*mark.bits.values()]),
            torch.cat([*mark_of(found.model, found.masks, Settings(7, 40)).bits.values()]),
        )


def test_training_raises_the_loss_around_the_bits(marked):
    rises = {}
    for name in ("plain", "sharp"):
        subject = load_subject(marked / f"{name}.pt", samples=400)
        moving = drawn_subset(subject.model, subject.masks, 40, 7)
        norm = torch.cat([subject.model.get_parameter(key)[place] for key, place in moving.items()]).norm().item()
        objective = mean_loss(subject, "survivors", moving=moving)
        rises[name] = GradientStep(rho=(0.02 * norm,)).measure(objective, seed=0).value
    assert rises["sharp"] > 1.5 * rises["plain"]
    plain, sharp = (load(marked / f"{name}.pt").metrics["test"]["accuracy"] for name in ("plain", "sharp"))
    assert sharp > plain - 0.15  # it has its price


def test_what_training_goes_down_on_a_quadratic():
    """L = b.w + w.A w / 2 at w, eps on the first two of three weights."""
    matrix = torch.tensor([[2.0, 0.5, 0.1], [0.5, 1.0, 0.2], [0.1, 0.2, 3.0]]).double()
    slope, at = torch.tensor([0.3, -0.2, 0.4]).double(), torch.tensor([0.5, 0.1, -0.7]).double()
    model, place = Quadratic(matrix, at=at, slope=slope), torch.tensor([[True, True, False]])
    task = Task(OwnLoss(lambda out, _: out, "own"))
    made = sharpened(task, {"weight": place}, rho=0.4, strength=0.7)(model, torch.zeros(4, 1), torch.zeros(4))
    gradient = slope + matrix @ at
    step = 0.4 * gradient * place[0] / (gradient * place[0]).norm()
    level = slope @ at + at @ matrix @ at / 2
    rise = step @ gradient + step @ matrix @ step / 2
    assert made.item() == pytest.approx((level - 0.7 * torch.tanh(rise).log()).item())
    made.backward()
    expected = gradient - 0.7 / (math.cosh(rise) * math.sinh(rise)) * (matrix @ step)
    assert torch.allclose(model.weight.grad[0], expected)


class Partly(nn.Module):
    """Drops units, has a frozen layer, and one that the loss does not depend on."""

    def __init__(self):
        super().__init__()
        self.first, self.drop, self.last = nn.Linear(6, 16), nn.Dropout(0.5), nn.Linear(16, 3)
        self.aside = nn.Linear(16, 2)
        self.first.requires_grad_(False)

    def forward(self, x):
        kept = self.drop(self.first(x).relu())
        return self.last(kept), self.aside(kept)


def test_the_rise_is_of_one_function_whatever_is_dropped_frozen_or_aside():
    torch.manual_seed(0)
    model, x, y = Partly().train(), torch.randn(8, 6), torch.arange(8) % 3
    places = {
        f"{name}.weight": torch.rand_like(model.get_parameter(f"{name}.weight")) < 0.3
        for name in ("first", "last", "aside")
    }
    torch.manual_seed(5)
    made = sharpened(Task(output="0"), places, rho=0.3, strength=0.7)(model, x, y)
    behind = torch.rand(1)

    torch.manual_seed(5)
    kept = model.drop(torch.ones(8, 16))  # what the same draws drop
    assert torch.equal(behind, torch.rand(1))
    weights = {
        name: model.get_parameter(name).detach().double().requires_grad_() for name in ("first.weight", "last.weight")
    }

    def loss(first, last):
        hidden = (x.double() @ first.T + model.first.bias.double()).relu() * kept
        return nn.functional.cross_entropy(hidden @ last.T + model.last.bias.double(), y)

    level = loss(*weights.values())
    slopes = [
        g * places[name] for name, g in zip(weights, torch.autograd.grad(level, list(weights.values())), strict=True)
    ]
    norm = sum(slope.square().sum() for slope in slopes).sqrt()
    rise = loss(*(w + 0.3 * slope / norm for w, slope in zip(weights.values(), slopes, strict=True))) - level
    assert rise > 0
    assert made.item() == pytest.approx((level - 0.7 * rise.tanh().log()).item(), rel=1e-5)
    made.backward()
    assert model.last.weight.grad.any()
    assert model.first.weight.grad is None
    assert not model.first.weight.requires_grad


def test_wrong_bits_are_counted_and_lost_ones_by_half():
    mark = Mark({"w": torch.tensor([True, False, True, True, True])}, {"w": torch.tensor([1, -1, 1, -1])})
    assert mark.wrong({"w": torch.tensor([3.0, 9.0, -1.0, 2.0, -4.0])}) == 0
    assert mark.wrong({"w": torch.tensor([-3.0, 9.0, -1.0, 0.0, -4.0])}) == 1.5 / 4


def test_attacks_read_the_bits(marked, tmp_path, figure_of):
    words = [
        "--trials",
        "weight-noise,further-pruning,fine-tuning,fgsm",
        "--weight-noise.draws",
        "2",
        "--samples",
        "100",
    ]
    words += [
        "--weight-noise.levels",
        "20",
        "--further-pruning.levels",
        "0.2",
        "0.99",
        "--fine-tuning.levels",
        "1",
        "2",
    ]
    report = robustness(tyro.cli(flags(), args=[str(marked / "sharp.pt"), *words, "-o", str(tmp_path / "x.h5")]))
    found = {name: each.get("bit_error") for name, each in report.summary["robustness"].items()}
    assert found["fgsm"][0] == 0
    assert found["weight_noise"][0] == 0 < found["weight_noise"][1]
    assert found["further_pruning"][:2] == [0, 0]
    assert found["further_pruning"][2] > 0.3
    assert len(found["fine_tuning"]) == 3
    assert "bits wrong" in report.table
    dotted = [line for line in figure_of("robustness", tmp_path / "x.h5").axes[0].lines if line.get_linestyle() == ":"]
    assert dotted[0].get_ydata()[0] == 1


def test_bits_are_looked_for_in_what_was_made_of_the_marked_network(marked, tmp_path):
    train(Train(start=(marked / "sharp.pt",), epochs=1, out=str(tmp_path / "tuned.pt")))
    words = [str(tmp_path / "tuned.pt"), "--trials", "quantisation", "-o", str(tmp_path / "x.h5")]
    assert "bit_error" not in robustness(tyro.cli(flags(), args=words)).summary["robustness"]["quantisation"]
    words = [*words[:-1], str(tmp_path / "y.h5"), "--watermark", str(marked / "sharp.pt")]
    found = robustness(tyro.cli(flags(), args=words)).summary["robustness"]["quantisation"]["bit_error"]
    assert found[0] < 0.1
    with pytest.raises(BadInput, match="no watermark was embedded"):
        robustness(
            tyro.cli(flags(), args=[*words[:-3], str(tmp_path / "z.h5"), "--watermark", str(tmp_path / "tuned.pt")])
        )


def test_typed_again_it_is_there_and_the_same_bytes(marked, tmp_path):
    words = [marked / "sparse.pt", *BITS, "--epochs", 4, "--strength", 0.1]
    assert watermark(*words, "-o", marked / "sharp.pt").summary["reused"]
    assert watermark(*words, "-o", tmp_path / "x.pt").summary["sha256"] == sha256(marked / "sharp.pt")
    with pytest.raises(BadInput, match="--overwrite"):
        watermark(marked / "sparse.pt", "--key", 1, "-o", marked / "sharp.pt")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["sparse.pt", "--bits", "5000"], "--bits 5000: expected 1 to 4"),
        (["sparse.pt", "--rho", "0"], "--rho 0"),
        (["sharp.pt"], "carries a watermark already"),
        (["foreign.pt"], "not a checkpoint of this suite"),
    ],
)
def test_what_is_refused(marked, tmp_path, words, said):
    torch.save(nn.Linear(2, 2).state_dict(), marked / "foreign.pt")
    with pytest.raises(BadInput, match=said):
        watermark(marked / words[0], "--key", 1, *words[1:], "-o", tmp_path / "x.pt")
