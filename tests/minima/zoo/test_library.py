"""Networks of torchvision and timm, by stand-ins for the two libraries: built for the data, named by the user alone."""

import sys
from dataclasses import replace
from types import ModuleType

import pytest
import torch
from torch import nn

from minima.store.checkpoints.checkpoint import save
from minima.store.command import BadInput
from minima.zoo.subject.subject import load_subject


def network(classes, channels=1):
    return nn.Sequential(nn.Conv2d(channels, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(72, classes))


@pytest.fixture(autouse=True)
def calls(monkeypatch):
    """Both libraries where neither is installed; what they were asked to build."""
    asked = []

    def get_model(name, *, weights, num_classes):
        asked.append((name, weights, num_classes))
        if name == "fragile":
            raise ValueError("it wants larger images")
        return network(num_classes)

    def create_model(name, *, pretrained, num_classes, in_chans):
        asked.append((name, pretrained, num_classes, in_chans))
        return network(num_classes, in_chans)

    torchvision, timm = ModuleType("torchvision"), ModuleType("timm")
    torchvision.models = ModuleType("torchvision.models")
    torchvision.models.get_model, timm.create_model = get_model, create_model
    torchvision.models.list_models = timm.list_models = lambda: ["resnet18", "resnet34", "fragile"]
    monkeypatch.setitem(sys.modules, "torchvision", torchvision)
    monkeypatch.setitem(sys.modules, "timm", timm)
    return asked


@pytest.fixture
def theirs(tmp_path):
    torch.manual_seed(0)
    torch.save({"state_dict": network(10).state_dict()}, tmp_path / "theirs.pt")
    return tmp_path / "theirs.pt"


@pytest.mark.parametrize(
    ("spec", "call"),
    [
        ("torchvision:resnet18", ("resnet18", None, 10)),
        ("timm:resnet34", ("resnet34", False, 10, 1)),
        ("timm:resnet18.a1_in1k", ("resnet18.a1_in1k", False, 10, 1)),
    ],
)
def test_a_librarys_network_is_built_for_the_data_and_gets_the_weights(theirs, calls, spec, call):
    subject = load_subject(theirs, model=spec, data="digits")
    assert calls == [call]
    stored = torch.load(theirs)["state_dict"]
    assert all(torch.equal(value, stored[name]) for name, value in subject.model.state_dict().items())


def test_a_checkpoint_that_names_a_library_does_not_run_it(checkpoint, calls, tmp_path):
    save(replace(checkpoint, model=checkpoint.model | {"name": "timm:resnet18"}), tmp_path / "x.pt")
    with pytest.raises(BadInput, match="--model timm:resnet18"):
        load_subject(tmp_path / "x.pt")
    assert not calls


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("torchvision:resnet19", "torchvision has no network named 'resnet19'. It has: resnet18"),
        ("timm:hf-hub:someone/resnet18", "timm has no network named"),
        ("timm:", "timm has no network named ''. It has: 3 others"),
        ("torchvision:fragile", "could not build it: ValueError: it wants larger images"),
    ],
)
def test_what_a_library_lacks_or_cannot_build_is_said(theirs, spec, said):
    with pytest.raises(BadInput, match=said):
        load_subject(theirs, model=spec, data="digits")


@pytest.mark.parametrize("error", ["ImportError", "RuntimeError", "OSError"])
def test_a_library_that_cannot_be_imported_names_the_extra(theirs, tmp_path, monkeypatch, error):
    """torchvision raises a RuntimeError beside a torch of another build."""
    monkeypatch.delitem(sys.modules, "torchvision")
    (tmp_path / "torchvision.py").write_text(f"raise {error}('operator torchvision::nms does not exist')\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(BadInput, match=r"(?s)nms does not exist.*\[vision\]") as refused:
        load_subject(theirs, model="torchvision:resnet18", data="digits")
    assert str(refused.value).count("\n") <= 2
