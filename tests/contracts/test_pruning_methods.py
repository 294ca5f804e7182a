"""One battery over every registered pruning method; and a new method is one file, no edit, and passes the battery."""

import subprocess
import sys
from dataclasses import fields, make_dataclass
from pathlib import Path

import pytest
from oracles.pruning_battery import CHECKS

import pruning.methods
from minima.zoo.training.recipe import Recipe
from pruning.composition.method import methods
from pruning.methods.sr_ste import SrSte

NEW = {
    "steepest": '''
"""A method that starts at initialisation and scores by gradients."""
from dataclasses import dataclass
from typing import ClassVar
from pruning.composition.composition import Composition
from pruning.composition.method import Method
from pruning.schedules.one_shot import OneShot
from pruning.context.starts import FromEpoch

@dataclass(frozen=True)
class Steepness:
    def score(self, context):
        import torch
        from torch.nn.functional import cross_entropy
        from minima.zoo.examples.evaluation import evaluating
        x, y = context.x[:context.batch_size], context.y[:context.batch_size]
        with evaluating(context.model):
            loss = cross_entropy(context.model(x), y)
            gradients = torch.autograd.grad(loss, list(context.weights.values()))
        pairs = zip(context.weights.items(), gradients)
        return {name: (weight * gradient).abs().detach() for (name, weight), gradient in pairs}

@dataclass(frozen=True)
class Steepest(Method):
    """Least |w dL/dw| of the first mini-batch, in file order."""
    name: ClassVar[str] = "steepest"
    phase: ClassVar = "before training"
    summary: ClassVar[str] = "steepness at initialisation"
    paper: ClassVar[str] = "-"

    def composition(self):
        return Composition(scorer=Steepness(), schedule=OneShot(), start=FromEpoch(0))
''',
    "lightest": '''
"""A method that removes whole units by a criterion of its own."""
from dataclasses import dataclass
from typing import ClassVar
from pruning.composition.composition import Composition
from pruning.composition.method import Method
from pruning.context.starts import FromEpoch
from pruning.schedules.one_shot import OneShot
from pruning.scopes.each_layer import EachLayer
from pruning.spaces.units import Units

@dataclass(frozen=True)
class Reading:
    of: ClassVar = "units"

    def score(self, context):
        import torch
        parameters, scores = dict(context.model.named_parameters()), {}
        for group in context.space.groups:
            total = 0
            for (name, axis), places in group.read.items():
                columns = parameters[name].detach().movedim(axis, 0).flatten(1).abs().sum(1)
                total = total + columns[torch.as_tensor(places)].sum(1)
            scores[group.name] = total
        return scores

@dataclass(frozen=True)
class Lightest(Method):
    """Units whose values are read with the least weight."""
    name: ClassVar[str] = "lightest"
    phase: ClassVar = "before training"
    summary: ClassVar[str] = "units that are read with the least weight"
    paper: ClassVar[str] = "-"

    def composition(self):
        return Composition(
            scorer=Reading(), schedule=OneShot(), scope=EachLayer(), space=Units(), start=FromEpoch(0)
        )
''',
    "wander": '''
"""Weights move at constant density."""
from dataclasses import dataclass
from typing import ClassVar
from pruning.composition.composition import Composition
from pruning.composition.method import Method
from pruning.schedules.event import Event
from pruning.scopes.each_layer import EachLayer
from pruning.scorers.magnitude import Magnitude
from pruning.selection.ranking import keep_highest
from pruning.context.starts import FromEpoch

@dataclass(frozen=True)
class OnceThenEveryEpoch:
    gradual: ClassVar[bool] = False

    def events(self, span):
        return [Event(epoch * span.steps_per_epoch, span.final) for epoch in range(span.epochs)]

@dataclass(frozen=True)
class LargestGradients:
    fraction: float

    def regrow(self, context, masks):
        import torch
        from torch.nn.functional import cross_entropy
        from minima.zoo.examples.evaluation import evaluating
        x, y = context.x[:context.batch_size], context.y[:context.batch_size]
        with evaluating(context.model):
            gradients = torch.autograd.grad(cross_entropy(context.model(x), y), list(context.weights.values()))
        grown = {}
        for (name, weight), gradient in zip(context.weights.items(), gradients):
            mask, alive = masks[name], int(masks[name].sum())
            moved = min(int(self.fraction * alive), mask.numel() - alive)
            stays = keep_highest({name: weight.detach().abs()}, {name: mask}, [((name,), alive - moved)])[name]
            comes = keep_highest({name: gradient.abs()}, {name: ~mask}, [((name,), moved)])[name]
            grown[name] = stays | comes
        return grown

@dataclass(frozen=True)
class Wander(Method):
    """Drop the smallest, grow where gradients are largest."""
    name: ClassVar[str] = "wander"
    phase: ClassVar = "during training"
    summary: ClassVar[str] = "smallest weights make room for those with the largest gradients"
    paper: ClassVar[str] = "-"
    fraction: float = 0.3
    """moved at each event"""

    def composition(self):
        return Composition(
            scorer=Magnitude(), schedule=OnceThenEveryEpoch(), scope=EachLayer(),
            regrow=LargestGradients(self.fraction), start=FromEpoch(0),
        )
''',
}


# the convolution of the battery's network has one input channel, which falls into no blocks
NARROW = {"sr-ste": make_dataclass("NarrowSrSte", [("dense", tuple, ("conv",))], bases=(SrSte,), frozen=True)}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
@pytest.mark.parametrize("name", methods())
def test_registered_method(name, check):
    check(NARROW.get(name, methods()[name]))


@pytest.fixture
def extended(tmp_path, monkeypatch):
    """The registry with a folder of new files in it."""
    for name, source in NEW.items():
        (tmp_path / f"{name}.py").write_text(source)
    monkeypatch.setattr(pruning.methods, "__path__", [*pruning.methods.__path__, str(tmp_path)])
    yield methods()
    for name in NEW:
        sys.modules.pop(f"pruning.methods.{name}", None)
        vars(pruning.methods).pop(name, None)


@pytest.mark.parametrize("name", NEW)
def test_a_new_method_is_one_file(extended, name):
    for check in CHECKS:
        check(extended[name])


def test_a_moving_mask_really_moves(extended):
    from oracles.pruning_battery import Run

    run = Run(extended["wander"]().composition())
    first, last = run.moments[0][0], run.moments[-1][0]
    assert any((last[name] & ~first[name]).any() for name in first)


@pytest.mark.parametrize("name", methods())
def test_the_help_of_a_method_explains_every_flag_without_torch(name):
    code = (
        f"import sys, runpy; sys.argv = ['pruning', '{name}', '--help']\n"
        "try: runpy.run_module('pruning', run_name='__main__', alter_sys=True)\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "assert not {'torch', 'h5py', 'scipy', 'sklearn'} & set(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=Path(__file__).parents[2]
    )
    said = " ".join(done.stdout.replace("│", " ").split())
    assert "--weight-decay" in said
    assert "L2 penalty added to the gradient" in said
    assert "default: None" not in said
    for flag in fields(Recipe):
        assert f"--{flag.name.replace('_', '-')}" in said


def test_methods_and_their_list_answer_without_torch():
    code = (
        "import sys; from pruning.composition.method import methods\n"
        "from pruning.running.arguments import arguments_of\n"
        "for method in methods().values(): arguments_of(method); method().composition().describe()\n"
        "assert not {'torch', 'h5py', 'scipy', 'sklearn'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
