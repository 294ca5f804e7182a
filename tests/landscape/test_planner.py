"""The planner: it keeps the fastest way that agrees, spends little, and a resumed run does not choose again."""

from __future__ import annotations

import time
from dataclasses import replace

import h5py
import pytest
import torch
from torch import nn

from landscape.objective.objective import Objective
from landscape.passes.compiler import NoCompiler
from landscape.passes.forward import Forward
from landscape.passes.pass_plan import PassPlan
from landscape.surface import planner
from landscape.surface.trial import Trial
from minima.store.hdf5.results import same_content


def small() -> Objective:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 10)).eval()
    return Objective(model, torch.randn(64, 1, 8, 8), torch.arange(64) % 10, batch_size=32)


def paced(monkeypatch: pytest.MonkeyPatch, rates: dict[str, float]) -> list[PassPlan]:
    """Seconds an example takes in each form, instead of a clock; the plans that were timed."""
    timed = []

    def rate(_: Trial, plan: PassPlan) -> float:
        timed.append(plan)
        return rates.get(plan.form, 1.0) / plan.chunk**0.1

    monkeypatch.setattr(Trial, "rate", rate)
    return timed


def test_the_fastest_form_and_chunk_win(monkeypatch: pytest.MonkeyPatch) -> None:
    paced(monkeypatch, {"folded": 0.7, "fused": 0.9})
    chosen = planner.choose(small(), None, passes=1000, compiling="off")
    assert (chosen.form, chosen.chunk) == ("folded", 64)  # of 16, 32, 64: larger chunks are faster here
    assert planner.choose(small(), None, 1000, "off", chunk=32).chunk == 32


def test_what_does_not_agree_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    paced(monkeypatch, {"folded": 0.1, "fused": 0.5})
    at = Forward.at

    def wrong(self: Forward, weights: object, plan: PassPlan | None) -> object:
        outputs = at(self, weights, plan)
        return (lambda x: 1.001 * outputs(x)) if plan is not None and plan.form == "folded" else outputs

    monkeypatch.setattr(Forward, "at", wrong)
    assert planner.choose(small(), None, 1000, "off").form == "fused"


def test_tiny_work_has_no_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    timed = paced(monkeypatch, {"folded module": 1e-5})
    objective = small()
    assert planner.choose(objective, None, 1, "auto") == PassPlan("folded module", 32, torch.get_num_threads())
    assert len(timed) == 1


def test_when_time_is_up_what_is_untried_is_left_out() -> None:
    trial = Trial(small(), None)
    first = PassPlan("folded module", 32, 1)
    trial.allow(0.0)
    start = time.perf_counter()
    assert trial.fastest([first, *(replace(first, form=form) for form in ("traced", "folded", "fused"))]) == first
    assert time.perf_counter() - start < 0.1


@pytest.mark.parametrize(
    ("compiling", "rate", "asked"), [("off", 1, 0), ("auto", 1e-3, 0), ("auto", 1, 1), ("on", 1, 1)]
)
def test_compiled_where_it_pays_or_is_asked_for(
    compiling: planner.Compile, rate: float, asked: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    paced(monkeypatch, dict.fromkeys(("module", "folded module", "traced", "folded", "fused"), rate))
    possible, tried = Forward.possible, []

    def no_compiler(self: Forward, plan: PassPlan, *inputs: torch.Tensor) -> bool:
        if plan.form == "compiled":
            tried.append(plan)
            raise NoCompiler("there is no g++")
        return possible(self, plan, *inputs)

    monkeypatch.setattr(Forward, "possible", no_compiler)
    assert planner.choose(small(), None, 1000, compiling).form != "compiled"
    assert len(tried) == asked
    assert ("nothing is compiled: there is no g++" in capsys.readouterr().err) == bool(asked)


def test_a_run_that_goes_on_computes_as_it_began(command, checkpoint, tmp_path, monkeypatch):
    arguments = ["surface", checkpoint, "--grid", "5x3", "--samples", "50"]
    ways = iter([PassPlan("traced", 7, 1), PassPlan("traced", 7, 1), PassPlan("module", 50, 1)])
    monkeypatch.setattr(planner, "choose", lambda *_: next(ways))
    command(*arguments, "-o", tmp_path / "whole.h5")
    evaluate, calls = Objective.evaluate, []

    def stopping(self, displacement=None):
        calls.append(1)
        if len(calls) == 8:
            raise KeyboardInterrupt
        return evaluate(self, displacement)

    monkeypatch.setattr(Objective, "evaluate", stopping)
    assert command(*arguments, "-o", tmp_path / "stopped.h5")[0] == 130
    status, found, said = command(*arguments, "-o", tmp_path / "stopped.h5")
    assert (status, found["plan"]) == (0, "traced, 7 examples at once, 1 thread(s)")
    assert "passes are traced, 7 examples at once" in said
    assert same_content(tmp_path / "whole.h5", tmp_path / "stopped.h5")
    assert next(ways).form == "module"  # nobody asked for it
    with h5py.File(tmp_path / "stopped.h5") as file:
        assert file["surface"].attrs["plan"] == found["plan"]
    assert found["compile_seconds"] == 0 < found["seconds"]


def test_a_plan_may_be_said(command, checkpoint, tmp_path):
    arguments = ["surface", checkpoint, "--grid", "5x3", "--samples", "50"]
    said = str(PassPlan("traced", 7, 1))
    for name in ("first", "second"):
        _, found, _ = command(*arguments, "--plan", said, "-o", tmp_path / f"{name}.h5")
        assert found["plan"] == said
    assert same_content(tmp_path / "first.h5", tmp_path / "second.h5")
    status, _, words = command(*arguments, "--plan", "fastest", "-o", tmp_path / "third.h5")
    assert status == 1
    assert "--plan 'fastest': expected what `plan` in a result says" in words
