"""A small checkpoint of ours, made without a subprocess."""

import pytest

from minima.store.checkpoints.checkpoint import Checkpoint, save
from minima.zoo.architecture.architecture import describe, initialise, parse_architecture
from minima.zoo.data.specs import resolve_data


@pytest.fixture
def checkpoint():
    model = describe(parse_architecture("lenet5:filters=3x4,units=6"), (1, 8, 8), 10)
    return Checkpoint(model=model, data=resolve_data("digits"), state=initialise(model, 0).state_dict())


@pytest.fixture
def checkpoint_file(checkpoint, tmp_path):
    save(checkpoint, tmp_path / "ours.pt")
    return tmp_path / "ours.pt"
