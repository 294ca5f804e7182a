"""The floor that keeps a path, and what is said of networks that are cut."""

import pytest
import torch
from oracles.scoring import context_of
from torch import nn

from minima.store.checkpoints.checkpoint import load
from minima.store.command import BadInput
from minima.zoo.anatomy.paths.reachability import carries
from minima.zoo.anatomy.prunable import prunable
from minima.zoo.architecture.architecture import build, describe, parse_architecture
from pruning.composition.keeping_path import a_path, bottlenecks, with_path


def everything(model):
    return {name: torch.ones_like(weight, dtype=torch.bool) for name, weight in prunable(model).items()}


@pytest.mark.parametrize("spec", ["mlp:hidden=5", "lenet5", "resnet20:width=4", "mobilenet", "vit:depth=2"])
def test_a_path_is_a_single_one_that_passes_by_what_shortcuts_lead_past(spec):
    model = build(describe(parse_architecture(spec), (1, 8, 8), 10))
    masks = everything(model)
    path = a_path(model, (1, 8, 8), masks, prunable(model))
    assert carries(model, (1, 8, 8), path)
    assert {int(mask.sum()) for mask in path.values()} <= {0, 1}
    for name, mask in path.items():  # each weight is needed
        if mask.any():
            assert not carries(model, (1, 8, 8), path | {name: torch.zeros_like(mask)})


def test_bottlenecks_are_the_layers_past_which_nothing_leads():
    chain, residual = (
        build(describe(parse_architecture(spec), (1, 8, 8), 10)) for spec in ("lenet5", "resnet20:width=4")
    )
    assert bottlenecks(chain, (1, 8, 8), everything(chain)) == list(prunable(chain))
    assert bottlenecks(residual, (1, 8, 8), everything(residual)) == ["conv1.weight", "linear.weight"]


def tiny():
    """3 inputs, 2 hidden units, 2 outputs, with weights that tell their order."""
    model = nn.Sequential(nn.Linear(3, 2), nn.ReLU(), nn.Linear(2, 2))
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([[1.0, 9.0, 2.0], [3.0, 4.0, 5.0]]))
        model[2].weight.copy_(torch.tensor([[7.0, 0.5], [6.0, 8.0]]))
    return context_of(model, torch.randn(4, 3), torch.tensor([0, 1, 0, 1]))


def test_what_the_path_lacks_comes_back_for_the_lowest_scores_that_are_not_on_it():
    context = tiny()
    scores = {name: weight.detach().abs() for name, weight in context.weights.items()}
    cut = {"0.weight": torch.zeros(2, 3, dtype=torch.bool), "2.weight": torch.ones(2, 2, dtype=torch.bool)}
    found = with_path(context, cut, scores)
    assert found["0.weight"].tolist() == [[False, True, False], [False, False, False]]  # 9, the largest
    assert found["2.weight"].tolist() == [[True, False], [True, True]]  # 7, behind it, stays and 0.5 goes
    assert with_path(context, found, scores) is found  # as it is where a path is left


def test_a_path_longer_than_what_is_kept_is_refused():
    context = tiny()
    one = {"0.weight": torch.zeros(2, 3, dtype=torch.bool), "2.weight": torch.eye(2) > 2}
    one["2.weight"][0, 0] = True
    with pytest.raises(BadInput, match="--keep-path: a path takes 2 weights, but only 1 are"):
        with_path(context, one, {name: weight.detach().abs() for name, weight in context.weights.items()})


def test_egp_on_a_chain_warns_before_the_work_and_says_after_it_that_the_network_is_cut(dense, tmp_path, capsys):
    from pruning.__main__ import main

    words = ["egp", dense, "--sparsity", 0.9, "--epochs", 4, "-o", tmp_path / "x.pt"]
    with pytest.raises(SystemExit):
        main([str(word) for word in words])
    out, err = capsys.readouterr()
    assert err.index("no shortcut leads past fc1, fc2") < err.index("fc1.weight: no weight is left")
    assert "--keep-path" in err
    assert "NO: the network is cut" in out
    assert load(tmp_path / "x.pt").metrics["connected"] is False


@pytest.mark.parametrize("method", ["egp", "nepenthe"])
def test_with_a_kept_path_the_count_is_the_same_and_the_outputs_follow_the_inputs(
    method, dense, tmp_path, prune, capsys
):
    words = [dense, "--sparsity", 0.9, "--epochs", 4, "--keep-path"]
    report = prune(method, *words, "-o", tmp_path / "x.pt")
    assert "no shortcut leads past" not in capsys.readouterr().err
    found = load(tmp_path / "x.pt")
    assert report["connected"] is True
    assert report["reached"] is True
    assert sum(int(mask.sum()) for mask in found.masks.values()) == round(0.1 * (64 * 12 + 12 * 10))
    assert all(mask.any() for mask in found.masks.values())
    assert found.method["keep_path"] is True
    model = build(found.model)
    model.load_state_dict(found.state)
    assert model(torch.rand(50, 1, 8, 8)).std(0).max() > 0


def test_any_method_that_cuts_can_keep_a_path_and_one_that_moves_weights_cannot(dense, tmp_path, prune):
    words = [dense, "--sparsity", 0.995, "--epochs", 0, "--overwrite"]
    given = ["--scope", "given", "--layer", "fc2=1"]
    assert prune("magnitude", *words, *given, "-o", tmp_path / "x.pt")["connected"] is False
    kept = prune("magnitude", *words, *given, "--keep-path", "-o", tmp_path / "y.pt")
    assert kept["connected"] is True
    assert kept["sparsity"] == pytest.approx(0.995, abs=1e-3)
    for method, flags in (("rigl", []), ("set", []), ("granet", []), ("sr-ste", ["--dense", "fc1"])):
        with pytest.raises(BadInput, match=f"--keep-path: {method} moves weights"):
            prune(method, dense, "--sparsity", 0.5, "--keep-path", *flags, "-o", tmp_path / "z.pt")


def test_where_paths_cannot_be_followed_it_is_said_or_refused_before_the_work(
    dense, tmp_path, prune, monkeypatch, capsys
):
    import minima.zoo.anatomy.paths.reachability as module

    monkeypatch.delitem(module.RULES, "relu")
    words = [dense, "--sparsity", 0.5, "--epochs", 1]
    report = prune("egp", *words, "-o", tmp_path / "x.pt")
    assert "cannot be told: the network uses relu" in capsys.readouterr().err
    assert report["connected"] is None
    with pytest.raises(BadInput, match="--keep-path: the network uses relu"):
        prune("egp", *words, "--keep-path", "-o", tmp_path / "y.pt")
