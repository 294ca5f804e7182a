"""Products, eigenvalues and traces of the peers, by the very adapters that benchmarks/ times, and ours: the same."""

from importlib.util import find_spec
from types import SimpleNamespace

import pytest
import torch
from oracles.small_networks import make
from torch import nn

from landscape.objective.objective import Objective

PEERS = ("pyhessian", "curvlinops", "hessian_eigenthings")
missing = [name for name in PEERS if find_spec(name) is None]
if missing:
    pytest.skip(
        f"{', '.join(missing)} not installed: they are in .venv-peers, see `make bench`", allow_module_level=True
    )

from benchmarks.contestants import BUILDERS, METHODS  # noqa: E402

TOOLS = list(BUILDERS)


def subject(kind, dtype=torch.float32):
    """In chunks of one size: hessian-eigenthings is wrong about others."""
    case = make(kind, dtype=dtype)
    return SimpleNamespace(model=case.model.eval(), x=case.x, y=case.y, masks={}, batch_size=11)


def convex():
    """A network of one layer, whose Hessian has no negative eigenvalue for a power iteration to meet."""
    looked_at = subject("mlp")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        looked_at.model = nn.Linear(5, 3)
    return looked_at


def ours(looked_at):
    return Objective(looked_at.model, looked_at.x, looked_at.y)


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("kind", ["mlp", "conv", "batchnorm", "attention"])
def test_products(tool, kind):
    looked_at = subject(kind, torch.float64)
    vector = torch.randn(ours(looked_at).dimension, dtype=torch.float64)
    expected = ours(looked_at).hvp(vector)
    torch.testing.assert_close(BUILDERS[tool](looked_at).product(vector).double(), expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: f"{method.tools[0]}-{method.name}")
def test_eigenvalues(method):
    looked_at = convex()
    dimension = ours(looked_at).dimension
    exact = torch.linalg.eigvalsh(ours(looked_at).hvp(torch.eye(dimension))).flip(0)[:5]
    name, solve = list(method.settings.items())[-1]
    if name.endswith("steps"):
        solve = method.settings["18 steps"]  # of 18 coordinates
    found = sorted(solve(BUILDERS[method.tools[0]](looked_at).product, dimension, 0), reverse=True)
    assert found == pytest.approx(exact.tolist(), rel=1e-3)


@pytest.mark.parametrize("tool", TOOLS)
def test_traces(tool):
    looked_at = convex()
    hessian = ours(looked_at).hvp(torch.eye(ours(looked_at).dimension))
    scatter = (2 * (hessian - hessian.diag().diag()).square().sum() / 16).sqrt()  # of probes of -1 and 1
    assert abs(BUILDERS[tool](looked_at).trace(16) - hessian.trace()) < 4 * scatter
