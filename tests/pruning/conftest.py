"""A small trained parent on the bundled digits, and the pruning command without a new process."""

import pytest
import torch
from hypothesis import settings

from minima.store.checkpoints.checkpoint import Checkpoint, save

settings.register_profile("no-deadline", deadline=None)  # a busy machine is not a failure
settings.load_profile("no-deadline")

RECIPE = {"lr": 0.1, "momentum": 0.9, "batch_size": 50, "schedule": "step", "milestones": (0.6,)}


@pytest.fixture(scope="session")
def dense(tmp_path_factory):
    """The file of an MLP with 12 hidden units, trained for 4 epochs, with the weights of epochs 0 and 1."""
    from minima.zoo.architecture.architecture import describe, initialise, parse_architecture
    from minima.zoo.data.specs import load_data, resolve_data
    from minima.zoo.data.splits import make_splits
    from minima.zoo.training.loop import Trainer
    from minima.zoo.training.plan import Plan
    from minima.zoo.training.recipe import Recipe

    data = resolve_data("digits")
    model = describe(parse_architecture("mlp:hidden=12"), (1, 8, 8), 10)
    plan = Plan(Recipe(**RECIPE), epochs=4, validation=0.1, split_seed=0, order_seed=3)
    splits = make_splits(load_data(data), plan.validation, plan.split_seed, torch.device("cpu"))
    network = initialise(model, 0)
    trainer = Trainer(network, *splits.train, plan.recipe, epochs=plan.epochs, order_seed=plan.order_seed)
    weights_at = {0: trainer.state_dict()["model"]}
    trainer.run_epoch()
    weights_at[1] = trainer.state_dict()["model"]
    trainer.advance(3 * trainer.steps_per_epoch)
    checkpoint = Checkpoint(
        model=model,
        data=data,
        state=network.state_dict(),
        weights_at=weights_at,
        training=plan.stored(),
        metrics=splits.metrics(network),
    )
    path = tmp_path_factory.mktemp("dense") / "dense.pt"
    save(checkpoint, path)
    return path


@pytest.fixture
def prune():
    """prune(method, checkpoint, "--flag", value, ...) -> the report's JSON object."""
    import tyro

    from pruning.composition.method import methods
    from pruning.running.arguments import arguments_of
    from pruning.running.command import main

    def call(method, *words):
        return main(tyro.cli(arguments_of(methods()[method]), args=[str(word) for word in words])).summary

    return call


@pytest.fixture
def figure_of(monkeypatch):
    """Draw a figure of a file without writing it: matplotlib's figure."""
    import importlib
    from pathlib import Path

    def draw(name, file):
        kept = []
        module = importlib.import_module(f"figures.{name}")
        monkeypatch.setattr(module, "save", lambda figure, _: kept.append(figure) or [])
        module.draw([file], Path("nowhere"))
        return kept[0]

    return draw
