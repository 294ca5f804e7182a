"""`python -m pruning.criteria`: closed forms of Gaussian layers, SciPy's statistics, and scores by definition."""

import json
import math
from collections import OrderedDict

import h5py
import numpy as np
import pytest
import torch
import tyro
from scipy import stats
from torch import nn

from minima.store.command import BadInput
from minima.zoo.subject.subject import load_subject
from pruning.context.criterion import criterion_named
from pruning.criteria.__main__ import main
from pruning.criteria.flags import Criteria
from pruning.criteria.gaussian import anderson_darling, anderson_darling_p, gaussianity
from pruning.criteria.layers import layers_of
from pruning.criteria.norms import norms_behind
from pruning.criteria.statistics import l1_variation, l2_variation, slope, spearman, variation
from pruning.criteria.surrogate import surrogate
from pruning.unit_criteria.fermat import fermat_point
from pruning.unit_criteria.fpgm import distances

UNITS = 20_000


def compared(*words):
    return main(tyro.cli(Criteria, args=[str(word) for word in words]))


@pytest.mark.parametrize("d", [1, 2, 9, 64])
def test_spread_of_norms_of_gaussian_weights(d):
    """E|x| = sqrt(2 / pi), E chi_d by numerical integration of its density, and both by drawing."""
    first = stats.chi(d).expect(lambda x: x)
    assert l2_variation(d) == pytest.approx(math.sqrt(d - first**2) / first, rel=1e-6)
    assert l1_variation(d) == pytest.approx(math.sqrt((1 - 2 / math.pi) / (2 / math.pi) / d))
    points = np.random.default_rng(d).normal(0, 3, (UNITS, d))
    norms = np.array([np.abs(points).sum(1), np.linalg.norm(points, axis=1)])
    found = variation(norms)
    assert found == pytest.approx([l1_variation(d), l2_variation(d)], rel=5 / math.sqrt(2 * UNITS))


def test_spread_falls_as_the_root_of_the_number_of_weights():
    d = np.array([25.0, 200, 500, 4000, 2_000_000])
    for law, factor in ((l1_variation, (math.pi / 2 - 1) ** 0.5), (l2_variation, 0.5**0.5)):
        spreads = np.array([law(int(each)) for each in d])
        assert spreads[-2:] * d[-2:] ** 0.5 == pytest.approx(factor, rel=1e-4)
        assert slope(d, spreads)[0] == pytest.approx(-0.5, abs=1e-3)
    assert l2_variation(100) == pytest.approx(l2_variation(101) * (101 / 100) ** 0.5, rel=1e-4)  # from series to gammas
    exact = stats.chi(100).std() / stats.chi(100).mean()
    assert l2_variation(100) == pytest.approx(exact, rel=1e-7)
    found, error, count = slope(d, np.exp([1.0, 2, 1, 3, math.nan]))
    known = stats.linregress(np.log(d[:4]), [1.0, 2, 1, 3])
    assert (found, error, count) == pytest.approx((known.slope, known.stderr, 4))
    assert math.isnan(slope(d[:2], np.ones(2))[0])


def test_norms_and_distances_of_gaussian_filters_rank_alike():
    """l1 and l2^2 of Gaussian filters correlate by r = sqrt(2/pi) / sqrt(2 (1 - 2/pi)) = 0.936, however many weights;
    of many the ranks of a Gaussian pair are 6 / pi asin(r / 2) correlated; distances follow the l2 norm."""
    points = torch.from_numpy(np.random.default_rng(0).normal(size=(1500, 288)))
    l1, l2 = points.abs().sum(1), points.norm(dim=1)
    pearson = math.sqrt(2 / math.pi) / math.sqrt(2 * (1 - 2 / math.pi))
    assert np.corrcoef(l1, l2**2)[0, 1] == pytest.approx(pearson, abs=0.02)
    few = points[:400]
    scores = [
        few.abs().sum(1),
        few.norm(dim=1),
        distances(few, torch.ones(400) > 0),
        (few - fermat_point(few)).norm(dim=1),
    ]
    found = spearman(torch.stack(scores).numpy())
    assert spearman(torch.stack([l1, l2]).numpy())[0, 1] == pytest.approx(
        6 / math.pi * math.asin(pearson / 2), abs=0.02
    )
    assert found[1, 2] > 0.99
    assert found[1, 3] > 0.99


def test_rank_correlation_is_scipys():
    scores = np.random.default_rng(1).integers(0, 6, (4, 30)).astype(float)  # with ties
    assert spearman(scores) == pytest.approx(stats.spearmanr(scores, axis=1).statistic)
    assert spearman(np.array([[1.0, 2, 3], [3.0, 2, 1]]))[0, 1] == -1
    scores[2, 0] = math.nan
    assert np.isnan(spearman(scores)[2]).all()
    assert np.isnan(spearman(scores[:, :2])).all()


def test_the_statistic_is_scipys():
    values = np.random.default_rng(2).normal(3, 2, 50)
    known = stats.anderson(values, "norm", method="interpolate").statistic
    assert anderson_darling(values) == pytest.approx(known, rel=1e-9)


@pytest.mark.parametrize("count", [10, 200])
def test_p_values_are_uniform_where_the_weights_are_gaussian(count):
    """With mean and variance estimated: against the known parameters' distribution nearly all p would be near 1."""
    rng = np.random.default_rng(count)
    found = np.array([anderson_darling_p(own) for own in rng.normal(-5, 0.1, (2000, count))])
    for level in (0.01, 0.05, 0.1, 0.5):
        error = 4 * math.sqrt(level * (1 - level) / len(found)) + 0.1 * level
        assert (found < level).mean() == pytest.approx(level, abs=error)


def test_what_is_not_gaussian_is_found():
    rng = np.random.default_rng(3)
    assert gaussianity([rng.laplace(size=100) for _ in range(10)]).gaussian_p < 1e-6
    assert gaussianity([rng.normal(size=100) + 0.3 for _ in range(10)]).mean_p < 1e-6
    spread = gaussianity([rng.normal(size=100) * (1 + unit) for unit in range(10)])
    assert spread.variance_p < 1e-6
    assert spread.excess_kurtosis > 0.5
    assert math.isnan(gaussianity([np.ones(100)]).gaussian_p)
    assert math.isnan(gaussianity([]).gaussian_p)


class Joined(nn.Module):
    """Two layers that share their units over a shortcut, each with a normalisation of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.norm = nn.Conv2d(1, 6, 3, padding=1), nn.BatchNorm2d(6)
        self.inner, self.inner_norm = nn.Conv2d(6, 6, 3, padding=1), nn.BatchNorm2d(6)
        self.head = nn.Linear(6 * 64, 10)

    def forward(self, x):
        x = torch.relu(self.norm(self.stem(x)))
        return self.head(torch.relu(x + self.inner_norm(self.inner(x))).flatten(1))


@pytest.fixture(scope="module")
def foreign(tmp_path_factory):
    folder = tmp_path_factory.mktemp("joined")
    torch.manual_seed(0)
    model = Joined()
    for norm in (model.norm, model.inner_norm):
        nn.init.uniform_(norm.weight)
    torch.save(model.state_dict(), folder / "joined.pt")
    code = "from test_criteria_compared import Joined"
    (folder / "net.py").write_text(f"import sys\nsys.path.insert(0, {str(__file__.rpartition('/')[0])!r})\n{code}\n")
    return (folder / "joined.pt", "--model", f"{folder}/net.py:Joined", "--data", "digits"), model


def test_layers_that_share_units_stand_for_themselves(foreign, tmp_path):
    words, model = foreign
    chosen = ("l1", "fpgm", "batch-norm", "apoz")
    found = compared(*words, "--criteria", *chosen, "-o", tmp_path / "x.h5").summary
    assert found["criteria"] == list(chosen)
    assert [layer["name"] for layer in found["layers"]] == ["stem.weight", "inner.weight"]
    layers = ((model.stem, model.norm), (model.inner, model.inner_norm))
    with h5py.File(tmp_path / "x.h5") as file:
        shared = [file[f"criteria/{layer['name']}/score"][3] for layer in found["layers"]]
        for layer, (conv, norm) in zip(found["layers"], layers, strict=True):
            rows = conv.weight.detach().double().flatten(1)
            scores = file[f"criteria/{layer['name']}/score"][()]
            assert scores[0] == pytest.approx(rows.abs().sum(1).numpy())
            assert scores[1] == pytest.approx(torch.cdist(rows, rows).sum(1).numpy())
            assert scores[2] == pytest.approx(norm.weight.detach().double().abs().numpy())
            assert layer["spearman"] == spearman(scores).tolist()
            assert layer["weights"] == rows.shape[1]
            assert layer["gaussian_p"] == anderson_darling_p(rows.flatten().numpy())
        assert np.array_equal(*shared)  # their readers see the same channels
        assert np.array_equal(file["criteria/spearman"][()], [layer["spearman"] for layer in found["layers"]])


def test_only_units_and_weights_that_are_left_count(dense, prune, tmp_path):
    from minima.store.checkpoints.checkpoint import load

    prune("filters", dense, "--units", 0.5, "--epochs", 0, "-o", tmp_path / "x.pt")
    (layer,) = compared(tmp_path / "x.pt").summary["layers"]
    state, mask = load(tmp_path / "x.pt").state, load(tmp_path / "x.pt").masks[layer["name"]]
    rows = state[layer["name"]].double()[mask.any(1)].numpy()
    assert (layer["units"], layer["left"], layer["weights"]) == (12, 6, 64)
    assert layer["variation"]["l2"] == pytest.approx(variation(np.linalg.norm(rows, axis=1)[None])[0])
    prune("magnitude", dense, "--sparsity", 0.5, "--epochs", 0, "-o", tmp_path / "y.pt")
    (layer,) = compared(tmp_path / "y.pt").summary["layers"]
    kept = load(tmp_path / "y.pt").masks[layer["name"]]
    assert layer["weights"] == pytest.approx(kept.sum().item() / kept.any(1).sum().item())
    assert layer["gaussian_variation"] == {}  # of a Gaussian that is cut nothing is known in closed form


def test_surrogates_are_gaussian_and_all_else_is_as_it_was(dense, prune, tmp_path):
    prune("magnitude", dense, "--sparsity", 0.5, "--epochs", 0, "-o", tmp_path / "x.pt")
    subject = load_subject(tmp_path / "x.pt")
    before = {name: value.clone() for name, value in subject.model.state_dict().items()}
    found = surrogate(subject.model, subject.masks, torch.Generator().manual_seed(0)).state_dict()
    for name, value in before.items():
        assert torch.equal(subject.model.state_dict()[name], value)
        if name not in subject.masks:
            assert torch.equal(found[name], value)
            continue
        kept = subject.masks[name]
        own, old, error = found[name][kept], value[kept], value[kept].std() / kept.sum().sqrt()
        assert not found[name][~kept].any()
        assert not torch.equal(own, old)
        assert abs(own.mean() - old.mean()) < 4 * error
        assert abs(own.std() - old.std()) < 4 * error
        assert anderson_darling_p(own.double().numpy()) > 0.001


def test_a_network_with_gaussian_weights_is_like_its_surrogates(tmp_path):
    """At initialisation, where layers are Gaussian: spreads lie about the closed forms, as those of surrogates do."""
    from minima.store.checkpoints.checkpoint import load, save
    from minima.train import main as train
    from minima.zoo.training.flags import Train

    train(tyro.cli(Train, args=["--model", "mlp:hidden=200x100", "--epochs", "0", "-o", str(tmp_path / "x.pt")]))
    stored = load(tmp_path / "x.pt")
    draws = torch.Generator().manual_seed(1)
    for value in stored.state.values():
        value.normal_(generator=draws)
    save(stored, tmp_path / "x.pt")
    report = compared(tmp_path / "x.pt", "--surrogate", "--draws", 5)
    found = report.summary
    for layer in found["layers"]:
        assert layer["gaussian_p"] > 0.001
        for name in ("l1", "l2"):
            expected, error = layer["gaussian_variation"][name], 4 / math.sqrt(2 * layer["units"])
            assert layer["variation"][name] == pytest.approx(expected, rel=error)
            assert layer["surrogate"]["variation"][name] == pytest.approx(expected, rel=error)
        assert layer["surrogate"]["spearman"][0][1] == pytest.approx(layer["spearman"][0][1], abs=0.1)
    assert found["slopes"]["l1"] == {"value": None, "stderr": None, "layers": 2}
    assert "surrogate" in report.table
    with h5py.File(tmp_path / "x.criteria.h5") as file:
        assert file["criteria/surrogate_variation"].shape == (2, 5)
        assert json.loads(file.attrs["summary"])[0]["draws"] == 5


def test_a_layer_that_others_read_in_parts_is_whole(tmp_path):
    """ResNet's shortcuts without weights join some of a layer's channels with those before: it is one layer still."""
    from minima.train import main as train
    from minima.zoo.training.flags import Train

    train(tyro.cli(Train, args=["--model", "resnet20:width=2", "--epochs", "0", "-o", str(tmp_path / "x.pt")]))
    subject = load_subject(tmp_path / "x.pt", samples=20)
    layers = layers_of(subject, 0)
    second = next(layer for layer in layers.every if layer.name == "layer2.0.conv2.weight")
    assert len(second.parts) > 1
    weight = subject.model.get_parameter(second.name).detach().double().flatten(1)
    assert layers.scores(criterion_named("l2"), subject.model)[second.name].tolist() == weight.norm(dim=1).tolist()
    assert layers.scores(criterion_named("fpgm"), subject.model)[second.name].numpy() == pytest.approx(
        torch.cdist(weight, weight).sum(1).numpy()
    )


def test_what_is_refused(dense, tmp_path):
    for words, said in (
        (["--criteria", "l1"], "--criteria l1: expected two or more"),
        (["--criteria", "l1", "l1"], "l1 is named twice"),
        (["--criteria", "l1", "l3"], "--criteria l3: expected of .*fermat"),
        (["--draws", 0], "--draws 0: expected at least 1"),
        (["--criteria", "l1", "batch-norm"], "no batch normalisation"),
    ):
        with pytest.raises(BadInput, match=said):
            compared(dense, *words, "-o", tmp_path / "x.h5")


NET = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.e1, self.e2 = nn.Conv2d(1, 6, 3, padding=1), nn.Conv2d(6, 8, 3, padding=1, stride=2)
        self.up, self.d1 = nn.Upsample(scale_factor=2), nn.Conv2d(14, 2, 3, padding=1)
        self.out = nn.Linear(2 * 64, 10)

    def forward(self, x):
        a = torch.relu(self.e1(x))
        d = torch.relu(self.d1(torch.cat([a, self.up(torch.relu(self.e2(a)))], 1)))
        return self.out(d.flatten(1))

def net():
    torch.manual_seed(0)
    return Net()
"""


def test_layers_that_are_left_out_are_named_and_medians_counted(tmp_path):
    (tmp_path / "net.py").write_text(NET)
    namespace: dict = {}
    exec(NET, namespace)
    torch.save(namespace["net"]().state_dict(), tmp_path / "net.pt")
    words = ("--model", f"{tmp_path / 'net.py'}:net", "--data", "digits", "--samples", 20)
    report = compared(tmp_path / "net.pt", *words)
    assert [layer["name"] for layer in report.summary["layers"]] == ["e1.weight", "d1.weight"]
    assert report.summary["left_out"] == {
        "e2.weight": "interpolate in up is not understood",
        "out.weight": "the network's output",
    }
    assert "not looked at: e2.weight (interpolate in up is not understood)" in report.table
    assert "out.weight" not in report.table
    assert np.array(report.summary["median_layers"]).max() == 1  # of two units there is no rank correlation
    assert "median of 1 of 2 layers (those where there is a number):" in report.table


def test_a_network_without_units_is_refused(tmp_path):
    model = nn.Sequential(OrderedDict(flat=nn.Flatten(), only=nn.Linear(64, 10)))
    torch.save(model.state_dict(), tmp_path / "one.pt")
    (tmp_path / "net.py").write_text(
        "from collections import OrderedDict\nfrom torch import nn\n"
        "def net(): return nn.Sequential(OrderedDict(flat=nn.Flatten(), only=nn.Linear(64, 10)))\n"
    )
    with pytest.raises(BadInput, match="no unit of this network can be removed"):
        compared(tmp_path / "one.pt", "--model", f"{tmp_path}/net.py:net", "--data", "digits")


@pytest.mark.parametrize("in_place", [False, True])
def test_a_normalisation_behind_an_activation_is_not_that_of_the_layer(in_place):
    plain = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    behind = nn.Sequential(nn.Linear(3, 4), nn.ReLU(in_place), nn.BatchNorm1d(4))
    assert norms_behind(plain, torch.randn(2, 3)) == {"0": "1"}
    assert norms_behind(behind, torch.randn(2, 3)) == {}
