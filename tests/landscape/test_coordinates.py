"""A loss as a function of some of the weights only."""

import pytest
import torch
from oracles.dense_landscape import Dense
from oracles.small_networks import make
from torch import nn

from landscape.objective.objective import Objective
from landscape.spectrum.blocks import blocks
from landscape.spectrum.operators.hessian import Hessian
from minima.store.command import BadInput


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
