"""Memory stays as it is over many products and points, and goes with the objective: no copy is kept, no cycle made."""

import gc
import os
import subprocess
import sys
import weakref
from pathlib import Path

import pytest
import torch
from oracles.small_networks import make

from landscape.hessian import eigenvalues
from landscape.hessian.traces import VECTORS
from landscape.objective.objective import MEMORY, Objective
from landscape.sharpness import leading
from landscape.spectrum import blocks, lanczos
from landscape.spectrum.operators.ggn import GaussNewton
from minima.zoo.examples.evaluation import evaluating

ROOT = Path(__file__).parents[2]
GROWTH = """
import resource, sys, torch
from torch import nn
from landscape.passes.pass_plan import PassPlan
from landscape.objective.objective import Objective
from landscape.spectrum.operators.ggn import GaussNewton
from minima.store.allocator import keep_freed_memory

keep_freed_memory()  # as commands do: then what grows is what is held
layers = nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(288, 100), nn.Linear(100, 10)
x, y = torch.randn(24, 1, 8, 8), torch.randint(0, 10, (24,))
objective = Objective(nn.Sequential(*layers), x, y, batch_size=10, memory=int(sys.argv[1]))
vector = torch.ones(objective.dimension)

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize() / 2**20

objective.forward.settle(PassPlan("fused", 10, 1))  # of the points of a surface
print(len(vector) * 8 / 2**20)
for product in (objective.hvp, GaussNewton().product(objective), objective.evaluate):
    for _ in range(10):
        product(vector)
    before = resident()
    for _ in range(100):
        product(vector)
    print(resident() - before)
"""


@pytest.mark.parametrize("memory", [0, MEMORY])
def test_a_hundred_products_or_points_do_not_grow_the_process(memory):
    line = [sys.executable, "-c", GROWTH, str(memory)]
    done = subprocess.run(line, capture_output=True, text=True, cwd=ROOT, check=True)
    vector, *grown = map(float, done.stdout.split())
    assert vector > 0.2  # MiB: a vector kept of each product would be 20
    assert len(grown) == 3
    assert max(grown) < 4


@pytest.fixture
def no_collector():
    """What dies in the block dies of its last reference; torch's own cycles, of its first forward mode, are there."""
    case = make("batchnorm")
    objective = Objective(case.model, case.x, case.y)
    GaussNewton().product(objective)(objective.point)
    del objective
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("memory", [0, MEMORY])
@pytest.mark.parametrize("kind", ["mlp", "batchnorm", "attention", "masked"])
def test_an_objective_and_its_graphs_go_when_they_are_let_go(kind, memory, no_collector):
    case = make(kind)
    objective = Objective(case.model, case.x, case.y, masks=case.masks, batch_size=8, memory=memory)
    objective.hvp(objective.point)
    GaussNewton().product(objective)(objective.point)
    with evaluating(case.model):
        graphs = list(objective.graphs(leaves))
    tensors = [objective.coordinates.full, *(tensor for graph in graphs for tensor in graph)]
    alive = [weakref.ref(each) for each in (objective, objective.coordinates, *tensors)]
    del objective, graphs, tensors
    assert [reference() for reference in alive] == [None] * len(alive)


def leaves(chunk):
    """What a chunk's graph is a function of, with the end of the graph."""
    return [*chunk.parameters, chunk.losses]


def test_the_graphs_of_one_operator_are_freed_by_another_s(no_collector):
    case = make("conv")
    objective = Objective(case.model, case.x, case.y)
    kept = [weakref.ref(tensor) for graph in objective.graphs(leaves) for tensor in graph]
    assert all(reference() is not None for reference in kept)
    objective.hvp(torch.ones(objective.dimension))
    assert [reference() for reference in kept] == [None] * len(kept)


@pytest.mark.parametrize(
    "words",
    [
        ["hessian", "--per-layer"],
        ["sharpness", "--measures", "lambda_max,adaptive_lambda_max"],
        ["surface", "--directions", "eigen", "--grid", "3"],
    ],
)
def test_the_flag_bounds_every_search_for_eigenvalues(words, command, checkpoint, tmp_path, monkeypatch):
    seen, original = [], lanczos.top_eigenpairs

    def recorded(*arguments, **named):
        seen.append(named["memory"])
        return original(*arguments, **named)

    for module in (lanczos, blocks, eigenvalues, leading):
        monkeypatch.setattr(module, "top_eigenpairs", recorded)
    name, *flags = words
    assert command(name, checkpoint, "--samples", "20", *flags, "--memory", "1", "-o", tmp_path / "x.h5")[0] == 0
    assert set(seen) == {2**28}


KEPT = """
import re, sys, torch
from landscape.spectrum.density import spectral_density
from landscape.spectrum.hutchpp import hutchpp
from landscape.spectrum.xtrace import xtrace

size, count = 200_000, int(sys.argv[2])
torch.set_num_threads(1)
spectrum = torch.linspace(0, 1, size, dtype=torch.float64) ** 8
draw = lambda: torch.randn(size, dtype=torch.float64)
estimates = {
    "hutch++": lambda: hutchpp(spectrum.mul, lambda: draw().sign(), count),
    "xtrace": lambda: xtrace(spectrum.mul, draw, count),
    "density": lambda: spectral_density(spectrum.mul, draw, size, probes=1, steps=count),
}

def peak():  # of this program alone: what getrusage says begins with that of the process which started it
    return 1024 * int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])

torch.linalg.qr(torch.randn(9, 5, dtype=torch.float64))
before = peak()
estimates[sys.argv[1]]()
print((peak() - before) / (8 * size))
"""


@pytest.mark.parametrize(
    ("name", "for_each"), [("hutch++", VECTORS["hutch++"]), ("xtrace", VECTORS["xtrace"]), ("density", 2)]
)
def test_estimates_keep_as_many_vectors_as_are_reckoned(name, for_each):
    """Besides what eight products take while they are computed."""
    returned = os.environ | {"MALLOC_MMAP_THRESHOLD_": "65536"}  # what is freed: holes in the heap are not vectors kept
    lines = ([sys.executable, "-c", KEPT, name, count] for count in ("60", "120"))
    runs = [subprocess.run(line, capture_output=True, check=True, cwd=ROOT, env=returned) for line in lines]
    found = [float(run.stdout) for run in runs]
    assert found[1] < 120 * for_each + 80
    assert found[1] - found[0] == pytest.approx(60 * for_each, rel=0.4)
