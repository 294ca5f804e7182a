"""A further member of a registry is one new file: its battery, its help text and its table take it without an edit."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

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
    line: tuple[str, ...]
    """a command whose table shows it"""
    said: str
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
}


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """A folder with a small network, and a result of it."""
    folder = tmp_path_factory.mktemp("network")
    for line in (
        ("minima.train", "--model", "mlp:hidden=6", "--data", "digits", "--epochs", "1", "-o", "net.pt"),
        ("landscape.sharpness", "net.pt", "--samples", "40", "--measures", "trace"),
    ):
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        subprocess.run([sys.executable, "-m", *line], cwd=folder, env=environment, check=True, capture_output=True)
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
        line = [sys.executable, "-c", f"import extension, runpy, sys\n{code}", *map(str, words)]
        return subprocess.run(line, cwd=cwd, env=environment, capture_output=True, text=True, check=False)

    return member, start


RUN = "sys.argv = sys.argv[1:]\nrunpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)"


def test_the_help_text_names_it(extended):
    member, start = extended
    done = start(RUN, *member.help)
    assert member.name.replace("_", "-") in done.stdout.replace("_", "-"), done.stderr


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
