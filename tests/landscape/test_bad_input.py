"""What cannot be measured is refused in one to three lines that name the module, the tensor or the example."""

import random

import pytest
import torch
from oracles.small_networks import make
from torch import nn
from torch.nn.functional import batch_norm, dropout

from landscape.objective.objective import Objective
from minima.store.command import BadInput


class Dropping(nn.Linear):
    def forward(self, x):
        return dropout(super().forward(x), 1e-4)  # too rare to show in the loss of a few examples


class Noisy(nn.Linear):
    def forward(self, x):
        return super().forward(x) + 0.1 * torch.randn(len(x), self.out_features)


class Stubborn(nn.Module):
    """Goes on training, and all that is in it."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def train(self, mode=True):
        del mode
        return self

    def forward(self, x):
        return self.inner(x)


class ByTheBatch(nn.Linear):
    def forward(self, x):
        made = super().forward(x)
        return batch_norm(made, None, None, training=True)


class Mixing(nn.Linear):
    def forward(self, x):
        made = super().forward(x)
        return made + 5 * made.mean(0)


class Unseeded(nn.Linear):
    """Draws that torch knows nothing of; the same in every run of this test, lest two of them happen to be alike."""

    def __init__(self, *sizes):
        super().__init__(*sizes)
        self.draws = random.Random(0)

    def forward(self, x):
        return super().forward(x) + self.draws.random()


def between(middle):
    return nn.Sequential(nn.Linear(5, 6), nn.Sequential(nn.ReLU(), middle), nn.Linear(4, 3))


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (
            lambda: between(Dropping(6, 4)),
            r"1\.1 \(Dropping\) draws random numbers in dropout.*\n.*training=self\.training",
        ),
        (lambda: between(Noisy(6, 4)), r"1\.1 \(Noisy\) draws random numbers in randn"),
        (
            lambda: between(Stubborn(nn.Sequential(nn.Linear(6, 4), nn.Dropout(0.1)))),
            r"inner\.1 \(Dropout\).*\n.*train\(\)",
        ),
        (
            lambda: between(Stubborn(nn.Sequential(nn.Linear(6, 4), nn.BatchNorm1d(4)))),
            r"1\.1\.inner\.1 \(BatchNorm1d\) norm",
        ),
        (lambda: between(ByTheBatch(6, 4)), r"1\.1 \(ByTheBatch\) normalises by the batch's own statistics"),
        (
            lambda: between(nn.Sequential(nn.Linear(6, 4), nn.BatchNorm1d(4, track_running_stats=False))),
            "track_running_stats",
        ),
        (lambda: between(Mixing(6, 4)), r"first outputs that differ are those of 1\.1 \(Mixing\)"),
        (lambda: between(Unseeded(6, 4)), r"first outputs that differ are those of 1\.1 \(Unseeded\)"),
    ],
    ids=["dropout", "noise", "stubborn dropout", "stubborn norm", "batch_norm", "no statistics", "mean", "random"],
)
@pytest.mark.parametrize("examples", [22, 5])
def test_what_is_no_function_of_the_weights_is_named(build, words, examples):
    case = make("mlp")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = build()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    modes, state = [module.training for module in model.modules()], torch.get_rng_state()
    with pytest.raises(BadInput, match=words) as refusal:
        Objective(model.train(), case.x[:examples], case.y[:examples])
    assert str(refusal.value).count("\n") < 3
    assert torch.equal(torch.get_rng_state(), state)
    assert [module.training for module in model.modules()] == modes
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


def test_a_lone_example_of_a_batch_norm_that_goes_on_training():
    case = make("mlp")
    with pytest.raises(BadInput, match=r"1 \(BatchNorm1d\) normalises by the batch"):
        Objective(nn.Sequential(nn.Linear(5, 3), nn.BatchNorm1d(3, track_running_stats=False)), case.x[:1], case.y[:1])


def test_noise_in_the_loss_is_named_too():
    case = make("mlp")
    with pytest.raises(BadInput, match="the loss draws random numbers in rand_like"):
        Objective(case.model, case.x, case.y, loss=lambda outputs, _: (outputs + torch.rand_like(outputs)).sum(1))


def test_a_model_in_training_mode_is_measured_in_eval_mode_and_left_in_training_mode():
    case = make("batchnorm")
    model = nn.Sequential(case.model, nn.Dropout(0.5))
    expected = Objective(model.eval(), case.x, case.y)
    buffers = {name: tensor.clone() for name, tensor in model.named_buffers()}
    model.train()
    model[0].bn1.eval()
    found = Objective(model, case.x, case.y)
    assert found.loss() == expected.loss()
    v = torch.ones(found.dimension)
    assert torch.equal(found.hvp(v), expected.hvp(v))
    assert [name for name, module in model.named_modules() if not module.training] == ["0.bn1"]
    assert all(torch.equal(buffers[name], tensor) for name, tensor in model.named_buffers())


def spoilt(case, name, value=float("nan")):
    with torch.no_grad():
        case.model.get_parameter(name).view(-1)[:2] = value
    return case


@pytest.mark.parametrize("ask", ["loss", "gradient", "hvp"])
def test_what_is_not_finite_is_named(ask):
    def broken(case, **keywords):
        objective = Objective(case.model, case.x, case.y, batch_size=5, **keywords)
        with pytest.raises(BadInput) as refusal:
            objective.hvp(objective.point) if ask == "hvp" else getattr(objective, ask)()
        assert str(refusal.value).count("\n") < 3
        return str(refusal.value)

    assert "fc2.weight is not finite: 2 of its 24 values" in broken(spoilt(make("mlp"), "fc2.weight"))
    assert "fc2.weight" in broken(spoilt(make("mlp"), "fc2.weight"), parameters=["fc1"])
    case = make("batchnorm")
    case.model.bn1.running_mean[1] = torch.nan
    assert "bn1.running_mean is not finite: 1 of its 3" in broken(case)
    case = make("mlp")
    case.x[17, 0], case.x[20, 1] = torch.nan, torch.inf
    assert "the input of example 17 is not finite: it holds NaN or infinity, and so do 1 more of 22" in broken(case)
    case = make("mlp")
    case.model.fc1.weight.data.abs_().mul_(100)
    case.x[18] = 3e38
    said = broken(case)
    assert "the loss of example 18 is not finite" in said
    assert "nor are the outputs" in said
    spare = make("mlp")
    said = broken(spare, loss=lambda out, y: out[:, 0] / (y - spare.y[0]))  # divides by 0 for the first
    assert "the loss of example 0 is not finite" in said
    assert "look at the loss" in said


def test_a_derivative_that_is_not_finite_of_a_loss_that_is():
    case = make("mlp")
    objective = Objective(case.model, case.x, case.y, loss=lambda out, _: (out - out.detach()).norm(dim=1).sqrt())
    assert objective.loss() == 0
    with pytest.raises(BadInput, match="a derivative of it is not"):
        objective.gradient()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda x, y: (x[:0], y[:0]), "no examples"),
        (lambda x, y: (x, y[:20]), "22 inputs x and 20 labels y"),
        (lambda x, y: (x.long(), y), r"x holds integers \(int64\)"),
        (lambda x, y: ((10 * x).to(torch.uint8), y), r"x holds integers \(uint8\)(.|\n)*255"),
        (lambda x, y: (x, y.index_fill(0, torch.tensor([19]), 3)), "label of example 19 is 3, but the network has 3"),
        (lambda x, y: (x, y.index_fill(0, torch.tensor([4]), -1)), "label of example 4 is -1.*expected 0 to 2"),
        (lambda x, y: (x, y.float()), r"targets are floats of shape \(N,\).*\n?.*y\.long\(\)"),
        (lambda x, y: (x, y[:, None]), r"store them as \(N,\)"),
    ],
    ids=["none", "lengths", "int64", "uint8", "too large", "negative", "float labels", "a column"],
)
def test_data_that_do_not_fit_are_named(change, words):
    case = make("mlp")
    with pytest.raises(BadInput, match=words) as refusal:
        Objective(case.model, *change(case.x, case.y))
    assert str(refusal.value).count("\n") < 3


def test_outputs_in_a_dict_are_its_logits_or_what_a_loss_of_one_s_own_takes():
    case = make("mlp")

    class Named(nn.Sequential):
        def forward(self, x):
            return {"logits": super().forward(x)}

    model = Named(case.model)
    assert Objective(model, case.x, case.y).loss() == Objective(case.model, case.x, case.y).loss()
    own = Objective(model, case.x, case.y, loss=lambda out, y: nn.functional.cross_entropy(out["logits"], y))
    assert own.loss() == pytest.approx(Objective(case.model, case.x, case.y).loss())


def test_integers_and_probabilities_that_do_fit():
    tokens, y = torch.randint(0, 7, (12, 4)), torch.randint(0, 3, (12,))
    model = nn.Sequential(nn.Embedding(7, 5), nn.Flatten(), nn.Linear(20, 3))
    hard = Objective(model, tokens, y)
    soft = Objective(model, tokens, nn.functional.one_hot(y, 3).float())
    assert hard.loss() == pytest.approx(soft.loss())
    assert hard.loss() == Objective(model, tokens, y.to(torch.uint8)).loss()


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("hessian", ["--samples", "99999"], "--samples 99999: the train split has 1437 examples"),
        ("hessian", ["--samples", "20", "--top", "9999"], "--top 9999: "),
        ("hessian", ["--samples", "20", "--layers", "fc9"], "fc9: the network has no trainable parameter"),
    ],
)
def test_commands_say_it_in_a_line(name, arguments, words, command, checkpoint):
    status, _, err = command(name, checkpoint, *arguments)
    assert status == 1
    assert words in err
    assert err.count("\n") <= 3


FORCED = """
from torch import nn

class Stubborn(nn.Sequential):
    def train(self, mode=True):
        return self

def factory():
    return nn.Sequential(nn.Flatten(), Stubborn(nn.Linear(64, 10), nn.BatchNorm1d(10)))
"""


@pytest.mark.parametrize("name", ["hessian", "sharpness", "surface"])
def test_commands_name_what_goes_on_training(name, command, tmp_path):
    code, weights = tmp_path / "stubborn.py", tmp_path / "x.pt"
    code.write_text(FORCED)
    found = {}
    exec(FORCED, found)
    torch.save(found["factory"]().state_dict(), weights)
    status, _, err = command(name, weights, "--model", f"{code}:factory", "--data", "digits", "--samples", "20")
    assert status == 1
    assert "1.1 (BatchNorm1d) normalises by the batch's own statistics" in err
    assert "let its train() and eval() pass the mode on" in err
