"""From a file to something that can be measured: ours, and what others wrote."""

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn.utils import prune

from minima.store.checkpoints.checkpoint import save
from minima.store.command import BadInput
from minima.zoo.subject.subject import Choice, Reader, load_subject

MY_LENET = """
from torch import nn
def LeNet5():
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 10))
def number():
    return 3
"""


@pytest.fixture
def factory(tmp_path):
    (tmp_path / "my_lenet.py").write_text(MY_LENET)
    return f"{tmp_path / 'my_lenet.py'}:LeNet5"


def their_network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 10))


def test_ours_says_everything_itself(checkpoint_file, checkpoint):
    subject = load_subject(checkpoint_file, split="test")
    assert (len(subject.x), subject.available, subject.classes, subject.masks) == (360, 360, 10, {})
    assert all(torch.equal(value, checkpoint.state[key]) for key, value in subject.model.state_dict().items())
    assert not subject.model.training


def test_the_first_samples_in_file_order(checkpoint_file):
    few, all_of_them = load_subject(checkpoint_file, samples="first:7"), load_subject(checkpoint_file)
    assert torch.equal(few.x, all_of_them.x[:7])
    assert few.available == 1437
    assert (few.used_share, few.rows.tolist()) == (None, list(range(7)))
    drawn = load_subject(checkpoint_file, samples=7)
    assert torch.equal(drawn.x, all_of_them.x[drawn.rows])
    assert drawn.used_share == pytest.approx((1 - 7 / 1437) ** 0.5)
    for wrong in (0, 1438, "first:0", "7.5"):
        with pytest.raises(BadInput, match="1437"):
            load_subject(checkpoint_file, samples=wrong)


def test_data_that_is_there_is_not_read_again(checkpoint_file):
    first = load_subject(checkpoint_file, split="test")
    again = Reader(Choice(split="test"), there=first).read(checkpoint_file)
    assert again.dataset is first.dataset
    assert Reader(Choice(mean=(0.5,)), there=first).read(checkpoint_file).dataset is not first.dataset


PREFIXES = ["module.", "_orig_mod.", "_orig_mod.module.", "module._orig_mod."]


@pytest.mark.parametrize("form", ["bare", "state_dict", "model", *PREFIXES])
def test_foreign_forms(tmp_path, factory, form):
    state = their_network().state_dict()
    if form in PREFIXES:
        state = {f"{form}{key}": value for key, value in state.items()}
    torch.save({form: state} if form in ("state_dict", "model") else state, tmp_path / "theirs.pt")
    subject = load_subject(tmp_path / "theirs.pt", model=factory, data="digits")
    expected = their_network().eval()(subject.x[:5])
    torch.testing.assert_close(subject.model(subject.x[:5]), expected)
    assert subject.masks == {}


def test_a_compiled_model_with_a_compiled_part(tmp_path, factory):
    network = their_network()
    network[3] = torch.compile(network[3])
    state = torch.compile(network).state_dict()
    assert "_orig_mod.3._orig_mod.weight" in state
    torch.save(state, tmp_path / "theirs.pt")
    subject = load_subject(tmp_path / "theirs.pt", model=factory, data="digits")
    assert torch.equal(subject.model[3].weight, network[3].weight)


def test_masks_of_torchs_pruning(tmp_path, factory):
    network = their_network()
    prune.l1_unstructured(network[3], "weight", 0.5)
    torch.save(network.state_dict(), tmp_path / "theirs.pt")
    subject = load_subject(tmp_path / "theirs.pt", model=factory, data="digits")
    assert torch.equal(subject.masks["3.weight"], network[3].weight_mask.bool())
    assert torch.equal(subject.model[3].weight, network[3].weight)


def test_exact_zeros_count_as_masked_and_it_is_said(tmp_path, factory, capsys):
    network = their_network()
    with torch.no_grad():
        network[3].weight[:2] = 0
        network[0].bias.zero_()  # not a prunable weight: zeros there mean nothing
    torch.save(network.state_dict(), tmp_path / "theirs.pt")
    subject = load_subject(tmp_path / "theirs.pt", model=factory, data="digits")
    assert list(subject.masks) == ["3.weight"]
    assert int((~subject.masks["3.weight"]).sum()) == 2 * 144
    assert "288" in capsys.readouterr().err
    kept = load_subject(tmp_path / "theirs.pt", model=factory, data="digits", zeros="keep")
    assert kept.masks == {}


def test_a_foreign_file_alone_says_what_to_type(tmp_path):
    torch.save(their_network().state_dict(), tmp_path / "theirs.pt")
    with pytest.raises(BadInput, match=r"(?s)--model.*--data"):
        load_subject(tmp_path / "theirs.pt")


def test_weights_that_do_not_fit_are_named(tmp_path):
    torch.save(their_network().state_dict(), tmp_path / "theirs.pt")
    with pytest.raises(BadInput, match=r"missing in the file: conv1\.weight"):
        load_subject(tmp_path / "theirs.pt", model="lenet5", data="digits")


def test_other_shapes_are_named(tmp_path, factory):
    state = their_network().state_dict()
    state["3.bias"] = torch.zeros(11)
    torch.save(state, tmp_path / "theirs.pt")
    with pytest.raises(BadInput, match=r"3\.bias: \(11,\) in the file, \(10,\) in the model"):
        load_subject(tmp_path / "theirs.pt", model=factory, data="digits")


def test_nan_weights_are_named(tmp_path, factory):
    state = their_network().state_dict()
    state["3.bias"][4] = float("nan")
    torch.save(state, tmp_path / "theirs.pt")
    with pytest.raises(BadInput, match=r"3\.bias contains NaN"):
        load_subject(tmp_path / "theirs.pt", model=factory, data="digits")


@pytest.mark.parametrize(
    ("spec", "said"),
    [("nowhere.py:LeNet5", "there is no file"), ("{}:VGG", "LeNet5"), ("{}:number", "int")],
)
def test_factories_that_fail_are_named(tmp_path, factory, spec, said):
    torch.save(their_network().state_dict(), tmp_path / "theirs.pt")
    with pytest.raises(BadInput, match=said):
        load_subject(tmp_path / "theirs.pt", model=spec.format(factory.rpartition(":")[0]), data="digits")


def test_a_checkpoint_that_names_code_does_not_run_it(tmp_path, checkpoint):
    evil = tmp_path / "evil.py"
    evil.write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\ndef make():\n    return 1\n")
    for changed in (
        replace(checkpoint, model=checkpoint.model | {"name": f"{evil}:make"}),
        replace(checkpoint, data=checkpoint.data | {"spec": f"{evil}:make"}),
    ):
        save(changed, tmp_path / "evil.pt")
        with pytest.raises(BadInput, match=r"evil\.py:make"):
            load_subject(tmp_path / "evil.pt")
    assert not (tmp_path / "ran").exists()


def test_data_the_network_cannot_take(tmp_path, checkpoint_file):
    import numpy as np

    x = np.zeros((3, 3, 9, 9), np.float32)
    np.savez(tmp_path / "d.npz", x_train=x, y_train=np.arange(3), x_test=x, y_test=np.arange(3))
    with pytest.raises(BadInput, match=r"\(3, 9, 9\)"):
        load_subject(checkpoint_file, data=f"npz:{tmp_path / 'd.npz'}")


def test_an_entry_of_our_own_checkpoint_is_refused(checkpoint_file):
    with pytest.raises(BadInput, match=r"--entry ema: .*holds one network"):
        load_subject(checkpoint_file, entry="ema")


def test_our_own_checkpoint_in_float64(checkpoint_file, checkpoint):
    subject = load_subject(checkpoint_file, dtype="float64")
    assert {p.dtype for p in subject.model.parameters()} == {torch.float64} == {subject.x.dtype}
    assert torch.equal(subject.model.conv1.weight.float(), checkpoint.state["conv1.weight"])
