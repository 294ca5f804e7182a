"""`python -m pruning.transplant`: masks and weights end up where they were asked for, and training goes on."""

import pytest
import torch
from torch import nn

from minima.store.checkpoints.checkpoint import Checkpoint, load, save
from minima.store.command import BadInput
from minima.train import main as train
from minima.zoo.data.specs import resolve_data
from minima.zoo.training.flags import Train
from pruning.transplant.__main__ import main
from pruning.transplant.flags import Transplant


@pytest.fixture
def networks(tmp_path, dense, prune):
    """dense.pt, pruned.pt, and other.pt with other initial weights."""
    (tmp_path / "dense.pt").symlink_to(dense)
    train(Train(out=str(tmp_path / "other.pt"), model="mlp:hidden=12", epochs=0, seed=1))
    prune("magnitude", dense, "--sparsity", 0.8, "--epochs", 1, "-o", tmp_path / "pruned.pt")
    return tmp_path


def transplanted(folder, weights, **chosen):
    out = folder / "out.pt"
    main(Transplant(mask=folder / "pruned.pt", weights=folder / weights, out=out, overwrite=True, **chosen))
    return load(out)


@pytest.mark.parametrize(("weights", "epoch"), [("dense.pt", 0), ("dense.pt", None), ("other.pt", None)])
def test_the_mask_of_one_on_the_weights_of_the_other(networks, weights, epoch):
    made, pruned, source = (
        transplanted(networks, weights, from_epoch=epoch),
        *map(load, (networks / "pruned.pt", networks / weights)),
    )
    given = source.state if epoch is None else source.weights_at[epoch]
    assert set(made.masks) == set(pruned.masks)
    for name, tensor in made.state.items():
        mask = pruned.masks.get(name, torch.ones_like(tensor, dtype=torch.bool))
        assert torch.equal(tensor, torch.where(mask, given[name], 0))
    assert (made.training["split_seed"], made.seed) == (pruned.training["split_seed"], pruned.seed)


def test_shuffled_within_layers(networks):
    made, again, pruned = (
        transplanted(networks, "dense.pt", shuffle=True),
        transplanted(networks, "dense.pt", shuffle=True),
        load(networks / "pruned.pt"),
    )
    other = transplanted(networks, "dense.pt", shuffle=True, seed=1)
    for name, mask in pruned.masks.items():
        assert made.masks[name].sum() == mask.sum()
        assert not torch.equal(made.masks[name], mask)
        assert torch.equal(made.masks[name], again.masks[name])
        assert not torch.equal(made.masks[name], other.masks[name])


def test_a_removed_weight_that_two_layers_share_stays_removed_in_both(tmp_path):
    """A file holds it under both names, and a network takes what it reads last."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8), nn.Linear(8, 10))
    net[4].weight = net[2].weight
    entry = {"model": {"name": "net.py:net"}, "data": resolve_data("digits")}
    save(Checkpoint(state=net.state_dict(), **entry), tmp_path / "dense.pt")
    masks = {name: torch.rand(p.shape) < 0.5 for name, p in net.named_parameters() if p.ndim == 2}
    with torch.no_grad():
        for name, mask in masks.items():
            net.get_parameter(name).mul_(mask)
    save(Checkpoint(state=net.state_dict(), masks=masks, **entry), tmp_path / "pruned.pt")
    for shuffle in (False, True):
        made = transplanted(tmp_path, "dense.pt", shuffle=shuffle)
        net.load_state_dict(made.state)
        for name, mask in made.masks.items():
            assert not net.get_parameter(name)[~mask].any()
            assert net.get_parameter(name)[mask].all()


def test_it_trains_on_within_its_mask(networks):
    made = transplanted(networks, "other.pt")
    train(Train(out=str(networks / "on.pt"), start=(networks / "out.pt",), epochs=1))
    on = load(networks / "on.pt")
    for name, mask in made.masks.items():
        assert torch.equal(on.masks[name], mask)
        assert not on.state[name][~mask].any()
        assert not torch.equal(on.state[name], made.state[name])


def test_the_same_line_again_takes_it_over_and_another_is_refused(networks):
    line = {"mask": networks / "pruned.pt", "weights": networks / "dense.pt", "out": networks / "twice.pt"}
    assert [main(Transplant(**line)).summary["reused"] for _ in range(2)] == [False, True]
    with pytest.raises(BadInput, match="another method"):
        main(Transplant(**line, from_epoch=0))


def test_without_a_mask_it_is_refused(networks):
    with pytest.raises(BadInput, match="nothing is removed"):
        main(Transplant(mask=networks / "dense.pt", weights=networks / "other.pt", out=networks / "no.pt"))
