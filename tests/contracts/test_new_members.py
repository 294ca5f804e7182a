"""A further member of a registry is one new file: its battery, its help text and its table take it without an edit."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest
from forks.python import python

ROOT = Path(__file__).parents[2]


class Member(NamedTuple):
    """A file that is not there, and where it is looked for."""

    package: str
    """the registry"""
    source: str
    name: str
    battery: str | None
    """None: it brings new files of its own"""
    help: tuple[str, ...]
    """the command whose help text or list names it"""
    line: tuple[str, ...] = ()
    """a command whose table shows it; none for what is in no table"""
    said: str = ""
    """there"""


MEMBERS = {
    "measure": Member(
        "landscape.sharpness.measures",
        '''
"""The squared norm of the mean gradient."""
from dataclasses import dataclass
from typing import ClassVar
from landscape.sharpness.measure import Invariant, Measure, Measured

@dataclass(frozen=True)
class GradientSquare(Measure):
    """The squared norm of the mean gradient, ||g||^2."""
    name: ClassVar[str] = "gradient_square"
    invariant: ClassVar[Invariant] = "none"
    units: ClassVar[str] = "nat^2"
    meaning: ClassVar[str] = "squared norm of the gradient"
    times: float = 1.0
    """factor of it"""

    def measure(self, objective, seed):
        _, gradient = objective.loss_and_gradient()
        return Measured(self.times * gradient.square().sum().item())
''',
        "gradient_square",
        "tests/landscape/test_measure_battery.py",
        ("landscape.sharpness", "--help"),
        ("landscape.sharpness", "net.pt", "--samples", "40", "--measures", "gradient_square", "-o", "gradient.h5"),
        "squared norm of the gradient",
    ),
    "operator": Member(
        "landscape.spectrum.operators",
        '''
"""The mean of J^T J."""
from dataclasses import dataclass
from typing import ClassVar
from landscape.spectrum.operator import Operator

@dataclass(frozen=True)
class SquaredJacobian(Operator):
    """(1/N) sum_i J_i^T J_i, J_i being the Jacobian of the outputs of an example."""
    name: ClassVar[str] = "squared-jacobian"
    title: ClassVar[str] = "squared Jacobian"

    def product(self, objective, seed=0):
        from landscape.spectrum.sandwich import sandwich
        return lambda vectors: sandwich(objective, vectors, lambda outputs, at: lambda tangents: tangents)
''',
        "squared-jacobian",
        "tests/contracts/test_operators.py",
        ("landscape.hessian", "--help"),
        ("landscape.hessian", "net.pt", "--samples", "40", "--top", "1", "--operator", "squared-jacobian"),
        "squared Jacobian",
    ),
    "loss": Member(
        "minima.zoo.losses.named",
        '''
"""A loss that grows more slowly than squares."""
from dataclasses import dataclass
from typing import ClassVar
from minima.zoo.losses.loss import Terms
from minima.zoo.losses.named.one_hot_mse import OneHotMeanSquaredError

@dataclass(frozen=True)
class LogSquares(OneHotMeanSquaredError):
    """s_i = log(1 + mean over an example's outputs of (z - e_y)^2)."""
    name: ClassVar[str] = "log-squares"
    summary: ClassVar[str] = "log of 1 + squared differences from 1 at the class, 0 elsewhere"

    def terms(self, outputs, targets):
        return Terms(super().terms(outputs, targets).sums.log1p(), None)
''',
        "log-squares",
        "tests/minima/zoo/losses/test_losses.py",
        ("landscape.sharpness", "--help"),
        (
            "landscape.sharpness",
            "net.pt",
            "--samples",
            "40",
            "--measures",
            "trace",
            "--loss",
            "log-squares",
            "-o",
            "loss.h5",
        ),
        "(log-squares)",
    ),
    "dataset": Member(
        "minima.zoo.data.datasets",
        '''
"""Points of two classes."""
from dataclasses import dataclass
from typing import ClassVar
from minima.zoo.data.dataset import Source

@dataclass(frozen=True)
class Halves(Source):
    """Points of the plane in two classes, by the sign of their sum."""
    name: ClassVar[str] = "two-halves"

    def read(self, root):
        import numpy as np
        x = np.random.default_rng(0).normal(size=(60, 1, 8, 8)).astype(np.float32)
        y = (x.sum((1, 2, 3)) > 0).astype(np.int64)
        return {"x_train": x[:40], "y_train": y[:40], "x_test": x[40:], "y_test": y[40:]}
''',
        "two-halves",
        "tests/contracts/test_datasets.py",
        ("minima.train", "--help"),
        ("minima.train", "--data", "two-halves", "--model", "mlp:hidden=4", "--epochs", "1", "-o", "halves.pt"),
        "halves.pt",
    ),
    "pruning method": Member(
        "pruning.methods",
        '''
"""Magnitudes of every layer by themselves."""
from dataclasses import dataclass
from typing import ClassVar
from pruning.composition.composition import Composition
from pruning.composition.method import Method
from pruning.schedules.one_shot import OneShot
from pruning.scopes.each_layer import EachLayer
from pruning.scorers.magnitude import Magnitude

@dataclass(frozen=True)
class Uniform(Method):
    """Remove the same fraction of every layer's weights, the smallest first, at once."""
    name: ClassVar[str] = "uniform"
    phase: ClassVar = "after training"
    summary: ClassVar[str] = "smallest weights of every layer at once"
    paper: ClassVar[str] = "Han et al. 2015"

    def composition(self):
        return Composition(scorer=Magnitude(), schedule=OneShot(), scope=EachLayer())
''',
        "uniform",
        None,
        ("pruning", "list"),
        ("pruning", "uniform", "net.pt", "--sparsity", "0.5", "--epochs", "0", "-o", "uniform.pt"),
        "uniform.pt",
    ),
    "figure": Member(
        "figures",
        '''
"""Loss by itself."""
from figures.drawing.reads import Reads
READS = Reads(measure="sharpness", arrays=("loss",))

def draw(inputs, out):
    file = out.with_name(out.name + ".svg")
    file.write_text("<svg/>")
    return [file]
''',
        "loss_alone",
        None,
        ("figures", "list"),
        ("figures", "net.sharpness.h5", "-o", "fig"),
        "loss_alone",
    ),
    "network": Member(
        "minima.zoo.architecture.models",
        '''
"""Two linear layers."""
from dataclasses import dataclass
from typing import ClassVar
from minima.zoo.architecture.architecture import Architecture

@dataclass(frozen=True)
class Bottleneck(Architecture):
    """Two linear layers with a rectifier between them."""
    name: ClassVar[str] = "bottleneck"
    width: int = 5
    """units in between"""

    def build(self, input_shape, classes):
        from math import prod
        from torch import nn
        first, second = nn.Linear(prod(input_shape), self.width), nn.Linear(self.width, classes)
        return nn.Sequential(nn.Flatten(), first, nn.ReLU(), second)
''',
        "bottleneck",
        "tests/contracts/test_networks.py",
        ("minima.train", "--help"),
        ("minima.train", "--data", "digits", "--model", "bottleneck:width=4", "--epochs", "1", "-o", "small.pt"),
        "small.pt",
    ),
    "map over a surface": Member(
        "landscape.surface.fields",
        '''
"""How far a point is away."""
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar
from landscape.surface.field import Field, Map

@dataclass(frozen=True)
class Distance(Field):
    """The distance of a point from the network."""
    name: ClassVar[str] = "distance"
    maps: ClassVar[Sequence[Map]] = (Map("map_distance", "1", "distance from the network"),)

    def values(self, point):
        return {"map_distance": point.displacement.norm().item()}
''',
        "distance",
        "tests/landscape/test_fields.py",
        ("landscape.surface", "--help"),
    ),
    "curve": Member(
        "landscape.path.curves",
        '''
"""A curve of the third degree."""
from dataclasses import dataclass
from typing import ClassVar
from landscape.path.curve import Curve

@dataclass(frozen=True)
class Cubic(Curve):
    """A Bezier curve whose bend counts twice."""
    name: ClassVar[str] = "cubic"
    formula: ClassVar[str] = "(1 - t)^3 A + 3 t (1 - t) C + t^3 B"

    def shares(self, t):
        return (1 - t) ** 3, 3 * t * (1 - t), t**3
''',
        "cubic",
        "tests/landscape/test_connection.py",
        ("landscape.path", "--help"),
    ),
    "estimator": Member(
        "entropy.layers.estimators",
        '''
"""Entropy of the neurons that are off at least once."""
from dataclasses import dataclass
from typing import ClassVar
from entropy.layers.estimator import Estimator

@dataclass(frozen=True)
class OffOnce(Estimator):
    """ON is a positive potential; mean over the neurons that are not always ON."""
    name: ClassVar[str] = "off-once"
    paper: ClassVar[str] = "none"
    meaning: ClassVar[str] = "mean over the neurons that are OFF at least once"
    published_clamp: ClassVar[float] = 1e-5

    def states(self, signs):
        return signs.positive, signs.observed

    def averaged(self, signs):
        return ~self.always_on(signs)
''',
        "off-once",
        "tests/entropy/test_estimators.py",
        ("entropy.layers", "--help"),
        ("entropy.layers", "net.pt", "--samples", "40", "--estimator", "off-once", "-o", "once.h5"),
        "OFF at least once",
    ),
    "trial of robustness": Member(
        "pruning.robustness.trials",
        '''
"""Smaller weights."""
from dataclasses import dataclass
from typing import ClassVar
from pruning.robustness.of_weights import WeightTrial

@dataclass(frozen=True)
class Shrunken(WeightTrial):
    """Every weight times 1 - level."""
    name: ClassVar[str] = "shrunken"
    meaning: ClassVar[str] = "all weights made smaller"
    strength: ClassVar[str] = "share taken from each weight"
    levels: tuple[float, ...] = (0.1, 0.5)
    """shares"""

    def at(self, bench, level, seed, draw):
        return {name: weight * (1 - level) for name, weight in bench.weights.items()}
''',
        "shrunken",
        "tests/pruning/test_robustness.py",
        ("pruning.robustness", "--help"),
        ("pruning.robustness", "net.pt", "--samples", "40", "--trials", "shrunken", "-o", "shrunken.h5"),
        "all weights made smaller",
    ),
    "criterion of units": Member(
        "pruning.unit_criteria",
        '''
"""The mean of a unit's weights."""
from dataclasses import dataclass
from typing import ClassVar
from pruning.context.criterion import Criterion
from pruning.context.unit_weights import filters

@dataclass(frozen=True)
class MeanWeight(Criterion):
    """The mean of the weights that make the unit."""
    name: ClassVar[str] = "mean-weight"
    summary: ClassVar[str] = "mean of the weights that make a unit"

    def score(self, context):
        return {group.name: filters(context.weights, group).mean(1) for group in context.space.groups}
''',
        "mean-weight",
        "tests/pruning/test_unit_criteria.py",
        ("pruning", "filters", "--help"),
        (
            "pruning",
            "filters",
            "net.pt",
            "--units",
            "0.3",
            "--criterion",
            "mean-weight",
            "--epochs",
            "0",
            "-o",
            "mean.pt",
        ),
        "mean.pt",
    ),
    "drop rule": Member(
        "pruning.drops",
        '''
"""Weights that point away from zero."""
from dataclasses import dataclass
from typing import ClassVar
from pruning.context.drop import Drop

@dataclass(frozen=True)
class Outward(Drop):
    """w g: the weights that a step would move away from zero go last."""
    name: ClassVar[str] = "outward"

    def score(self, layer):
        return -layer.weight * layer.gradient()
''',
        "outward",
        "tests/pruning/test_drops.py",
        ("pruning", "rigl", "--help"),
        (
            "pruning",
            "rigl",
            "net.pt",
            "--sparsity",
            "0.5",
            "--drop",
            "outward",
            "--epochs",
            "1",
            "-o",
            "out.pt",
        ),
        "out.pt",
    ),
    "form of export": Member(
        "pruning.export.formats",
        '''
"""A state dict in a further file."""
from dataclasses import dataclass
from typing import ClassVar
from pruning.export.formats.state_dict import StateDict

@dataclass(frozen=True)
class Raw(StateDict):
    """A state dict under another ending."""
    name: ClassVar[str] = "raw-state"
    suffixes: ClassVar[tuple[str, ...]] = (".raw",)
''',
        "raw-state",
        "tests/contracts/test_export_formats.py",
        ("pruning.export", "--help"),
        ("pruning.export", "net.pt", "-o", "net.raw"),
        "net.raw",
    ),
}


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """A folder with a small network, and a result of it."""
    folder = tmp_path_factory.mktemp("network")
    for line in (
        ("minima.train", "--model", "mlp:hidden=6", "--data", "digits", "--epochs", "1", "-o", "net.pt"),
        ("landscape.sharpness", "net.pt", "--samples", "40", "--measures", "trace"),
    ):
        environment, start = os.environ | {"PYTHONPATH": str(ROOT)}, python(foreign=True)
        subprocess.run([start, "-m", *line], cwd=folder, env=environment, check=True, capture_output=True)
    return folder


@pytest.fixture(params=MEMBERS)
def extended(request, tmp_path):
    """A kind of member, and how a program is started in which a file of that kind lies in the registry."""
    member = MEMBERS[request.param]
    folder = tmp_path / "members"
    folder.mkdir()
    (folder / f"{member.name.replace('-', '_')}.py").write_text(member.source)
    (tmp_path / "extension.py").write_text(
        f"import {member.package} as package\npackage.__path__.append({str(folder)!r})\n"
    )

    def start(code, *words, cwd=ROOT):
        environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)]), "COLUMNS": "200"}
        line = [python(foreign=True), "-c", f"import extension, runpy, sys\n{code}", *map(str, words)]
        return subprocess.run(line, cwd=cwd, env=environment, capture_output=True, text=True, check=False)

    return member, start


RUN = "sys.argv = sys.argv[1:]\nrunpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)"


def test_the_help_text_names_it(extended):
    member, start = extended
    done = start(RUN, *member.help)
    assert member.name.replace("_", "-") in done.stdout.replace("_", "-"), done.stderr


@pytest.mark.parametrize("extended", [kind for kind, each in MEMBERS.items() if each.line], indirect=True)
def test_its_table_shows_it(extended, network):
    member, start = extended
    done = start(RUN, *member.line, cwd=network)
    assert done.returncode == 0, done.stderr
    assert member.said in done.stdout


@pytest.mark.parametrize("extended", [kind for kind, each in MEMBERS.items() if each.battery], indirect=True)
def test_its_battery_takes_it(extended):
    member, start = extended
    words = ("-n", "0", "-p", "no:cacheprovider", "-k", member.name, ROOT / member.battery)
    done = start("import pytest\nsys.exit(pytest.main(sys.argv[1:]))", *words)
    assert done.returncode == 0, done.stdout
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) > 0
