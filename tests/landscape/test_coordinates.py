"""A loss as a function of some of the weights only."""

import pytest
import torch
from oracles.dense_landscape import Dense
from oracles.small_networks import make
from torch import nn
from torch.func import functional_call

from landscape import measure_sharpness, top_eigenvalues
from landscape.objective.directions import random_direction
from landscape.objective.objective import Objective
from landscape.spectrum.blocks import blocks
from landscape.spectrum.operators.hessian import Hessian
from minima.store.command import BadInput
from minima.zoo.examples.evaluation import evaluating


def objective_of(case, **keywords):
    return Objective(case.model, case.x, case.y, **{"masks": case.masks, **keywords})


def test_the_others_are_held_and_what_is_removed_of_them_stays_removed():
    case = make("masked", dtype=torch.float64)
    whole = objective_of(case)
    for name, mask in case.masks.items():
        case.model.get_parameter(name).data[~mask] = 7.0
    part = objective_of(case, parameters=["conv1.weight"])
    assert part.dimension == int(case.masks["conv1.weight"].sum()) == whole.coordinates.sizes["conv1.weight"]
    assert part.loss() == whole.loss()
    torch.testing.assert_close(part.gradient(), whole.gradient()[: part.dimension])
    moved = torch.zeros(whole.dimension, dtype=torch.float64)
    moved[: part.dimension] = 0.1
    assert part.loss(moved[: part.dimension]) == pytest.approx(whole.loss(moved), rel=1e-14)
    assert part.part(0, 5).dimension == part.dimension


def test_a_module_is_all_that_is_in_it_and_only_that():
    case = make("conv")
    assert objective_of(case, parameters=["fc"]).dimension == 12
    assert objective_of(case, parameters=["fc", "fc.bias"]).dimension == 12
    with pytest.raises(BadInput, match="conv: the network has no trainable parameter or module of this name"):
        objective_of(case, parameters=["conv"])  # not conv1, conv2


def test_a_shared_weight_by_its_other_name():
    case = make("tied")
    one, other = (objective_of(case, parameters=[name]) for name in ("first.weight", "second"))
    assert one.dimension == other.dimension == 16
    assert torch.equal(one.gradient(), other.gradient())


def test_frozen_parameters_cannot_be_chosen_and_their_masks_hold():
    case = make("masked", dtype=torch.float64)
    loss = objective_of(case).loss()
    case.model.fc.weight.requires_grad_(False)
    case.model.fc.weight.data[~case.masks["fc.weight"]] = 7.0
    assert objective_of(case).loss() == loss
    with pytest.raises(BadInput, match=r"fc\.weight"):
        objective_of(case, parameters=["fc.weight"])


class Words(nn.Module):
    """A bag of words, whose embedding is shared with the output where that is asked for."""

    def __init__(self, shared=False, **options):
        super().__init__()
        torch.manual_seed(1)
        self.e, self.o = nn.Embedding(7, 3, **options), nn.Linear(3, 7)
        self.e.weight.data = torch.randn(7, 3)
        if shared:
            self.o.weight = self.e.weight
        self.double().eval()

    def forward(self, x):
        return self.o(self.e(x).mean(1).tanh())


WORDS, NEXT = (torch.randint(0, 7, size, generator=torch.Generator().manual_seed(2)) for size in ((20, 5), (20,)))


def hessian_of_rows(model, moving, largest=None):
    """The dense Hessian in the rows of the embedding that move, of the loss written out."""
    weight = model.e.weight.detach()

    def loss(rows):
        e = weight.index_put((moving,), rows.view(-1, 3))
        looked, read = e, e if model.o.weight is model.e.weight else model.o.weight
        if largest is not None:
            norms = e.norm(dim=1, keepdim=True)
            looked = torch.where(norms > largest, e * largest / (norms + 1e-7), e)
        hidden = looked[WORDS].mean(1).tanh()
        return nn.functional.cross_entropy(nn.functional.linear(hidden, read, model.o.bias), NEXT)

    return torch.autograd.functional.hessian(loss, weight[moving].flatten())


def test_the_row_of_padding_moves_nowhere_and_is_no_removed_weight():
    model = Words(padding_idx=2)
    objective = Objective(model, WORDS, NEXT, parameters=["e.weight"])
    moving = torch.tensor([0, 1, 3, 4, 5, 6])
    assert (objective.dimension, objective.coordinates.removed) == (18, 0)
    assert objective.coordinates.kept.all()
    expected = hessian_of_rows(model, moving)
    torch.testing.assert_close(objective.hvp(torch.eye(18, dtype=torch.float64)), expected)
    drawn = objective.coordinates.normal(torch.Generator().manual_seed(0))
    moved = objective.coordinates.tensors(objective.coordinates.extend(drawn))["e.weight"]
    assert not moved[2].any()
    assert moved[moving].all()
    for normalise in ("filter", "layer"):
        direction = random_direction(objective, torch.Generator().manual_seed(0), normalise)
        assert direction.norm == pytest.approx(model.e.weight[moving].norm().item())


def test_the_row_of_padding_is_said_and_noise_and_curvature_are_of_one_function():
    model, others = Words(padding_idx=0), torch.arange(1, 7)
    found = measure_sharpness(model, (WORDS, NEXT), measures=["trace", "average"], parameters=["e.weight"])
    assert any("row 0 of e.weight is padding" in each for each in found.notes)
    trace = hessian_of_rows(model, others).trace().item()
    assert found["trace"].value == pytest.approx(trace, abs=4 * found["trace"].stderr)
    by_noise = 2 * found["average"].values["rho=0.005"] / 0.005**2
    assert by_noise == pytest.approx(trace, rel=0.2)


def test_a_row_of_padding_that_a_tied_head_moves_is_a_row_like_others():
    """SGD on the network moves it; the Hessian is that of all rows."""
    model = nn.Sequential(nn.Embedding(5, 3, padding_idx=0), nn.Linear(3, 5, bias=False))
    model[1].weight = model[0].weight
    x, y = torch.tensor([0, 1, 2, 3]), torch.tensor([1, 2, 0, 4])
    nn.functional.cross_entropy(model(x), y).backward()
    assert model[0].weight.grad[0].abs().max() > 0
    objective = Objective(model.double(), x, y)
    assert not objective.coordinates.padding
    assert objective.dimension == 15
    weight = model[0].weight.detach()

    def loss(flat):
        w = flat.view(5, 3)
        return nn.functional.cross_entropy(w[x] @ w.T, y)

    truth = torch.autograd.functional.hessian(loss, weight.flatten())
    torch.testing.assert_close(objective.hvp(torch.eye(15, dtype=torch.float64)), truth)


def test_padding_that_only_a_call_names_is_a_row_like_others():
    """Nothing of the module says so: gradient and noise both move it."""

    class Called(Words):
        def forward(self, x):
            return self.o(nn.functional.embedding(x, self.e.weight, padding_idx=0).mean(1).tanh())

    model = Called()
    objective = Objective(model, WORDS, NEXT, parameters=["e.weight"])
    expected = hessian_of_rows(model, torch.arange(7))
    torch.testing.assert_close(objective.hvp(torch.eye(21, dtype=torch.float64)), expected)


def test_an_embedding_of_a_largest_norm_is_the_function_that_it_computes_and_stays():
    model = Words(max_norm=1.0)
    model.e.weight.data = nn.functional.normalize(torch.randn(7, 3).double()) * torch.linspace(0.5, 2, 7)[:, None]
    before = model.e.weight.detach().clone()
    expected = hessian_of_rows(model, torch.arange(7), largest=1.0)
    found = top_eigenvalues(model, (WORDS, NEXT), k=3, parameters=["e.weight"])
    assert found.values[0] == pytest.approx(torch.linalg.eigvalsh(expected)[-1].item(), rel=1e-3)
    objective = Objective(model, WORDS, NEXT, parameters=["e.weight"])
    torch.testing.assert_close(objective.hvp(torch.eye(21, dtype=torch.float64)), expected)
    assert torch.equal(model.e.weight, before)
    loss = objective.loss()
    assert torch.equal(objective.point, before.flatten()), "no pass shortens the point that is measured"
    with torch.no_grad():
        assert loss == pytest.approx(nn.functional.cross_entropy(model(WORDS), NEXT).item())


@pytest.mark.parametrize("power", [1.0, 2.0, 3.0])
def test_rows_are_shortened_as_torch_does(power):
    weight = torch.randn(7, 3, dtype=torch.float64)
    bag = nn.EmbeddingBag(7, 3, max_norm=0.8, norm_type=power, _weight=weight.clone())
    with evaluating(bag):
        found = bag(WORDS)
    assert torch.equal(bag.weight, weight)
    torch.testing.assert_close(found, bag(WORDS))
    assert not torch.equal(bag.weight, weight)


def test_a_call_that_shortens_rows_is_refused_before_it_does():
    class Called(Words):
        def forward(self, x):
            return self.o(nn.functional.embedding(x, self.e.weight, max_norm=0.1).mean(1))

    model = Called()
    before = model.e.weight.detach().clone()
    with pytest.raises(BadInput, match=r"calls functional\.embedding with max_norm"):
        top_eigenvalues(model, (WORDS, NEXT))
    assert torch.equal(model.e.weight, before)


class Complex(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.randn(3, 3, dtype=torch.complex128))
        self.o = nn.Linear(3, 3).double()

    def forward(self, x):
        return self.o((x.to(self.w.dtype) @ self.w).abs())


def test_complex_weights_are_refused_unless_they_are_frozen():
    torch.manual_seed(0)
    model, x, y = Complex(), torch.randn(30, 3).double(), torch.arange(30) % 3
    for measured in (lambda: Objective(model, x, y), lambda: measure_sharpness(model, (x, y), measures=["average"])):
        with pytest.raises(BadInput, match="w of the model Complex is complex128: only networks with real weights"):
            measured()
    model.w.requires_grad_(False)
    assert Objective(model, x, y).loss() == pytest.approx(nn.functional.cross_entropy(model(x), y).item())
    names = ("o.weight", "o.bias")
    start = torch.cat([model.get_parameter(name).detach().flatten() for name in names])

    def loss(flat):
        own = {"o.weight": flat[:9].view(3, 3), "o.bias": flat[9:]}
        return nn.functional.cross_entropy(functional_call(model, own, (x,)), y)

    expected = torch.autograd.functional.hessian(loss, start)
    torch.testing.assert_close(Objective(model, x, y).hvp(torch.eye(12, dtype=torch.float64)), expected)


class Double(nn.Module):
    def forward(self, x):
        return x.double()


def test_inputs_have_the_type_of_the_first_layer_whichever_is_measured():
    model = nn.Sequential(nn.Linear(5, 4), Double(), nn.Linear(4, 3).double())
    whole = Objective(model, make("mlp").x, make("mlp").y)
    assert torch.equal(whole.block(["2"]).gradient(), whole.gradient()[-15:])


@pytest.mark.parametrize("kind", ["conv", "tied", "masked"])
def test_what_does_not_move_stays_at_its_value(kind):
    case = make(kind, dtype=torch.float64)
    name = next(name for name, p in case.model.named_parameters() if p.ndim > 1)
    moving = {name: torch.rand(case.model.get_parameter(name).shape) > 0.5}
    whole, part = objective_of(case), objective_of(case, moving=moving)
    assert part.loss() == whole.loss()
    dense = Dense(case.model, case.x, case.y, case.masks)
    moves = Dense(
        case.model, case.x, case.y, case.masks | {name: moving[name] & case.masks.get(name, moving[name])}
    ).kept
    submatrix = dense.hessian("full")[moves][:, moves]
    torch.testing.assert_close(part.hvp(torch.eye(part.dimension)), submatrix, check_dtype=False)
    torch.testing.assert_close(part.part(0, 22).gradient(), dense.gradient("full")[moves])


def test_an_empty_subset_is_one_clear_line():
    case = make("masked")
    with pytest.raises(BadInput, match="no parameters are named"):
        objective_of(case, parameters=[])
    case.masks["conv1.weight"] = torch.zeros_like(case.masks["conv1.weight"])
    with pytest.raises(BadInput, match=r"all weights of conv1\.weight are removed"):
        objective_of(case, parameters=["conv1.weight"])
    with pytest.raises(BadInput, match="all weights of the network are removed"):
        objective_of(case, masks={name: torch.zeros_like(p) for name, p in case.model.named_parameters()})


def test_blocks_are_the_dense_ones():
    case = make("masked", dtype=torch.float64)
    case.masks["conv1.weight"] = torch.zeros_like(case.masks["conv1.weight"])
    objective = objective_of(case)
    hessian = Dense(case.model, case.x, case.y, case.masks).hessian()
    objective.hvp(objective.point)
    ends = torch.tensor(list(objective.coordinates.sizes.values())).cumsum(0).tolist()
    found = blocks(objective, Hessian(), {"conv1": ["conv1.weight"], "fc": ["fc"]}, tolerance=1e-8, probes=400)
    assert not objective.keeper.kept  # memory for the graphs of one block at a time
    assert (found[0].dimension, found[0].top, found[0].trace) == (0, None, None)
    dense = hessian[ends[-3] :, ends[-3] :]
    assert found[1].dimension == len(dense)
    assert found[1].top.values[0] == pytest.approx(torch.linalg.eigvalsh(dense)[-1].item(), rel=1e-8)
    assert abs(found[1].trace.value - dense.trace()) < 3 * found[1].trace.stderr
    with pytest.raises(BadInput, match="conv9"):
        blocks(objective, Hessian(), {"conv9": ["conv9"]})
