"""Convolutions in tiles, against PyTorch's in double precision, on every kind of vector that this machine has."""

from __future__ import annotations

import platform
from functools import cache
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from landscape.objective.objective import Objective
from landscape.passes import compiler, winograd
from landscape.passes.compiler import NoCompiler
from landscape.passes.convolution import Geometry, convolution
from landscape.passes.pass_plan import PassPlan
from landscape.spectrum.operators.ggn import GaussNewton
from minima.zoo.architecture.architecture import describe, initialise, parse_architecture

SAME = Geometry([1, 1], [1, 1], [1, 1], 1)
ERROR = 2e-6
"""of the largest number; in double precision the algorithm is exact"""
SHAPES = {
    "whole tiles": (9, 16, 16, 16, 16),
    "ragged": (11, 32, 16, 9, 13),
    "many channels, few filters": (16, 80, 16, 8, 8),
    "few channels, many filters": (16, 16, 112, 7, 8),
    "a tile and a pixel": (33, 48, 32, 5, 5),
    "a narrow image": (70, 16, 32, 40, 2),
    "more blocks than one": (70, 64, 64, 12, 12),
}


def drawn(name: str) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Images, a kernel, a bias, and images like those that are made."""
    count, channels, filters, height, width = SHAPES[name]
    torch.manual_seed(len(name))
    x, other = torch.randn(count, channels, height, width), torch.randn(count, filters, height, width)
    kernel, bias = torch.randn(filters, channels, 3, 3) / (9 * channels) ** 0.5, torch.randn(filters)
    last = torch.channels_last
    return x.contiguous(memory_format=last), kernel, bias, other.contiguous(memory_format=last)


def close(found: Tensor | None, exact: Tensor) -> bool:
    assert found is not None
    assert found.shape == exact.shape
    return bool((found - exact).abs().max() <= ERROR * exact.abs().max())


@pytest.fixture(params=["native", "x86-64-v3", "x86-64"])
def vectors(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The source compiled for this processor, for one with vectors of 8 numbers, and of 4."""
    if request.param != "native" and platform.machine() != "x86_64":
        pytest.skip("this is no x86-64 processor")
    flags = [flag.replace("native", request.param) for flag in compiler.FLAGS]
    with monkeypatch.context() as patched:
        patched.setattr(compiler, "FLAGS", flags)
        try:
            built = winograd._library.__wrapped__()
        except NoCompiler as error:
            pytest.skip(str(error))
    monkeypatch.setattr(winograd, "_library", lambda: built)


@cache
def exact(name: str) -> tuple[Tensor, Tensor, Tensor]:
    """x * w + bias, and the gradients of other . (x * w) with respect to x and w, in double precision."""
    x, kernel, bias, other = (each.double() for each in drawn(name))
    x.requires_grad_(), kernel.requires_grad_()
    made = functional.conv2d(x, kernel, bias, padding=1)
    return made.detach(), *torch.autograd.grad((made * other).sum(), [x, kernel])


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.usefixtures("vectors")
def test_values_and_adjoints_are_those_of_double_precision(name: str) -> None:
    x, kernel, bias, other = drawn(name)
    made, to_x, to_kernel = exact(name)
    points = winograd.kernel_points(kernel)
    assert close(winograd.convolve(x, points, len(kernel), bias), made)
    assert close(winograd.convolve(x, points, len(kernel), bias, other), made + other)
    assert close(
        winograd.convolve(x, points, len(kernel), None, other, relu=True), (made + other - bias.view(-1, 1, 1)).relu()
    )
    twice = winograd.convolution([(x, kernel), (-2 * x, kernel.contiguous(memory_format=torch.channels_last))], bias)
    assert close(twice, 2 * bias.view(-1, 1, 1) - made)
    found = winograd.adjoints([(other.contiguous(), kernel)], x.contiguous(), (True, True, True))
    assert close(found[0], to_x)
    assert close(found[1], to_kernel)
    assert close(found[2], other.double().sum((0, 2, 3)))
    assert close(
        winograd.convolution([(x, kernel)], torch.tensor(2.0).expand(len(kernel))), made - bias.view(-1, 1, 1) + 2
    )


def test_the_bits_do_not_depend_on_threads_or_on_other_images() -> None:
    x, kernel, bias, other = drawn("more blocks than one")
    alone = [winograd.convolution([(x, kernel)], bias), winograd.adjoints([(other, kernel)], x, (True, True, False))]
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        shared = [
            winograd.convolution([(x, kernel)], bias),
            winograd.adjoints([(other, kernel)], x, (True, True, False)),
        ]
    finally:
        torch.set_num_threads(before)
    assert torch.equal(alone[0], shared[0])
    assert all(torch.equal(a, b) for a, b in zip(alone[1][:2], shared[1][:2], strict=True))
    assert torch.equal(winograd.convolution([(x[7:], kernel)], bias), alone[0][7:])


def test_what_is_not_a_number_stays() -> None:
    x, kernel, bias, _ = drawn("whole tiles")
    x[2, 3, 8, 8] = float("nan")
    made = winograd.convolve(x, winograd.kernel_points(kernel), len(kernel), bias, relu=True)
    assert made[2, :, 7:10, 7:10].isnan().all()
    assert not made[[0, 1, *range(3, len(x))]].isnan().any()


@pytest.mark.parametrize(
    ("x", "kernel", "geometry"),
    [
        ((9, 16, 16, 16), (16, 16, 3, 3), Geometry([2, 2], [1, 1], [1, 1], 1)),
        ((9, 16, 16, 16), (16, 16, 3, 3), Geometry([1, 1], [0, 0], [1, 1], 1)),
        ((9, 16, 16, 16), (16, 16, 3, 3), Geometry([1, 1], [1, 1], [2, 2], 1)),
        ((9, 32, 16, 16), (32, 16, 3, 3), Geometry([1, 1], [1, 1], [1, 1], 2)),
        ((9, 16, 16, 16), (16, 16, 1, 1), SAME),
        ((9, 16, 16, 16), (16, 16, 5, 5), SAME),
        ((9, 3, 16, 16), (16, 3, 3, 3), SAME),
        ((9, 16, 16, 16), (10, 16, 3, 3), SAME),
        ((3, 16, 16, 16), (16, 16, 3, 3), SAME),
        ((99, 16, 2, 2), (16, 16, 3, 3), SAME),
        ((9, 16, 64), (16, 16, 3), Geometry([1], [1], [1], 1)),
    ],
    ids=["strided", "no margin", "dilated", "grouped", "1x1", "5x5", "colours", "classes", "few", "tiny", "1d"],
)
def test_others_are_not_computed_in_tiles(x: tuple[int, ...], kernel: tuple[int, ...], geometry: Geometry) -> None:
    assert not geometry.in_tiles(torch.empty(x), torch.empty(kernel))


def test_single_precision_on_a_cpu_is_unless_refused() -> None:
    x, kernel, *_ = drawn("whole tiles")
    assert SAME.in_tiles(x, kernel)
    assert not SAME.in_tiles(x.double(), kernel.double())
    assert not SAME.in_tiles(x.to("meta"), kernel.to("meta"))
    with winograd.refused():
        assert not SAME.in_tiles(x, kernel)


@pytest.mark.parametrize("constant", [(), ("x",), ("weight",), ("bias",)])
def test_second_derivatives_are_those_of_double_precision(constant: tuple[str, ...]) -> None:
    x, weight, bias, other = drawn("ragged")
    directions = [torch.randn_like(each) for each in (x, weight, bias)]

    def product(dtype: torch.dtype) -> list[Tensor]:
        """Of the Hessian of sum(other (x * w + b)^2) with a direction."""
        named = dict(zip(("x", "weight", "bias"), (x, weight, bias), strict=True))
        tensors = {name: each.to(dtype).requires_grad_(name not in constant) for name, each in named.items()}
        made = convolution(*tensors.values(), SAME)
        moving = [name for name in tensors if name not in constant]
        inputs = [tensors[name] for name in moving]
        slopes = torch.autograd.grad((other.to(dtype) * made.square()).sum(), inputs, create_graph=True)
        along = [v for name, v in zip(named, directions, strict=True) if name in moving]
        return list(torch.autograd.grad(slopes, inputs, [v.to(dtype) for v in along]))

    for found, expected in zip(product(torch.float32), product(torch.float64), strict=True):
        assert (found - expected).norm() < 1e-5 * expected.norm()


def test_a_third_derivative_is_refused() -> None:
    x, weight, bias, _ = drawn("whole tiles")
    weight.requires_grad_()
    (slope,) = torch.autograd.grad(convolution(x, weight, bias, SAME).pow(3).sum(), weight, create_graph=True)
    with pytest.raises(RuntimeError, match="can be differentiated twice"):
        torch.autograd.grad(slope.sum(), weight, create_graph=True)


@pytest.fixture
def residual() -> tuple[nn.Module, Tensor, Tensor]:
    torch.manual_seed(0)
    model = initialise(describe(parse_architecture("resnet20"), (1, 16, 16), 10), seed=0).eval()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.5, 2)
    return model, torch.randn(41, 1, 16, 16), torch.arange(41) % 10


def test_a_network_in_tiles_has_the_derivatives_of_double_precision(residual: tuple[nn.Module, Tensor, Tensor]) -> None:
    model, x, y = residual
    tiled = Objective(model, x, y, batch_size=20)
    vector = tiled.normal(torch.Generator().manual_seed(1))
    with winograd.refused():
        direct = Objective(model, x, y, batch_size=20)
        pairs = [(direct.gradient(), direct.hvp(vector))]
    pairs.append((tiled.gradient(), tiled.hvp(vector)))
    exact = Objective(model.double(), x.double(), y, batch_size=20)
    gradient, product = exact.gradient(), exact.hvp(vector)
    errors = [((a - gradient).norm() / gradient.norm(), (b - product).norm() / product.norm()) for a, b in pairs]
    assert pairs[0][0].ne(pairs[1][0]).any()  # something was computed in tiles
    assert max(errors[1]) < 1e-4  # ReLUs that rounding turns on or off
    assert errors[1][0] < 5 * errors[0][0]
    assert errors[1][1] < 5 * errors[0][1]


def test_a_planned_pass_in_tiles_has_the_module_s_loss(residual: tuple[nn.Module, Tensor, Tensor]) -> None:
    model, x, y = residual
    objective = Objective(model, x, y)
    plain = objective.loss()
    objective.forward.settle(PassPlan("tiled", 20, 1, channels_last=True))
    assert objective.forward.possible(objective.forward.plan, objective.weights(None), x[:20])
    assert objective.loss() == pytest.approx(plain, rel=1e-6)
    with winograd.refused():
        again = Objective(model, x, y)
        assert not again.forward.possible(objective.forward.plan, objective.weights(None), x[:20])
        again.forward.settle(objective.forward.plan)
        assert again.loss() == pytest.approx(plain, rel=1e-6)


def test_an_unplanned_pass_and_one_with_tangents_are_in_tiles(residual: tuple[nn.Module, Tensor, Tensor]) -> None:
    model, x, y = residual
    objective = Objective(model, x, y)
    vector = objective.normal(torch.Generator().manual_seed(1))
    found, product = objective.example_losses(), GaussNewton().product(objective)(vector)
    with winograd.refused():
        direct = objective.example_losses()
    assert found.ne(direct).any()
    assert torch.allclose(found, direct, rtol=1e-4, atol=1e-6)
    objective.forward.settle(PassPlan("folded module", objective.batch_size, torch.get_num_threads()))
    assert torch.equal(objective.example_losses(), direct)  # what was planned without tiles stays without
    exact = GaussNewton().product(Objective(model.double(), x.double(), y))(vector)
    assert 0 < (product - exact).norm() < 1e-4 * exact.norm()


class TestCompiler:
    def test_what_was_compiled_is_kept(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        source = tmp_path / "seven.cpp"
        source.write_text('extern "C" int number() { return 7; }')
        assert compiler.library(source).number() == 7
        (kept,) = (tmp_path / "minima").iterdir()
        before = kept.stat()
        assert compiler.library(source).number() == 7
        assert kept.stat() == before
        source.write_text('extern "C" int number() { return 8; }')
        assert compiler.library(source).number() == 8

    @pytest.mark.parametrize(
        ("named", "said"),
        [
            ("", r"^\$CXX is empty$"),
            ("none-such", r"^none-such: No such file or directory; \$CXX names a C\+\+ compiler$"),
        ],
    )
    def test_no_compiler_is_said(self, named: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CXX", named)
        with pytest.raises(NoCompiler, match=said):
            compiler.library(Path(winograd.__file__).with_suffix(".cpp"))

    def test_what_does_not_compile_is_said(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        source = tmp_path / "wrong.cpp"
        source.write_text("int number() { return seven; }")
        with pytest.raises(NoCompiler, match=r"seven.* was not declared"):
            compiler.library(source)
        assert not list((tmp_path / "minima").iterdir())

    def test_without_one_nothing_fits(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def missing() -> None:
            raise NoCompiler("there is none")

        monkeypatch.setattr(winograd, "_library", missing)
        monkeypatch.setattr(winograd, "_lanes", winograd._lanes.__wrapped__)
        x, kernel, *_ = drawn("whole tiles")
        assert not SAME.in_tiles(x, kernel)
