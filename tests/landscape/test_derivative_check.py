"""The check before the work: it finds what is no derivative of the loss, and lets everything else pass."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.functional import cross_entropy

from landscape.objective.derivatives.differences import DOUBLE, Loss, compare
from landscape.objective.derivatives.tangents import tangents
from landscape.objective.objective import Objective
from landscape.passes import differentiable
from landscape.passes.recomputation import nothing_recomputed
from minima.store.command import BadInput

CLASSES = 4


class Squeezed(nn.Module):
    """Of a recurrent layer the last state."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x)[0][:, -1]


class Mean(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.mean(1)


class Rounding(nn.Module):
    """Computes in float32 whatever it is given, as many a norm does."""

    def forward(self, x: Tensor) -> Tensor:
        return (x.float() * x.float().square().mean(-1, keepdim=True).add(1e-6).rsqrt()).to(x.dtype)


class Single(nn.Module):
    """Holds a tensor in float32 that is no buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel = torch.randn(8, 8)

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.kernel


ACTIVATIONS = (
    *(nn.ReLU, nn.GELU, nn.SiLU, nn.Hardswish, nn.Hardsigmoid, nn.ELU, nn.LeakyReLU, nn.PReLU, nn.Mish, nn.Softplus),
    *(nn.Tanh, nn.ReLU6, nn.Hardtanh, nn.Softsign, nn.CELU, nn.SELU, nn.Sigmoid, nn.Tanhshrink, nn.Softshrink),
)
BODIES: dict[str, Callable[[], nn.Module]] = {
    **{kind.__name__: kind for kind in ACTIVATIONS},
    "LayerNorm": lambda: nn.LayerNorm(8),
    "RMSNorm": lambda: nn.RMSNorm(8),
    "in float32": Rounding,
    "not in float64": Single,
    "weight norm": lambda: nn.utils.parametrizations.weight_norm(nn.Linear(8, 8)),
    "spectral norm": lambda: nn.utils.parametrizations.spectral_norm(nn.Linear(8, 8)),
    "LSTM": lambda: Squeezed(nn.LSTM(8, 8, 2, batch_first=True)),
    "GRU": lambda: Squeezed(nn.GRU(8, 8, batch_first=True)),
    "RNN": lambda: Squeezed(nn.RNN(8, 8, batch_first=True)),
    "attention": lambda: nn.TransformerEncoderLayer(8, 2, 16, batch_first=True),
}


def network(body: str) -> nn.Module:
    torch.manual_seed(0)
    made = nn.Sequential(nn.Linear(5, 8), BODIES[body](), nn.Linear(8, CLASSES)).eval()
    pooled = body in ("LSTM", "GRU", "RNN")
    return made if pooled else nn.Sequential(*made[:2], Mean(), made[2])


X, Y = torch.randn(20, 3, 5, generator=torch.Generator().manual_seed(1)), torch.arange(20) % CLASSES


@pytest.mark.parametrize("steps", [0, 150])
@pytest.mark.parametrize("body", BODIES)
def test_what_is_right_passes(body: str, steps: int) -> None:
    """At the start, and where the loss is next to nothing; J v by either way is what plain autograd says."""
    model = network(body).train()
    optimiser = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(steps):
        optimiser.zero_grad()
        cross_entropy(model(X), Y).backward()
        optimiser.step()
    objective = Objective(model.eval(), X, Y)
    objective.gradient()
    generator = torch.Generator().manual_seed(0)
    direction = objective.coordinates.tensors(objective.normal(generator), native=True)
    weights = objective.weights(None)
    found = tangents(objective._network, weights, X, list(direction.values()))
    h = 1e-3
    moved = copy.deepcopy(model)
    if body not in ("in float32", "not in float64"):
        moved, x = moved.double(), X.double()
        h = 1e-6
    else:
        x = X
    ends = []
    for sign in (1, -1):
        for name, change in direction.items():
            own = model.get_parameter(name).to(x.dtype)
            moved.get_parameter(name).data = own.detach() + sign * h * change.to(x.dtype)
        with torch.no_grad():
            ends.append(moved(x))
    expected = ((ends[0] - ends[1]) / (2 * h)).to(found.dtype)
    room = 2e-2 if x.dtype is torch.float32 else 1e-3
    torch.testing.assert_close(found.detach(), expected, rtol=room, atol=room * float(expected.abs().max()))


@pytest.mark.parametrize(
    ("body", "said"),
    [("in float32", "computes parts of it in float32"), ("not in float64", "does not run in float64"), ("GELU", "")],
)
def test_it_says_where_it_looked_less_closely(body: str, said: str, capsys: pytest.CaptureFixture) -> None:
    Objective(network(body), X, Y).gradient()
    assert said in (found := capsys.readouterr().err)
    assert ("derivatives are checked in float32, to 1e-2" in found) == bool(said)


def test_zero_gradients_and_kinks_are_no_faults(capsys: pytest.CaptureFixture) -> None:
    """A head of zeros gives its body no gradient, and a bias of zeros leaves units on their kinks."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(64, 4))
    for parameter in (model[0].bias, *model[4].parameters()):
        nn.init.zeros_(parameter)
    x = torch.randn(20, 1, 8, 8).relu() * (torch.arange(8) > 3)
    gradient = Objective(model, x, Y).gradient()
    assert not gradient[:40].any()
    assert gradient[40:].any()
    assert not capsys.readouterr().err


class _Tents(torch.autograd.Function):
    """The tent map again and again, with a kink every 2^-27; its derivative, derived, may be off by a factor."""

    @staticmethod
    def forward(ctx, t: Tensor, factor: float) -> Tensor:  # type: ignore[override]
        slope = torch.ones_like(t)
        for _ in range(27):
            slope = torch.where(t < 0.5, 2 * slope, -2 * slope)
            t = torch.where(t < 0.5, 2 * t, 2 - 2 * t)
        ctx.save_for_backward(slope)
        ctx.factor = factor
        return t

    @staticmethod
    def backward(ctx, g: Tensor) -> tuple[Tensor, None]:  # type: ignore[override]
        (slope,) = ctx.saved_tensors
        return ctx.factor * g * slope + (1 - ctx.factor) * (g * slope).detach(), None


@pytest.mark.parametrize("factor", [1.0, 1.01])
def test_kinks_denser_than_the_usual_steps_hide_nothing(factor: float) -> None:
    at, direction = {"w": torch.tensor(0.3123456789, dtype=torch.float64)}, {"w": torch.ones((), dtype=torch.float64)}
    loss = Loss(lambda tensors: (_Tents.apply(tensors["w"], factor) - 3).square())
    assert not compare(loss, at, direction, 1.0, replace(DOUBLE, finer=())).agrees
    assert compare(loss, at, direction, 1.0, DOUBLE).agrees is (factor == 1)


def test_rows_of_padding_are_held(capsys: pytest.CaptureFixture) -> None:
    torch.manual_seed(0)
    tokens = torch.randint(0, 3, (20, 6))
    model = nn.Sequential(nn.Embedding(3, 8, padding_idx=0), Mean(), nn.Linear(8, CLASSES))
    nn.init.normal_(model[0].weight)
    objective = Objective(model, tokens, Y)
    assert objective.dimension == 2 * 8 + 8 * CLASSES + CLASSES
    assert objective.gradient()[: 2 * 8].any()
    assert not capsys.readouterr().err


def test_removed_weights_are_not_moved() -> None:
    """The loss has a kink where they are."""

    class Absolute(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            return functional.linear(x.mean(1), self.weight + self.weight.abs(), self.bias)

    torch.manual_seed(0)
    model = Absolute(5, CLASSES)
    mask = torch.rand(CLASSES, 5) > 0.5
    model.weight.data *= mask
    model.weight.data += 0.1 * mask * model.weight.sign()
    objective = Objective(model, X, Y, masks={"weight": mask})
    assert objective.dimension == int(mask.sum()) + CLASSES
    assert objective.loss_and_gradient()[1].isfinite().all()


class Wrong(nn.Module):
    """A layer whose derivatives are wrong by a little."""

    def __init__(self, of: str, size: float) -> None:
        super().__init__()
        self.first, self.second, self.of, self.size = nn.Linear(5, 8), nn.Linear(8, CLASSES), of, size

    def forward(self, x: Tensor) -> Tensor:
        h = self.first(x.mean(1)).tanh()
        if self.of == "slope":
            h = h + self.size * (h**2).detach()
        return self.second(h if self.of == "slope" else _Forgetting.apply(h, self.size))


class _Forgetting(torch.autograd.Function):
    """y = x + size x^3 / 3, whose second derivative is left out."""

    @staticmethod
    def forward(ctx, x, size):
        ctx.factor = 1 + size * x.detach() ** 2
        return x + size * x**3 / 3

    @staticmethod
    def backward(ctx, g):
        return g * ctx.factor, None


@pytest.mark.parametrize("size", [1.0, 1e-2])
@pytest.mark.parametrize("of", ["slope", "product"])
def test_what_is_wrong_by_a_little_is_found(of: str, size: float) -> None:
    torch.manual_seed(0)
    words = "that autograd gives is not (the slope|that) of the loss"
    objective = Objective(Wrong(of, size), X, Y)
    for take in (objective.gradient, lambda: objective.hvp(objective.point)):
        with pytest.raises(BadInput, match=words) as refused:
            take()
    assert "first.weight" in str(refused.value)
    assert ("_Forgetting (torch.autograd.Function)" in str(refused.value)) == (of == "product")


def test_it_is_done_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from landscape.objective.derivatives import check

    done = []
    monkeypatch.setattr(check, "check_derivatives", done.append)
    objective = Objective(network("Tanh"), X, Y)
    objective.loss()
    assert not done
    for each in (objective, objective.part(0, 5), objective.block(["0.bias"])):
        each.gradient()
        each.hvp(torch.ones(each.dimension))
    assert len(done) == 1


def test_differences_agree_with_a_closed_form() -> None:
    """sum exp(w): the slope along v is exp(w) . v, the product exp(w) v."""
    at, along = {"w": torch.tensor([0.0, 1.0], dtype=torch.float64)}, {"w": torch.tensor([0.6, 0.8]).double()}
    assert compare(Loss(lambda tensors: tensors["w"].exp().sum()), at, along, 1.0, DOUBLE).agrees
    half = Loss(lambda tensors: (tensors["w"].exp() * 0.5 + tensors["w"].exp().detach() * 0.5).sum())
    outcome = compare(half, at, along, 1.0, DOUBLE)
    assert outcome.slope is not None
    assert outcome.slope == pytest.approx((2 * outcome.slope[1], outcome.slope[1]), rel=1e-6)


WRITTEN_OUT = {
    "hardsigmoid": (functional.hardsigmoid, differentiable.hardsigmoid, lambda: (4 * torch.randn(9),)),
    **{
        f"cdist {p}": (torch.cdist, differentiable.cdist, lambda p=p: (torch.randn(2, 4, 3), torch.randn(2, 5, 3), p))
        for p in (0.0, 1.0, 1.5, 2.0, 3.0, float("inf"))
    },
    **{f"pdist {p}": (torch.pdist, differentiable.pdist, lambda p=p: (torch.randn(5, 3), p)) for p in (1.0, 2.0, 2.5)},
    "weight norm": (
        torch._weight_norm,
        differentiable.weight_norm,
        lambda: (torch.randn(4, 3, 2), torch.rand(4, 1, 1)),
    ),
}


@pytest.mark.parametrize("name", WRITTEN_OUT)
def test_what_is_written_out_is_the_same(name: str) -> None:
    own, written, draw = WRITTEN_OUT[name]
    torch.manual_seed(0)
    given = [each.double().requires_grad_() if torch.is_tensor(each) else each for each in draw()]
    tensors = [each for each in given if torch.is_tensor(each)]
    one, other = own(*given), written(*given)
    torch.testing.assert_close(one, other)
    weights = torch.randn_like(one)
    if one.requires_grad and other.requires_grad:
        slopes = [torch.autograd.grad((each * weights).sum(), tensors) for each in (one, other)]
        torch.testing.assert_close(*slopes)
        assert torch.autograd.gradgradcheck(
            lambda *moving: written(*moving, *given[len(tensors) :]), tensors, atol=1e-4, rtol=1e-4
        )


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
@pytest.mark.parametrize("by_offsets", [True, False])
@pytest.mark.parametrize("padding", [None, 1, -2])
def test_bags_are_the_same(mode: str, by_offsets: bool, padding: int | None) -> None:
    torch.manual_seed(0)
    weight = torch.randn(6, 4, dtype=torch.float64, requires_grad=True)
    tokens = torch.randint(0, 6, (15,)) if by_offsets else torch.randint(0, 6, (3, 5))
    own: dict[str, object] = {"mode": mode, "padding_idx": padding}
    own |= {"offsets": torch.tensor([0, 4, 4, 9, 15]), "include_last_offset": True} if by_offsets else {}
    if mode == "sum":
        own["per_sample_weights"] = torch.rand(tokens.shape, dtype=torch.float64)
    expected, found = (
        functional.embedding_bag(tokens, weight, **own),
        differentiable.embedding_bag(tokens, weight, **own),
    )
    torch.testing.assert_close(found, expected)
    slopes = [torch.autograd.grad(each.square().sum(), weight)[0] for each in (found, expected)]
    torch.testing.assert_close(*slopes)


def test_checkpoints_are_as_before_behind_the_block() -> None:
    from torch.utils import checkpoint

    before = dict(vars(checkpoint))
    x = torch.randn(3, requires_grad=True)
    for reentrant in (True, False):
        with nothing_recomputed():
            made = checkpoint.checkpoint(lambda z: z.tanh() * 2, x, use_reentrant=reentrant)
        torch.testing.assert_close(made, x.tanh() * 2)
        assert "Checkpoint" not in type(made.grad_fn).__name__
        with pytest.raises(TypeError), nothing_recomputed():
            checkpoint.checkpoint(torch.tanh, "x", use_reentrant=reentrant)
        assert vars(checkpoint) == before
    assert "Checkpoint" in type(checkpoint.checkpoint(torch.tanh, x, use_reentrant=True).grad_fn).__name__
