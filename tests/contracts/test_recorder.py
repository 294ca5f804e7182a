"""Other people's training loops: recorded, and measured by the commands that run over trajectories."""

import sys
import types

import h5py
import numpy as np
import pytest
import torch
from torch import nn

from entropy.psp.__main__ import main as psp
from entropy.psp.flags import Psp
from landscape.stability.__main__ import main as stability
from landscape.stability.flags import Stability
from landscape.surface.__main__ import main as surface
from landscape.surface.flags import Surface
from minima import BadInput, Recorder, lightning_callback, load_checkpoint, transformers_callback
from minima.store.checkpoints.trajectory import load_step, read_steps

CODE = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden, self.head = nn.Linear(3, 6), nn.Linear(6, 2)

    def forward(self, x):
        return self.head(torch.relu(self.hidden(x)))


def data():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(40, 3, generator=generator)
    y = (x[:, 0] + 0.3 * x[:, 1] > 0).long()
    return {"x_train": x, "y_train": y, "x_test": x, "y_test": y}
"""


@pytest.fixture
def project(tmp_path):
    """A file with somebody's network and data: the specs, and both as the loop has them."""
    file = tmp_path / "mine.py"
    file.write_text(CODE)
    space = {}
    exec(CODE, space)
    torch.manual_seed(0)
    arrays = space["data"]()
    return types.SimpleNamespace(
        model=space["Net"](), x=arrays["x_train"], y=arrays["y_train"], net=f"{file}:Net", data=f"{file}:data"
    )


def train(project, recorder_of, epochs=2, rate=0.2, batch=10, decay=1.0, momentum=0.5):
    """A plain loop; the weights and learning rates after each step."""
    optimizer = torch.optim.SGD(project.model.parameters(), lr=rate, momentum=momentum, weight_decay=1e-3)
    falls = torch.optim.lr_scheduler.ExponentialLR(optimizer, decay)
    weights, rates = [snapshot(project.model)], [rate]
    with recorder_of(optimizer) as recorder:
        for _ in range(epochs):
            for rows in torch.arange(len(project.x)).split(batch):
                optimizer.zero_grad()
                nn.functional.cross_entropy(project.model(project.x[rows]), project.y[rows]).backward()
                optimizer.step()
                falls.step()
                weights.append(snapshot(project.model))
                rates.append(optimizer.param_groups[0]["lr"])
                recorder.step()
            recorder.epoch()
    return weights, rates


def snapshot(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def same(first, second):
    return all(torch.equal(first[name], second[name]) for name in first)


def test_a_loop_is_recorded_and_every_command_runs_over_it(project, tmp_path):
    path = tmp_path / "x.trajectory.h5"
    told = {"training": {"batch_size": 10}, "data": project.data, "network": project.net}
    weights, rates = train(
        project,
        lambda optimizer: Recorder(path, project.model, every=4, unit="step", optimizer=optimizer, **told),
        decay=0.9,
    )
    assert read_steps(path) == [0, 4, 8]
    assert all(same(load_step(path, step).state, weights[step]) for step in (0, 4, 8))
    code = {"checkpoints": (path,), "model": project.net, "data": project.data}

    found = stability(Stability(**code, batches=4)).summary
    assert found["update"] == [0, 4, 8]
    assert found["learning_rate"] == pytest.approx([rates[step] for step in (0, 4, 8)])
    assert found["threshold"] == pytest.approx([3 / rates[step] for step in (0, 4, 8)])  # (2 + 2b) / lr
    assert found["recipe_not_told"] == [[], [], []]
    assert found["no_threshold"] == [None] * 3
    model = load_checkpoint(path, 4, model=project.net, data=project.data).model
    assert same(model.state_dict(), weights[4])

    entropies = psp(Psp(**code, out=tmp_path / "psp.h5")).summary
    assert len(entropies["network_mean"]) == 3

    torch.save(project.model.state_dict(), tmp_path / "end.pt")
    drawn = surface(
        Surface(**code | {"checkpoints": (tmp_path / "end.pt",)}, trajectory=path, directions="trajectory", grid="3x3")
    ).summary
    assert drawn["trajectory"]["moments"] == 3
    with h5py.File(tmp_path / "end.surface.h5") as file:
        distance = file["surface/trajectory_distance"][()]
    ends = [
        torch.cat([(weights[-1][name] - weights[step][name]).flatten() for name in weights[0]]) for step in (0, 4, 8)
    ]
    np.testing.assert_allclose(distance, [each.norm().item() for each in ends], rtol=1e-5)


def test_without_the_specs_the_file_says_what_to_type(project, tmp_path):
    path = tmp_path / "x.trajectory.h5"
    with Recorder(path, project.model) as recorder:
        recorder.epoch()
    with pytest.raises(BadInput, match="Add --data SPEC"):
        stability(Stability(checkpoints=(path,)))
    with pytest.raises(BadInput, match=r"--model path/to/file.py:factory"):
        stability(Stability(checkpoints=(path,), data=project.data))
    named = tmp_path / "named.trajectory.h5"
    with Recorder(named, project.model, network=project.net, data=project.data) as recorder:
        recorder.epoch()
    with pytest.raises(BadInput, match="say so with --data"):
        stability(Stability(checkpoints=(named,)))
    with pytest.raises(BadInput, match="say so with --model"):
        stability(Stability(checkpoints=(named,), data=project.data))


def test_stability_says_what_it_was_not_told(project, tmp_path, capsys):
    path = tmp_path / "x.trajectory.h5"
    with Recorder(path, project.model, training={"lr": 0.1}) as recorder:
        recorder.epoch()
    found = stability(Stability(checkpoints=(path,), model=project.net, data=project.data))
    assert found.summary["recipe_not_told"][0] == [
        *("optimiser", "momentum", "nesterov", "weight_decay", "batch_size"),
    ]
    assert found.summary["threshold"] == [None, None]
    assert found.summary["batch_sharpness"] == [None, None]
    assert found.summary["learning_rate"] == [0.1, 0.1]
    assert "not told optimiser, momentum" in found.summary["no_threshold"][0]
    assert "not told: optimiser, momentum, nesterov, weight_decay, batch_size" in found.table
    assert "was not told optimiser" in capsys.readouterr().err
    assert all(value > 0 for value in found.summary["lambda_max"])


@pytest.mark.parametrize("kind", [torch.optim.AdamW, torch.optim.RMSprop])
def test_no_threshold_of_another_optimiser(kind, project, tmp_path):
    path = tmp_path / "x.trajectory.h5"
    with Recorder(path, project.model, optimizer=kind(project.model.parameters(), lr=0.1)) as recorder:
        recorder.epoch()
    found = stability(Stability(checkpoints=(path,), model=project.net, data=project.data)).summary
    assert f"the optimiser was {kind.__name__.lower()}" in found["no_threshold"][0]


def test_nothing_half_done_takes_the_name_and_what_was_kept_is_gone_on_with(project, tmp_path):
    path, other = tmp_path / "x.trajectory.h5", tmp_path / "y.trajectory.h5"

    def stop():
        with Recorder(path, project.model, unit="step") as recorder:
            for _ in range(3):
                recorder.step()
            raise RuntimeError("the machine went down")

    with pytest.raises(RuntimeError):
        stop()
    assert not path.exists()
    with pytest.raises(BadInput, match="step 9 was not kept"):
        Recorder(path, project.model, unit="step", resume_from=9)
    with Recorder(path, project.model, unit="step", resume_from=2) as recorder:
        assert recorder.steps == 2
        project.model.head.bias.data += 1
        recorder.step()
        recorder.step()
    with Recorder(other, project.model, unit="step"):
        pass
    assert read_steps(path) == [0, 1, 2, 3, 4]
    moved = load_step(path, 3).state["head.bias"] - load_step(path, 2).state["head.bias"]
    assert moved.tolist() == pytest.approx([1, 1])
    with pytest.raises(BadInput, match="overwrite=True"):
        Recorder(path, project.model)
    with Recorder(path, project.model, overwrite=True) as recorder:
        recorder.epoch()
    assert read_steps(path) == [0, 1]
    assert {each.name for each in tmp_path.iterdir()} == {"mine.py", "x.trajectory.h5", "y.trajectory.h5"}


def test_two_recorders_do_not_write_one_file(project, tmp_path):
    with Recorder(tmp_path / "x.trajectory.h5", project.model), pytest.raises(BadInput, match="is being written"):
        Recorder(tmp_path / "x.trajectory.h5", project.model)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"every": 0}, "expected 1 or more"),
        ({"unit": "batch"}, "'epoch' or 'step'"),
        ({"training": {"learning_rate": 1}}, "known are optimiser, lr"),
        ({"training": {"lr": -1}}, "at least 0"),
        ({"data": "digitz"}, "there is no such data"),
        ({"loss": "l2"}, "there is no loss named"),
    ],
)
def test_what_means_nothing_is_refused_before_a_file_is_there(options, words, project, tmp_path):
    with pytest.raises(BadInput, match=words):
        Recorder(tmp_path / "x.trajectory.h5", project.model, **options)
    assert {each.name for each in tmp_path.iterdir()} == {"mine.py"}


def test_a_pruned_network_is_recorded_with_its_masks(project, tmp_path):
    torch.nn.utils.prune.l1_unstructured(project.model.hidden, "weight", amount=0.5)
    kept = project.model.hidden.weight_mask.bool()
    with Recorder(tmp_path / "x.trajectory.h5", project.model) as recorder:
        recorder.epoch()
    found = load_step(tmp_path / "x.trajectory.h5", 1)
    assert torch.equal(found.masks["hidden.weight"], kept)
    assert "hidden.weight" in found.state
    subject = load_checkpoint(tmp_path / "x.trajectory.h5", 1, model=project.net, data=project.data)
    assert torch.equal(subject.masks["hidden.weight"], kept)


def test_transformers_trainer_callback(project, tmp_path):
    transformers = pytest.importorskip("transformers")
    callback = transformers_callback(tmp_path / "x.trajectory.h5", every=2, unit="step")
    assert isinstance(callback, transformers.TrainerCallback)
    optimizer = torch.optim.SGD(project.model.parameters(), lr=0.1)
    handler = transformers.trainer_callback.CallbackHandler([callback], project.model, None, optimizer, None)
    args = types.SimpleNamespace(train_batch_size=4, gradient_accumulation_steps=2, world_size=1)
    state, control = transformers.TrainerState(), transformers.TrainerControl()
    handler.on_train_begin(args, state, control)
    for _ in range(4):
        handler.on_step_end(args, state, control)
    handler.on_epoch_end(args, state, control)
    handler.on_train_end(args, state, control)
    assert read_steps(tmp_path / "x.trajectory.h5") == [0, 2, 4]
    training = load_step(tmp_path / "x.trajectory.h5", 4).training
    assert training["recorded"]["batch_size"] == 8
    assert training["moment"] == {"epochs": 0.0, "update": 4.0, "learning_rate": pytest.approx(0.1)}


def test_lightning_callback_against_a_stand_in(project, tmp_path, monkeypatch):
    """Lightning does not come with the tests: a module of its names, whose trainer accumulates two batches."""
    package, module = types.ModuleType("lightning"), types.ModuleType("lightning.pytorch")
    module.Callback = type("Callback", (), {})
    monkeypatch.setitem(sys.modules, "lightning", package)
    monkeypatch.setitem(sys.modules, "lightning.pytorch", module)
    callback = lightning_callback(tmp_path / "x.trajectory.h5", unit="step")
    optimizer = torch.optim.SGD(project.model.parameters(), lr=0.1, momentum=0.9)
    trainer = types.SimpleNamespace(optimizers=[optimizer], is_global_zero=True, global_step=0)
    callback.on_train_start(trainer, project.model)
    for batch in range(1, 5):
        trainer.global_step = batch // 2
        callback.on_train_batch_end(trainer, project.model, None, None, batch)
    callback.on_train_epoch_end(trainer, project.model)
    callback.on_train_end(trainer, project.model)
    assert isinstance(callback, module.Callback)
    assert read_steps(tmp_path / "x.trajectory.h5") == [0, 1, 2]
    assert load_step(tmp_path / "x.trajectory.h5", 1).training["recorded"]["momentum"] == 0.9


def test_a_library_that_is_missing_is_named(monkeypatch, tmp_path):
    for name in ("lightning", "lightning.pytorch", "pytorch_lightning"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(BadInput, match="pip install lightning"):
        lightning_callback(tmp_path / "x.trajectory.h5")


@pytest.mark.parametrize("other", [{"dampening": 0.5}, {"maximize": True}])
def test_another_sgd_has_no_threshold_of_plain_sgd(project, tmp_path, other):
    path = tmp_path / "x.trajectory.h5"
    optimizer = torch.optim.SGD(project.model.parameters(), lr=0.1, momentum=0.5, **other)
    with Recorder(path, project.model, optimizer=optimizer, training={"batch_size": 10}) as recorder:
        recorder.epoch()
    found = stability(Stability(checkpoints=(path,), model=project.net, data=project.data, batches=2)).summary
    assert found["threshold"] == [None, None]
    assert f"sgd with {next(iter(other))}" in found["no_threshold"][0]
