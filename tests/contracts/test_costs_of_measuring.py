"""Every measuring command tells what it took, takes --memory, and keeps both out of what is compared."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import pytest

from minima.store.checkpoints.checkpoint import Checkpoint, save
from minima.store.command import BadInput, Report
from minima.zoo.architecture.architecture import describe, initialise, parse_architecture
from minima.zoo.data.specs import resolve_data
from minima.zoo.measuring.flags import Measuring

ROOT = Path(__file__).parents[2]
FEW: dict[str, dict[str, Any]] = {
    "landscape.hessian": {"top": 1, "samples": 40},
    "landscape.sharpness": {"measures": "lambda_max", "samples": 40},
    "landscape.surface": {"grid": "3", "samples": 40, "compile": "off"},
    "landscape.path": {"points": 3, "samples": 40},
    "entropy.psp": {"samples": 40},
    "entropy.layers": {"samples": 40},
    "entropy.transfer": {"to": "digits:classes=0-1", "samples": 40, "epochs": 0},
    "pruning.masks": {},
    "pruning.criteria": {},
    "pruning.coded": {"bits": (4,)},
    "pruning.robustness": {"samples": 40, "trials": "fgsm"},
}
"""commands that any checkpoint is enough for"""
DERIVATIVES = {"landscape.hessian", "landscape.sharpness"}
SPECIAL = {"pruning.collapse", "landscape.stability", "landscape.survivors"}
SPECIAL |= {"landscape.instability", "landscape.successive", "pruning.equilibrium"}
"""need a trajectory, a parent, methods or a training of their kind; they go through the same door"""


@pytest.fixture
def net(tmp_path: Path) -> Path:
    entry, path = describe(parse_architecture("mlp:hidden=8"), (1, 8, 8), 10), tmp_path / "net.pt"
    save(Checkpoint(model=entry, data=resolve_data("digits"), state=initialise(entry, 0).state_dict(), seed=0), path)
    return path


def flags_of(name: str) -> type[Any]:
    module = importlib.import_module(f"{name}.__main__")
    if hasattr(module, "flags"):
        return module.flags()  # type: ignore[no-any-return]
    return next(each for each in vars(module).values() if isinstance(each, type) and issubclass(each, Measuring))


def main_of(name: str) -> Callable[[Any], Report]:
    return importlib.import_module(f"{name}.__main__").main  # type: ignore[no-any-return]


def measured(name: str, net: Path, **more: Any) -> dict[str, Any]:
    checkpoints = (net, net) if name == "landscape.path" else (net,)
    return main_of(name)(flags_of(name)(checkpoints=checkpoints, **(FEW[name] | more))).summary


def test_all_commands_are_known() -> None:
    rooms = [path for package in ("landscape", "entropy", "pruning") for path in (ROOT / package).iterdir()]
    entries = [room / "__main__.py" for room in rooms if (room / "__main__.py").is_file()]
    found = {f"{path.parts[-3]}.{path.parts[-2]}" for path in entries if "import measure_" in path.read_text()}
    assert found == set(FEW) | SPECIAL


@pytest.mark.parametrize("name", FEW)
def test_what_it_took_is_told_and_compared_with_nothing(name: str, net: Path) -> None:
    summary = measured(name, net)
    assert 0 <= summary["memory_gib"] < 1
    passes = summary.get("forward_backward_passes")
    assert (passes is not None and passes > 3) if name in DERIVATIVES else passes is None or passes > 0
    with h5py.File(summary["out"]) as file:
        (own,), (clock,) = json.loads(file.attrs["summary"]), json.loads(file["clock"].attrs["summary"])
        assert not {"memory_gib", "forward_backward_passes"} & set(own)
        assert clock["memory_gib"] == summary["memory_gib"]


@pytest.mark.parametrize("name", FEW)
def test_memory_is_an_amount(name: str, net: Path) -> None:
    with pytest.raises(BadInput, match="--memory -1"):
        measured(name, net, memory=-1.0)


def test_passes_are_those_that_were_made(net: Path) -> None:
    """Of a gradient and two products beside it: the number of the contract is that of examples that went through."""
    import torch

    from landscape.objective.objective import Objective
    from minima.zoo.examples.spending import spending

    objective = Objective(torch.nn.Linear(3, 2), torch.randn(20, 3), torch.arange(20) % 2, batch_size=7)
    objective.gradient()  # with the check of derivatives before the first
    with spending() as spent:
        objective.gradient()
    assert spent.examples == 20
    objective.hvp(objective.point)
    with spending() as spent:
        objective.hvp(torch.stack([objective.point] * 3))  # through graphs that are kept
    assert spent.examples == 60
    with spending() as spent:
        objective.hvp(objective.point, torch.zeros_like(objective.point))
    assert spent.examples == 40
