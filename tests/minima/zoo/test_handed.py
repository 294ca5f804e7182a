"""Networks and data that a program holds: evaluated, read, refused."""

import math

import pytest
import torch
from torch import nn

from entropy import layer_entropies, psp_entropy
from landscape import top_eigenvalues
from minima import BadInput, Dataset, as_examples, evaluate, load_checkpoint
from minima.store.room import allowing
from minima.zoo.examples.needs import affordable_batch
from minima.zoo.subject.handed import subject_of
from pruning import shrink_network


def test_the_loss_is_the_mean_over_examples_by_weight():
    model = nn.Linear(3, 3)
    x, y = torch.randn(11, 3), torch.arange(11) % 3
    weight = torch.tensor([1.0, 2.0, 3.0])
    truth = nn.functional.cross_entropy(model(x), y, weight).item()
    assert evaluate(model, (x, y), "cross-entropy:weight=1x2x3", batch_size=4).loss == pytest.approx(truth, rel=1e-6)


def test_a_network_in_training_mode_is_evaluated_in_eval_mode():
    model = nn.Sequential(nn.Linear(3, 40), nn.Dropout(0.9), nn.Linear(40, 2)).train()
    data = (torch.randn(20, 3), torch.arange(20) % 2)
    assert evaluate(model, data).loss == evaluate(model, data).loss
    assert model.training
    assert model[1].training


def test_the_split_of_a_dataset_and_the_one_there_is():
    x, y = torch.randn(4, 2), torch.tensor([0, 1, 1, 0])
    both = Dataset(x, y, -x, y, 2)
    assert torch.equal(as_examples(both).x, x)
    assert torch.equal(as_examples(both, "test").x, -x)
    assert torch.equal(as_examples(Dataset(x, y, None, None, 2), "test").x, x)


class Detector(nn.Linear):
    """Puts out a box and then what it is."""

    def forward(self, x):
        found = super().forward(x)
        return found[:, :4], found[:, 4:]


def test_of_several_outputs_it_is_said_which_is_measured():
    data = (torch.randn(20, 3), torch.arange(20) % 2)
    (said,) = subject_of(Detector(3, 6), data).notes
    assert "a tensor (16, 4), a tensor (16, 2). The first is measured; --output 1" in said
    assert not subject_of(Detector(3, 6), data, output="1").notes


def test_nan_targets_and_negative_labels_name_no_classes():
    x = torch.randn(3, 2)
    assert as_examples((x, torch.tensor([0, -100, 1]))).classes is None
    assert as_examples((x, torch.tensor([0.0, math.nan, 1.0]))).classes is None
    assert as_examples((x, torch.tensor([0, 4, 1]))).classes == 5


def test_wrappers_are_taken_off():
    model = nn.Linear(3, 2)
    wrapped = nn.DataParallel(model)
    assert subject_of(wrapped, (torch.randn(4, 3), torch.tensor([0, 1, 1, 0]))).model is model


def test_old_weight_norm_is_measured_on_a_copy():
    with pytest.warns(FutureWarning):
        model = nn.utils.weight_norm(nn.Linear(3, 2))
    x, y = torch.randn(4, 3), torch.tensor([0, 1, 1, 0])
    model(x)
    subject = subject_of(model, (x, y))
    assert subject.model is not model
    assert hasattr(model, "weight_g")
    torch.testing.assert_close(subject.model(x), model(x))


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("norm", [nn.utils.weight_norm, nn.utils.spectral_norm])
def test_an_old_norm_is_measured_where_it_is(norm):
    """The numbers behind the weight are the coordinates: renewed with others, a gradient is one of another point."""
    model = nn.Sequential(norm(nn.Linear(3, 4)), nn.Tanh(), nn.Linear(4, 2))
    x, y = torch.randn(9, 3), torch.arange(9) % 2
    for parameter in model[0].parameters():
        parameter.data.mul_(3)  # a direction that is not of the length of its weight
    model.train()(x)  # a pass of training, which leaves a graph, and in a spectral norm its vectors
    random = torch.random.get_rng_state()
    found = top_eigenvalues(model, (x, y), "cross-entropy", k=1)
    assert torch.equal(torch.random.get_rng_state(), random)
    loss = nn.functional.cross_entropy(model.eval()(x), y)
    slopes = torch.autograd.grad(loss, list(model.parameters()))
    assert found.loss == pytest.approx(loss.item(), rel=1e-6)
    assert found.gradient_norm == pytest.approx(torch.cat([each.flatten() for each in slopes]).norm().item(), rel=1e-4)
    own = torch.cat([each.detach().flatten() for each in model.parameters()])
    assert found.weight_norm == pytest.approx(own.norm().item(), rel=1e-6)


def test_without_parameters_there_is_nothing():
    with pytest.raises(BadInput, match="no parameters"):
        subject_of(nn.Identity(), (torch.randn(4, 3), torch.tensor([0, 1, 1, 0])))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(BadInput, match="there is no such file"):
        load_checkpoint(tmp_path / "x.pt")


def test_the_folder_of_the_data_may_be_a_string(checkpoint_file, tmp_path):
    with pytest.raises(BadInput, match="train-images-idx3-ubyte is missing"):
        load_checkpoint(str(checkpoint_file), data="mnist", data_root=str(tmp_path))
    assert len(load_checkpoint(str(checkpoint_file), data_root=str(tmp_path), samples=7).x) == 7


def test_passes_take_no_more_examples_at_once_than_memory_holds(monkeypatch):
    wide, x = nn.Linear(1, 5_000_000), torch.zeros(100, 1)  # six outputs of 20 MB for each example
    with allowing(1.0):
        assert affordable_batch(wide, x, 64) == 6  # of (1 GiB - 128 MiB) / 1.15
        assert affordable_batch(wide, x, 4) == 4
    monkeypatch.setattr("minima.zoo.examples.needs.pass_bytes", lambda *_: 2**28)
    with allowing(1.0):
        assert subject_of(nn.Linear(2, 1), (torch.ones(9, 2), torch.zeros(9, 1)), "mse", batch_size=8).batch_size == 3
        assert subject_of(nn.Linear(2, 1), (torch.ones(9, 2), torch.zeros(9, 1)), "mse").batch_size == 3


class Counting(nn.Module):
    """Writes into its buffers with every pass: one in place, one anew."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(3, 4), nn.Linear(4, 2)
        self.register_buffer("passes", torch.zeros(1))
        self.register_buffer("seen", torch.zeros(4))

    def forward(self, x):
        hidden = self.a(x).relu()
        self.passes += 1
        self.seen = self.seen + hidden.detach().mean(0)
        return self.b(hidden)


@pytest.mark.parametrize("measured", [top_eigenvalues, psp_entropy, layer_entropies, shrink_network])
def test_buffers_that_a_pass_writes_into_stay(measured):
    torch.manual_seed(0)
    model, x, y = Counting(), torch.randn(8, 3), torch.arange(8) % 2
    with torch.no_grad():
        model.a.weight[0], model.a.bias[0] = 0, -1
    known, before = dict(model.named_buffers()), {name: each.clone() for name, each in model.state_dict().items()}
    if measured is shrink_network:
        found = shrink_network(model, x)
        assert dict(found.model.named_buffers())["passes"].item() == 0
    else:
        measured(model, (x, y))
    for name, buffer in model.named_buffers():
        assert buffer is known[name]
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]), name
    model(x)
    assert model.passes.item() == 1, "the network goes on as it did"
