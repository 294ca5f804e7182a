"""`python -m pruning.robustness`: attacks against closed forms and a plain loop, weights against brute force."""

import copy
import itertools
import json
import math

import h5py
import numpy as np
import pytest
import torch
import tyro
from torch import nn
from torch.nn.functional import cross_entropy, softplus

from minima.store.command import BadInput
from minima.zoo.subject.handed import subject_of
from pruning import measure_robustness
from pruning.robustness.__main__ import main
from pruning.robustness.attack import Ball, ascent
from pruning.robustness.bench import Bench
from pruning.robustness.draws import for_points
from pruning.robustness.flags import flags
from pruning.robustness.scale import Scale
from pruning.robustness.trial import trials
from pruning.robustness.trials.fgsm import Fgsm
from pruning.robustness.trials.further_pruning import FurtherPruning
from pruning.robustness.trials.input_noise import InputNoise
from pruning.robustness.trials.pgd import Pgd
from pruning.robustness.trials.quantisation import Quantisation, quantised
from pruning.robustness.trials.weight_noise import WeightNoise

FEW = {"pgd": {"steps": 2}, "input_noise": {"draws": 2}, "weight_noise": {"draws": 2}}


def robustness(*words):
    return main(tyro.cli(flags(), args=[str(word) for word in words]))


@pytest.fixture
def small():
    """An MLP in float64 with normalised inputs u in [0, 1], and its examples."""
    generator = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3)).double()
    x = torch.rand(11, 6, generator=generator, dtype=torch.float64)
    return net, (x - 0.3) / 0.5, torch.randint(0, 3, (11,), generator=generator)


def bench_of(net, x, y, scale=None, **given):
    return Bench(subject_of(net, (x, y), **given), scale or Scale())


@pytest.mark.parametrize("radius", [0.03, 0.4])
def test_of_a_linear_model_the_worst_is_radius_times_the_one_norm(radius):
    """The logistic loss of a margin m falls to that of m - radius ||w||_1, where inputs are not clipped."""
    torch.manual_seed(1)
    net = nn.Linear(5, 1).double()
    x, y = torch.randn(40, 5, dtype=torch.float64), torch.randint(0, 2, (40,))
    margin = (2 * y - 1) * net(x).detach()[:, 0] - radius * net.weight.detach().abs().sum()
    trials_ = [Fgsm(levels=(radius,)), Pgd(levels=(radius,), steps=4), Pgd(levels=(radius,), start="example")]
    for trial in trials_:
        found = measure_robustness(net, (x, y), trials=[trial])[trial.name]
        assert found[radius].loss == pytest.approx(softplus(-margin).mean().item(), rel=1e-12)
        assert found[radius].score == (margin > 0).double().mean()
        assert found[0.0].score == ((net(x)[:, 0] > 0) == y.bool()).double().mean()


def test_it_is_the_plain_loop_with_the_same_steps_and_start(small):
    net, x, y = small
    scale, radius, steps = Scale((0.3,), (0.5,), (0.0, 1.0)), 0.1, 7
    bench = bench_of(net, x, y, scale, batch_size=4)
    (found,) = Pgd(steps=steps, step=2.0, restarts=2).measure(bench, [radius], seed=5)
    plain, worst, right = x * 0.5 + 0.3, cross_entropy(net(x), y, reduction="none"), net(x).argmax(1) == y
    for restart in range(2):
        u = plain + radius * for_points("uniform", [x], range(11), 5, "pgd", restart)[0]
        for _ in range(steps + 1):
            u = u.clamp(plain - radius, plain + radius).clamp(0, 1).detach().requires_grad_()
            losses = cross_entropy(net((u - 0.3) / 0.5), y, reduction="none")
            worst, right = torch.maximum(worst, losses), right & (net((u - 0.3) / 0.5).argmax(1) == y)
            (slope,) = torch.autograd.grad(losses.sum(), u)
            u = u + 2.0 * radius / steps * slope.sign()
    assert found.loss == pytest.approx(worst.mean().item(), rel=1e-9)
    assert found.score == right.double().mean()


def test_one_step_as_large_as_the_ball_is_fgsm(small):
    net, x, y = small
    bench = bench_of(net, x, y, Scale(range=(-1.0, 2.0)))
    ball = Ball([x], 0.2, bench.scale)
    start, end = ascent(bench.target, y, ball, [x], steps=1, step=0.2)
    (level,) = Fgsm().measure(bench, [0.2], seed=0)
    assert level.loss == end.losses.mean()
    (best,) = Pgd(steps=1, step=1.0, start="example").measure(bench, [0.2], seed=0)
    assert best.loss == torch.maximum(start.losses, end.losses).mean() >= level.loss


def test_robustness_falls_with_the_radius_and_begins_at_the_network_itself(small):
    net, x, y = small
    found = measure_robustness(net, (x, y), trials=[Pgd(levels=(0.01, 0.1, 0.5, 2.0), steps=3)])["pgd"]
    losses, scores = ([getattr(each, key) for each in found.values()] for key in ("loss", "score"))
    assert losses == sorted(losses)
    assert scores == sorted(scores, reverse=True)
    assert losses[0] == pytest.approx(cross_entropy(net(x), y).item())


def test_chunks_change_nothing_and_the_network_stays(small):
    net, x, y = small
    before = copy.deepcopy(net.state_dict())
    some = [InputNoise(draws=2), Fgsm(), Pgd(levels=(0.1,), steps=3), WeightNoise(draws=2)]
    found = [measure_robustness(net, (x, y), trials=some, batch_size=size) for size in (4, 11)]
    for name in found[0].levels:
        for level, other in zip(found[0][name].values(), found[1][name].values(), strict=True):
            assert level.loss == pytest.approx(other.loss, rel=1e-9)
            assert level.score == other.score
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())
    assert net.training
    assert all(parameter.grad is None for parameter in net.parameters())


def test_input_noise_is_that_of_its_draws(small):
    net, x, y = small
    bench = bench_of(net, x, y, Scale((0.3,), (0.5,), (0.0, 1.0)))
    (found,) = InputNoise(draws=3).measure(bench, [0.25], seed=2)
    losses = []
    for draw in range(3):
        u = x * 0.5 + 0.3 + 0.25 * for_points("normal", [x], range(11), 2, "input noise", draw)[0]
        losses.append(cross_entropy(net((u.clamp(0, 1) - 0.3) / 0.5), y).item())
    assert found.loss == pytest.approx(np.mean(losses), rel=1e-9)
    assert found.loss_stderr == pytest.approx(np.std(losses, ddof=1) / math.sqrt(3), rel=1e-6)


def test_weight_noise_has_its_relative_size_and_leaves_removed_weights():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(400, 5))
    mask = torch.rand(5, 400) < 0.5
    with torch.no_grad():
        net[1].weight.mul_(mask * torch.tensor([1.0, 2, 3, 4, 5])[:, None])
    x, y = torch.randn(3, 400), torch.arange(3)
    bench = bench_of(net, x, y, masks={"1.weight": mask})
    weight = net[1].weight.detach()
    for trial in (WeightNoise(), WeightNoise(relative_to="tensor"), WeightNoise(removed="move")):
        changes = [trial.at(bench, 0.2, 0, draw)["1.weight"] - weight for draw in range(60)]
        sizes = torch.stack(changes).square().sum(2).mean(0).sqrt()
        norms = (
            weight.norm(dim=1) if trial.relative_to == "filter" else weight.norm() * (mask.sum(1) / mask.sum()).sqrt()
        )
        assert torch.allclose(sizes / norms, torch.tensor(0.2), rtol=0.02)
        assert bool(changes[0][~mask].any()) == (trial.removed == "move")
    dense = bench_of(net, x, y)
    (one, other) = (WeightNoise().at(each, 0.2, 0, 1)["1.weight"] - weight for each in (bench, dense))
    assert torch.allclose((one / other)[mask], (one / other)[0][mask[0]][0], rtol=0.2)  # one draw, another scale


def test_further_pruning_by_sorting(small):
    net, x, y = small
    with torch.no_grad():
        net[2].weight.copy_(net[2].weight.sign() * 0.25)  # ties: the last go first
    mask = torch.arange(48).reshape(8, 6) % 3 != 0
    net[0].weight.data.mul_(mask)
    bench = bench_of(net, x, y, masks={"0.weight": mask})
    made = FurtherPruning().at(bench, 0.4, 0, 0)
    flat = [(abs(v), -i) for i, v in enumerate(torch.cat([net[0].weight[mask], net[2].weight.flatten()]).tolist())]
    gone = {-i for _, i in sorted(flat)[: round(0.4 * len(flat))]}
    kept = torch.tensor([i not in gone for i in range(len(flat))])
    expected = torch.cat([net[0].weight[mask], net[2].weight.flatten()]) * kept
    assert torch.equal(torch.cat([made["0.weight"][mask], made["2.weight"].flatten()]), expected)
    assert not made["0.weight"][~mask].any()


@pytest.mark.parametrize("bits", [2, 3, 6])
def test_quantised_weights_are_the_nearest_levels(bits):
    weight = torch.randn(7, 5, generator=torch.Generator().manual_seed(bits))
    weight[0, 0] = 0
    for per, parts in (("tensor", [weight]), ("filter", list(weight))):
        made = quantised(weight, bits, per)
        for own, found in zip(parts, [made] if per == "tensor" else list(made), strict=True):
            count = 2 ** (bits - 1) - 1
            levels = np.arange(-count, count + 1) * (own.abs().max().item() / count)
            nearest = levels[np.abs(own.numpy()[..., None] - levels).argmin(-1)]
            np.testing.assert_allclose(found.numpy(), nearest, rtol=1e-6)
        assert made[0, 0] == 0
    assert torch.equal(quantised(torch.zeros(3), bits), torch.zeros(3))


class Tokens(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.head = nn.Embedding(7, 4), nn.Linear(4, 2)

    def forward(self, x):
        return self.head(self.embed(x.long()).mean(1))


@pytest.mark.parametrize("kind", [torch.int64, torch.float32])
def test_of_tokens_only_weights_are_tried(kind):
    """As floats they can be added noise to, but the network has no gradient by them."""
    x, y = torch.randint(0, 7, (9, 5)).to(kind), torch.randint(0, 2, (9,))
    found = measure_robustness(Tokens(), (x, y), trials=["pgd", "fgsm", "quantisation"])
    assert set(found.levels) == {"quantisation"}
    assert (
        "whole numbers (int64)" in found.refused["pgd"]
        if kind == torch.int64
        else "no gradient" in found.refused["pgd"]
    )


def test_inputs_of_several_tensors_are_all_attacked():
    class Both(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(2, 1), nn.Linear(3, 1)

        def forward(self, u, v):
            return self.a(u) + self.b(v)

    net = Both()
    x, y = {"u": torch.randn(6, 2), "v": torch.randn(6, 3)}, torch.zeros(6, dtype=torch.int64)
    found = measure_robustness(net, ({**x}, y), trials=[Fgsm(levels=(0.1,))])["fgsm"]
    ones = net.a.weight.abs().sum() + net.b.weight.abs().sum()
    assert found[0.1].loss == pytest.approx(softplus(net(**x)[:, 0] + 0.1 * ones).mean().item(), rel=1e-5)


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.read, self.out = nn.GRU(3, 4, batch_first=True), nn.Linear(4, 2)

    def forward(self, x):
        return self.out(self.read(x)[0][:, -1])


def test_weights_that_trials_leave_as_they_are_are_named():
    """The head alone is changed: its levels are those of the same states under a changed head."""
    torch.manual_seed(0)
    net, x, y = Recurrent(), torch.randn(12, 5, 3), torch.arange(12) % 2
    found = measure_robustness(net, (x, y), trials=[Quantisation(levels=(3,))])
    (said,) = [each for each in found.notes if "stay as they are" in each]
    assert said.endswith("read.weight_ih_l0, read.weight_hh_l0")
    hidden = net.read(x)[0][:, -1]
    step = net.out.weight.abs().max() / 3
    by_hand = cross_entropy(hidden @ (step * (net.out.weight / step).round()).T + net.out.bias, y)
    assert found["quantisation"][3].loss == pytest.approx(by_hand.item(), rel=1e-5)
    plain = measure_robustness(nn.Linear(3, 2), (x[:, 0], y), trials=[Quantisation(levels=(3,))])
    assert not any("stay as they are" in each for each in plain.notes)


def test_dense_beside_pruned(prune, dense, tmp_path, figure_of):
    prune("magnitude", dense, "--sparsity", 0.8, "--epochs", 0, "-o", tmp_path / "b.pt")
    words = [
        "--trials",
        "pgd,weight-noise,quantisation",
        "--pgd.steps",
        2,
        "--pgd.levels",
        0.1,
        "--weight-noise.draws",
        2,
    ]
    report = robustness(dense, tmp_path / "b.pt", *words, "-o", tmp_path / "x.h5")
    first, second = report.summary["robustness"]
    assert first["pgd"]["levels"] == [0.0, 0.1]
    assert first["pgd"]["score"][0] == report.summary["accuracy"][0] > first["pgd"]["score"][1]
    assert first["quantisation"]["levels"][:2] == [32.0, 8]
    assert report.summary["input_range"] == [[0.0, 1.0]] * 2
    assert "weight_noise: removed weights stay at 0." in report.table
    with h5py.File(tmp_path / "x.h5") as file:
        assert np.allclose(file["robustness/weight_noise/score"][1], second["weight_noise"]["score"])
        assert np.isnan(file["robustness/pgd/loss_stderr"][()]).all()
        assert json.loads(file.attrs["summary"])[0]["robustness"]["pgd"]["steps"] == 2
    assert robustness(dense, tmp_path / "b.pt", *words, "-o", tmp_path / "x.h5").summary["reused"]
    panel = figure_of("robustness", tmp_path / "x.h5").axes[0]
    assert panel.get_title() == "pgd"
    np.testing.assert_allclose(panel.lines[0].get_ydata(), first["pgd"]["score"])


def test_a_foreign_network_and_its_range(tmp_path):
    (tmp_path / "net.py").write_text(
        "from torch import nn\nclass Net(nn.Sequential):\n    def __init__(self): super().__init__(nn.Linear(4, 3))\n"
    )
    torch.save(nn.Sequential(nn.Linear(4, 3)).state_dict(), tmp_path / "f.pt")
    np.savez(tmp_path / "d.npz", x_test=np.random.default_rng(0).random((20, 4)), y_test=np.arange(20) % 3)
    words = [
        tmp_path / "f.pt",
        "--model",
        f"{tmp_path}/net.py:Net",
        "--data",
        f"npz:{tmp_path}/d.npz",
        "--trials",
        "fgsm",
    ]
    report = robustness(*words, "-o", tmp_path / "x.h5")
    assert report.summary["input_range"] is None
    assert "are not clipped" in report.table
    typed = robustness(*words, "--input-range", 0, 1, "-o", tmp_path / "y.h5").summary
    losses = [each["robustness"]["fgsm"]["loss"] for each in (report.summary, typed)]
    assert losses[0][0] == losses[1][0]
    assert losses[0][-1] > losses[1][-1]
    with pytest.raises(BadInput, match=r"--input-range 0.5 1: the examples' numbers.* lie in"):
        robustness(*words, "--input-range", 0.5, 1, "-o", tmp_path / "z.h5")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--trials", "nonsense"], "known are input_noise, fgsm, pgd"),
        (["--pgd.levels", "-0.1"], "--pgd.levels -0.1: expected numbers"),
        (["--quantisation.levels", "2.5"], "--quantisation.levels 2.5"),
        (["--further-pruning.levels", "1"], "--further-pruning.levels 1"),
        (["--pgd.steps", "0"], "--pgd.steps 0: expected a positive number"),
        (["--input-range", "1", "0"], "expected the lower end first"),
    ],
)
def test_what_is_refused(dense, tmp_path, words, said):
    with pytest.raises(BadInput, match=said) as refused:
        robustness(dense, *words, "-o", tmp_path / "x.h5")
    assert str(refused.value).count("\n") < 3


@pytest.mark.parametrize("name", trials())
def test_every_trial_of_the_registry_begins_at_the_network_itself(small, name):
    net, x, y = small
    trial = trials()[name](**FEW.get(name, {}))
    found = measure_robustness(net, (x, y), trials=[trial])[name]
    levels = list(found)
    assert levels[0] == trial.clean
    assert found[levels[0]].loss == pytest.approx(cross_entropy(net(x), y).item())
    assert all(math.isfinite(each.loss) for each in found.values())
    steps = [(b - a) * (1 if trial.clean == 0 else -1) for a, b in itertools.pairwise(levels)]
    assert min(steps) > 0
    assert trial.meaning


def test_whole_numbers_of_bits_begin_at_those_of_a_float():
    assert Quantisation().clean == 32
