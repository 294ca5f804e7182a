"""The functions that are called from Python: against dense float64 truths, and the commands' numbers under one seed."""

import copy
import math

import h5py
import numpy as np
import pytest
import torch
from oracles.dense_landscape import Dense
from oracles.small_networks import make
from torch import nn
from torch.nn.utils import parametrizations, parametrize, prune

from landscape import (
    hessian_trace,
    loss_path,
    loss_surface,
    measure_sharpness,
    spectral_density_of,
    survivor_curvature,
    top_eigenvalues,
)
from landscape.sharpness.measures.sam import Sam
from minima import BadInput, Dataset, as_examples, load_checkpoint

FEW = {"samples": "first:60"}


@pytest.fixture
def subject(pruned):
    return load_checkpoint(pruned, **FEW)


def regression():
    generator = torch.Generator().manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2))
    return model, torch.randn(40, 3, generator=generator), torch.randn(40, 2, generator=generator)


def dense_hessian(model, x, y, loss):
    """Of any loss, by plain autograd in float64."""
    twin = copy.deepcopy(model).double().eval()
    names, weights = zip(*twin.named_parameters(), strict=True)
    sizes = [weight.numel() for weight in weights]

    def value(flat):
        parts = [part.view(weight.shape) for part, weight in zip(flat.split(sizes), weights, strict=True)]
        return loss(torch.func.functional_call(twin, dict(zip(names, parts, strict=True)), (x.double(),)), y)

    return torch.autograd.functional.hessian(value, torch.cat([weight.detach().flatten() for weight in weights]))


def mse(outputs, y):
    return ((outputs - y) ** 2).mean(dim=1).mean()


@pytest.mark.parametrize("loss", ["mse", lambda outputs, y: ((outputs - y) ** 2).mean(dim=1), mse])
def test_eigenvalues_and_trace_of_a_regression_are_those_of_the_dense_matrix(loss):
    model, x, y = regression()
    truth = dense_hessian(model, x, y.double(), mse)
    values = torch.linalg.eigvalsh(truth)
    found = top_eigenvalues(model, (x, y), loss, k=3, bottom=2)
    largest = values.abs().max().item()
    np.testing.assert_allclose(found.values, values.flip(0)[:3], atol=1e-3 * largest)
    np.testing.assert_allclose(found.bottom, values[:2], atol=1e-3 * largest)
    assert found.converged
    assert found.loss == pytest.approx(mse(model(x), y).item(), rel=1e-5)
    for value, vector in zip(found.values, found.vectors, strict=True):
        assert (truth @ vector - value * vector).norm() < 0.05 * largest
    trace = hessian_trace(model, (x, y), loss, probes=200)
    assert abs(trace.value - truth.trace()) < 4 * trace.stderr
    assert measure_sharpness(model, (x, y), loss, measures="lambda_max")["lambda_max"].value == pytest.approx(
        values[-1].item(), rel=1e-3
    )


def test_density_has_the_moments_of_the_dense_matrix():
    model, x, y = regression()
    values = torch.linalg.eigvalsh(dense_hessian(model, x, y.double(), mse))
    found = spectral_density_of(model, (x, y), "mse", probes=30, steps=10).density
    assert found.moment(2) == pytest.approx((values**2).mean().item(), rel=0.3)
    assert found.dimension == len(values)


def test_the_command_finds_the_same_spectrum(command, pruned, subject, tmp_path):
    flags = ["--samples", "first:60", "--top", "3", "--bottom", "1", "--trace", "8", "--density", "--seed", "4"]
    _, said, _ = command("hessian", pruned, *flags, "-o", tmp_path / "x.h5")
    given = {"masks": subject.masks, "seed": 4}
    found = top_eigenvalues(subject.model, subject, k=3, bottom=1, **given)
    assert found.values.tolist() == said["eigenvalues"]
    assert found.bottom.tolist() == said["bottom_eigenvalues"]
    assert found.stderr.tolist() == said["data_stderr_new"]
    assert (found.products, found.gradient_norm) == (said["products"], said["gradient_norm"])
    trace = hessian_trace(subject.model, subject, probes=8, **given)
    assert (trace.value, trace.stderr) == (said["trace"]["value"], said["trace"]["stderr"])
    assert trace.data_stderr == said["trace"]["data_stderr_new"]
    density = spectral_density_of(subject.model, subject, **given)
    assert density.density.values.tolist() == said["density"]["values"]


def test_the_command_finds_the_same_sharpness(command, pruned, subject, tmp_path):
    flags = ["--samples", "first:60", "--measures", "sam,trace,average", "--sam.steps", "3", "--seed", "4"]
    _, said, _ = command("sharpness", pruned, *flags, "-o", tmp_path / "x.h5")
    asked = [Sam(steps=3), "trace", "average"]
    found = measure_sharpness(subject.model, subject, measures=asked, masks=subject.masks, seed=4)
    assert found.values == {name: each["value"] for name, each in said["measures"].items()}
    assert {name: each.data_stderr_new for name, each in found.measures.items()} == {
        name: each["data_stderr_new"] for name, each in said["measures"].items()
    }


@pytest.mark.parametrize(
    ("flags", "asked"),
    [
        (["--grid", "3x4"], {"grid": "3x4"}),
        (["--grid", "5x1", "--directions", "eigen"], {"grid": "5x1", "directions": "eigen"}),
        (["--grid", "3x1", "--lines", "2"], {"grid": "3x1", "drawing": {"lines": 2}}),
        (["--grid", "3", "--maps", "gradient"], {"grid": 3, "drawing": {"maps": "gradient"}}),
    ],
)
def test_the_command_draws_the_same_surface(flags, asked, command, pruned, subject, tmp_path):
    target = tmp_path / "x.h5"
    assert command("surface", pruned, "--samples", "first:60", *flags, "--seed", "4", "-o", target)[0] == 0
    found = loss_surface(subject.model, subject, masks=subject.masks, seed=4, **asked)
    with h5py.File(target) as file:
        np.testing.assert_array_equal(found.losses, file["surface/loss"][()])
        np.testing.assert_array_equal(found.scores, file["surface/accuracy"][()])
        np.testing.assert_array_equal(found.coordinates[0], file["surface/alpha"][()])
        assert set(found.arrays) >= set(file["surface"]) - {"loss", "accuracy", "alpha", "beta", "sparsity"}


def test_a_surface_of_a_regression_is_its_loss_at_each_point():
    model, x, y = regression()
    found = loss_surface(model, (x, y), "mse", grid="3x2")
    assert found.score_name is not None
    parameters = list(model.parameters())
    start = torch.nn.utils.parameters_to_vector(parameters).detach().double()
    for row, alpha in enumerate(found.coordinates[0]):
        for column, beta in enumerate(found.coordinates[1]):
            twin = copy.deepcopy(model).double()
            moved = start + alpha * found.directions[0] + beta * found.directions[1]
            torch.nn.utils.vector_to_parameters(moved, twin.parameters())
            truth = mse(twin(x.double()), y.double()).item()
            assert found.losses[row, column] == pytest.approx(truth, rel=1e-5)


def test_a_plane_through_networks_goes_through_them():
    model, x, y = regression()
    others = [regression()[0] for _ in range(2)]
    found = loss_surface(model, (x, y), "mse", grid="3x3", through=others)
    losses = [mse(each(x), y).item() for each in (model, *others)]
    np.testing.assert_allclose(found.arrays["point_loss"], losses, rtol=1e-5)
    with pytest.raises(BadInput, match="a plane takes two"):
        loss_surface(model, (x, y), "mse", grid="3x3", through=others[:1])


def test_the_command_walks_the_same_path(command, checkpoint, pruned, subject, tmp_path):
    dense = load_checkpoint(checkpoint, **FEW)
    flags = ["--samples", "first:60", "--points", "5"]
    _, said, _ = command("path", pruned, checkpoint, *flags, "-o", tmp_path / "x.h5")
    found = loss_path(subject.model, dense.model, subject, points=5, masks=(subject.masks, None))
    assert (list(found.t), list(found.losses), list(found.errors)) == (said["t"], said["losses"], said["errors"])
    assert (found.barrier, found.distance) == (said["barrier"]["loss"], said["distance"])


def test_a_bend_is_trained_as_by_the_command(command, checkpoint, another, tmp_path):
    other = another("other.pt", seed=1)
    flags = ["--points", "3", "--kind", "bezier", "--epochs", "1"]
    _, said, _ = command("path", checkpoint, other, *flags, "-o", tmp_path / "x.h5")
    first, second = load_checkpoint(checkpoint), load_checkpoint(other)
    found = loss_path(first.model, second.model, first, points=3, kind="bezier", epochs=1)
    assert list(found.losses) == said["losses"]


def test_a_bend_goes_down_the_loss_that_is_asked_for():
    torch.manual_seed(1)
    _, x, y = regression()
    ends = [nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2)) for _ in range(2)]
    straight = loss_path(*ends, (x, y), "mse", points=3)
    bent = loss_path(*ends, (x, y), "mse", points=3, kind="bezier", epochs=100)
    assert bent.losses[0] == pytest.approx(straight.losses[0])
    assert bent.losses[1] < straight.losses[1]


def test_the_command_compares_the_same_hessians(command, checkpoint, pruned, subject, tmp_path):
    flags = ["--samples", "first:60", "--masks", "1", "--top", "2", "--trace", "4"]
    _, said, _ = command("survivors", pruned, "--parent", checkpoint, *flags, "-o", tmp_path / "x.h5")
    parent = load_checkpoint(checkpoint, **FEW)
    found = survivor_curvature(subject.model, parent.model, subject, masks=subject.masks, random_masks=1, k=2, probes=4)
    assert list(found.operators) == [each["name"] for each in said["operators"]]
    for each in said["operators"]:
        assert list(found[each["name"]].eigenvalues) == each["eigenvalues"]
        assert found[each["name"]].ratios == each["ratios"]


@pytest.mark.parametrize("kind", ["mlp", "batchnorm"])
def test_everything_of_the_model_stays_as_it_was(kind):
    case = make(kind)
    model = case.model.train()
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    before = copy.deepcopy(model.state_dict())
    state = torch.get_rng_state()
    data = (case.x, case.y)
    top_eigenvalues(model, data, k=1)
    loss_surface(model, data, grid="3x1")
    loss_path(model, model, data, points=2)
    measure_sharpness(model, data, measures=["average"])
    assert torch.equal(torch.get_rng_state(), state)
    assert all(module.training for module in model.modules())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(torch.equal(each.grad, torch.ones_like(each)) for each in model.parameters())


def test_nothing_is_printed_and_no_file_appears(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = nn.Sequential(nn.Linear(3, 1))
    data = (torch.randint(0, 9, (20, 3)), torch.randint(0, 2, (20,)))
    found = top_eigenvalues(model, data, k=1)
    assert any("bce" in said for said in found.notes)
    assert any("integer inputs" in said for said in found.notes)
    loss_surface(model, data, grid="3x3")
    assert capsys.readouterr() == ("", "")
    assert not list(tmp_path.iterdir())


def test_masks_of_torchs_pruning_are_seen_and_left_in_place():
    model, x, y = regression()
    prune.l1_unstructured(model[0], "weight", amount=0.4)
    model(x)  # its weight is now the result of a computation
    kept = model[0].weight_mask.bool()
    found = top_eigenvalues(model, (x, y), "mse", k=1)
    assert found.dimension == int(kept.sum()) + 5 + 12
    assert hasattr(model[0], "weight_orig")
    plain, _, _ = regression()
    plain[0].weight.data, plain[0].bias.data = model[0].weight.detach().clone(), model[0].bias.detach().clone()
    plain[2].load_state_dict(model[2].state_dict())
    truth = dense_hessian(plain, x, y.double(), mse)
    places = torch.cat([kept.flatten(), torch.ones(17, dtype=torch.bool)])
    assert found.values[0] == pytest.approx(torch.linalg.eigvalsh(truth[places][:, places])[-1].item(), rel=1e-3)
    zeros = top_eigenvalues(plain, (x, y), "mse", k=1, masks="zeros")
    assert zeros.dimension == found.dimension
    assert any("exact zeros" in said for said in zeros.notes)


def test_half_precision_is_measured_in_float32_on_a_copy():
    model, x, y = regression()
    widened = copy.deepcopy(model).bfloat16().float()
    model = model.bfloat16()
    found = top_eigenvalues(model, (x, y), "mse", k=1)
    assert next(model.parameters()).dtype == torch.bfloat16
    assert found.values[0] == pytest.approx(top_eigenvalues(widened, (x, y), "mse", k=1).values[0], rel=1e-6)
    assert any("float32" in said for said in found.notes)


class TwoInputs(nn.Module):
    def __init__(self):
        super().__init__()
        self.left, self.right = nn.Linear(3, 2), nn.Linear(2, 2)

    def forward(self, a, b):
        return {"logits": torch.tanh(self.left(a)) + self.right(b), "other": a}


def test_data_of_every_kind_give_the_same_number():
    model = TwoInputs()
    generator = torch.Generator().manual_seed(1)
    a, b = torch.randn(30, 3, generator=generator), torch.randn(30, 2, generator=generator)
    y = torch.randint(0, 2, (30,), generator=generator)

    class Rows(torch.utils.data.Dataset):
        def __len__(self):
            return 30

        def __getitem__(self, index):
            return {"a": a[index], "b": b[index], "labels": y[index]}

    loader = torch.utils.data.DataLoader(Rows(), batch_size=7, shuffle=True)
    kinds = [
        ({"a": a, "b": b}, y),
        ((a, b), y),
        ({"a": a.numpy(), "b": b.numpy()}, y.numpy()),
        {"a": a, "b": b, "labels": y},
        Rows(),
        loader,
    ]
    found = [top_eigenvalues(model, data, k=1).values[0] for data in kinds]
    assert found == pytest.approx([found[0]] * len(kinds), rel=1e-12)
    pairs = torch.utils.data.TensorDataset(a, y)
    plain = nn.Linear(3, 2)
    expected = top_eigenvalues(plain, (a, y), k=1).values[0]
    assert top_eigenvalues(plain, pairs, k=1).values[0] == expected
    assert top_eigenvalues(plain, Dataset(a, y, None, None, 2), k=1).values[0] == expected


def test_items_too_large_for_memory_are_read_chunk_by_chunk(monkeypatch):
    model, x, y = regression()
    expected = top_eigenvalues(model, (x, y), "mse", k=1).values[0]
    monkeypatch.setattr("minima.zoo.data.stored.LARGEST", 0)
    items = torch.utils.data.TensorDataset(x, y)
    assert not torch.is_tensor(as_examples(items).x)
    assert top_eigenvalues(model, items, "mse", k=1).values[0] == pytest.approx(expected, rel=1e-6)
    assert loss_surface(model, items, "mse", grid="3x1").losses[1] == pytest.approx(mse(model(x), y).item(), rel=1e-5)


class Noisy(torch.utils.data.Dataset):
    def __len__(self):
        return 5

    def __getitem__(self, index):
        return torch.randn(3), 0


class Stream(torch.utils.data.IterableDataset):
    def __iter__(self):
        yield torch.zeros(3), 0


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (Noisy(), "augmented at random"),
        (Stream(), "is a stream"),
        ((torch.zeros(3, 3), torch.zeros(2).long()), "3 inputs x and 2 targets y"),
        ({"a": torch.zeros(3, 3)}, "labels"),
        (3, r"expected \(x, y\)"),
        (torch.zeros(4, 3), r"expected \(x, y\)"),
        (("text", torch.zeros(2)), "no tensor"),
    ],
)
def test_data_that_are_none_are_refused(data, words):
    with pytest.raises(BadInput, match=words):
        top_eigenvalues(nn.Linear(3, 2), data)


def test_what_does_not_fit_is_refused():
    model, x, y = regression()
    with pytest.raises(BadInput, match="there is no loss named"):
        top_eigenvalues(model, (x, y), "l2")
    with pytest.raises(BadInput, match="expected a name"):
        top_eigenvalues(model, (x, y), 3)
    with pytest.raises(BadInput, match="no parameter"):
        top_eigenvalues(model, (x, y), "mse", masks={"1.weight": torch.ones(1)})
    with pytest.raises(BadInput, match="value for each weight"):
        top_eigenvalues(model, (x, y), "mse", masks={"0.weight": torch.ones(1)})
    with pytest.raises(BadInput, match="known are"):
        measure_sharpness(model, (x, y), "mse", measures=["flatness"])
    with pytest.raises(BadInput, match="no more eigenvalues"):
        top_eigenvalues(model, (x, y), "mse", k=100)
    with pytest.raises(BadInput, match="does not take inputs"):
        top_eigenvalues(model, (x[:, :2], y), "mse")
    with pytest.raises(BadInput, match="other networks"):
        loss_surface(model, (x, y), "mse", grid="3x1", through=[model], parameters=["0"])
    assert math.isfinite(top_eigenvalues(model, (x, y), "mse", k=1, parameters=["0"]).values[0])


def test_classes_masks_and_subspaces_against_the_dense_matrix():
    case = make("masked")
    truth = Dense(case.model, case.x, case.y, case.masks)
    expected = torch.linalg.eigvalsh(truth.hessian())[-1].item()
    found = top_eigenvalues(case.model, (case.x, case.y), masks=case.masks, k=1)
    assert found.values[0] == pytest.approx(expected, rel=1e-3)


def test_a_surface_moves_the_single_weights_that_are_asked_for():
    model, x, y = regression()
    moving = {name: torch.zeros_like(each, dtype=torch.bool) for name, each in model.named_parameters()}
    moving["0.weight"][1] = True
    found = loss_surface(model, (x, y), "mse", grid="3x1", moving=moving)
    assert found.dimension == 3
    for alpha, level in zip(found.coordinates[0], found.losses, strict=True):
        moved = copy.deepcopy(model)
        moved[0].weight.data[1] += (alpha * found.directions[0]).float()
        assert level == pytest.approx(mse(moved(x), y).item(), rel=1e-5)
    with pytest.raises(BadInput, match="moving"):
        loss_surface(model, (x, y), "mse", grid="3x1", moving=moving, through=[copy.deepcopy(model)])


@pytest.mark.parametrize(
    ("keywords", "said"),
    [
        ({"subpsace": "full"}, "no such keyword"),
        ({"subspace": "whole"}, "'survivors', 'full'"),
        ({"logits": "normalized"}, "'raw', 'normalised'"),
        ({"drawing": {"normalise": "filters"}}, "'filter', 'layer'"),
        ({"drawing": {"biases_and_norms": "move"}}, "'ignore', 'scale'"),
        ({"drawing": {"batch_norm_statistics": "reestimate"}}, "'own', 're-estimate'"),
        ({"drawing": {"normalize": "filter"}}, "no normalize"),
        ({"drawing": {"grid": "5"}}, "keyword of its own"),
    ],
)
def test_words_that_a_surface_does_not_know_are_not_taken_for_others(keywords, said):
    model, x, y = regression()
    with pytest.raises(BadInput, match=said):
        loss_surface(model, (x, y), "mse", grid="3x1", **keywords)


@pytest.mark.parametrize("keywords", [{"batch_norm": "reestimate"}, {"align": "weight"}])
def test_words_that_a_path_does_not_know_are_not_taken_for_others(keywords):
    model, x, y = regression()
    with pytest.raises(BadInput, match="known are"):
        loss_path(model, copy.deepcopy(model), (x, y), "mse", points=3, **keywords)


def test_every_function_refuses_a_keyword_that_there_is_not():
    model, x, y = regression()
    for function in (top_eigenvalues, hessian_trace, spectral_density_of, measure_sharpness):
        with pytest.raises(BadInput, match="no such keyword"):
            function(model, (x, y), "mse", mask="zeros")


def test_a_surface_within_an_error_of_a_loss_that_does_not_classify():
    model, x, y = regression()
    exact = loss_surface(model, (x, y), "mse", grid="5")
    found = loss_surface(model, (x, y), "mse", grid="5", drawing={"error": 0.1})
    np.testing.assert_allclose(found.losses, exact.losses, atol=0.1)
    assert (found.score_name, exact.score_name) == ("r2", "r2")
    assert np.isnan(found.scores).all()
    assert any("r2" in said for said in found.notes)


class Shifted(nn.Module):
    """What no state dict holds, or none that lies between two."""

    def __init__(self, kind):
        super().__init__()
        self.layer = nn.Linear(3, 2)
        self.shape = nn.Tanh() if kind == "activation" else nn.ReLU()
        self.register_buffer("shift", torch.ones(3) if kind == "constant" else torch.zeros(3), persistent=False)
        self.register_buffer("order", torch.tensor([2, 0, 1] if kind == "order" else [0, 1, 2]))

    def forward(self, x):
        return self.shape(self.layer(x[:, self.order] + self.shift))


@pytest.mark.parametrize("kind", ["activation", "constant", "order"])
def test_networks_that_differ_in_more_than_weights_have_nothing_between_them(kind):
    _, x, y = regression()
    one, same, other = Shifted("plain"), Shifted("plain"), Shifted(kind)
    with torch.no_grad():
        end = mse(same(x), y).item()
    assert loss_path(one, same, (x, y), "mse", points=2).losses[1] == pytest.approx(end, rel=1e-6)
    with pytest.raises(BadInput, match="more than weights"):
        loss_path(one, other, (x, y), "mse", points=2)
    with pytest.raises(BadInput, match="more than weights"):
        loss_surface(one, (x, y), "mse", grid="3x1", through=[other])


def test_a_shared_weight_is_removed_under_both_its_names():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed, self.head = nn.Embedding(7, 5), nn.Linear(5, 7, bias=False)
            self.head.weight = self.embed.weight

        def forward(self, words):
            return self.head(self.embed(words).mean(1))

    one, other, generator = Tied(), Tied(), torch.Generator().manual_seed(0)
    x, y = torch.randint(0, 7, (20, 3), generator=generator), torch.randint(0, 7, (20,), generator=generator)
    masks = {"embed.weight": torch.rand(7, 5, generator=generator) > 0.5}
    path = loss_path(one, other, (x, y), "cross-entropy", points=3, masks=(masks, masks))
    surface = loss_surface(one, (x, y), "cross-entropy", grid="3x1", masks=masks)
    for t, level in zip(path.t, path.losses, strict=True):
        weight = ((1 - t) * one.embed.weight + t * other.embed.weight).detach() * masks["embed.weight"]
        truth = nn.functional.cross_entropy(weight[x].mean(1) @ weight.T, y).item()
        assert level == pytest.approx(truth, rel=1e-5)
    assert surface.loss == pytest.approx(path.losses[0], rel=1e-6)


def test_a_spectral_norm_has_no_path_until_its_weights_are_ordinary():
    """Vectors of the other sign are the same norm: in the middle they are 0, and the loss was infinite."""
    _, x, y = regression()
    one, other = (
        nn.Sequential(parametrizations.spectral_norm(nn.Linear(3, 4)), nn.Tanh(), nn.Linear(4, 2)).eval()
        for _ in range(2)
    )
    other.load_state_dict(one.state_dict())
    norm = other[0].parametrizations.weight[0]
    norm._u.neg_(), norm._v.neg_()
    torch.testing.assert_close(one(x), other(x))
    with pytest.raises(BadInput, match="remove_parametrizations"):
        loss_path(one, other, (x, y), "mse", points=3)
    for model in (one, other):
        parametrize.remove_parametrizations(model[0], "weight")
    losses = loss_path(one, other, (x, y), "mse", points=3).losses
    assert losses == pytest.approx([mse(one(x), y).item()] * 3, rel=1e-6)


def test_survivors_are_compared_with_a_parent_of_the_same_function():
    model, x, y = regression()
    parent = nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 2))
    masks = {"0.weight": torch.eye(5, 3).bool()}
    with pytest.raises(BadInput, match="more than weights"):
        survivor_curvature(model, parent, (x, y), "mse", masks=masks, k=1, random_masks=0)


def test_networks_that_return_several_outputs_to_a_loss_of_ones_own_are_aligned():
    class Twofold(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.one, self.other = nn.Linear(3, 6), nn.Linear(6, 2), nn.Linear(6, 1)

        def forward(self, x):
            hidden = torch.relu(self.first(x))
            return {"one": self.one(hidden), "other": self.other(hidden)}

    def both(outputs, targets):
        return (outputs["one"] - targets).square().mean(1) + outputs["other"][:, 0].square()

    _, x, y = regression()
    ends = Twofold(), Twofold()
    aligned, plain = (loss_path(*ends, (x, y), both, points=3, align=how) for how in ("weights", "none"))
    assert aligned.distance < plain.distance
    assert aligned.losses[2] == pytest.approx(both(ends[1](x), y).mean().item(), rel=1e-5)


def test_frozen_weights_go_on_beyond_the_networks_that_a_line_goes_through():
    model, x, y = regression()
    other, _, _ = regression()
    for parameter in other.parameters():
        nn.init.normal_(parameter)
    for each in (model, other):
        each[0].weight.requires_grad_(False)
    found = loss_surface(model, (x, y), "mse", grid="3x1", through=[other])
    end = found.arrays["point_alpha"][1]
    for alpha, level in zip(found.coordinates[0], found.losses, strict=True):
        between = copy.deepcopy(model)
        for own, a, b in zip(between.parameters(), model.parameters(), other.parameters(), strict=True):
            own.data = a.detach().lerp(b.detach(), float(alpha / end))
        assert level == pytest.approx(mse(between(x), y).item(), rel=1e-4)
