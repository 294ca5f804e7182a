"""3x3 convolutions of stride 1 on a CPU, in single precision, in tiles with a quarter of the products (winograd.cpp).

Lavin and Gray 2016. They take a third to three quarters of the time of oneDNN's, and their rounding errors are up to
three times as large, 5e-7 to 2e-6 of the sums (`benchmarks.tiles`). Both adjoints are those of the same algorithm.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from landscape.passes.compiler import NoCompiler, library

STEP, POINTS = 4, 36
"""outputs of a tile along each axis; products of a tile"""
PLAIN = ([1, 1], [1, 1], [1, 1], 1)
"""stride, padding, dilation and groups"""
FILLED = 6
"""pixels, of 16, that a tile must have on average: a direct convolution is as fast with fewer"""
FEWEST = 64
"""tiles for which a kernel is worth its transforms"""
_POINTER, _SIZE = ctypes.c_void_p, ctypes.c_int64
_ARGUMENTS: dict[str, list[Any]] = {
    "kernel_points": [_POINTER, _POINTER, _SIZE, _SIZE, _POINTER],
    "convolve": [_SIZE, *[_POINTER] * 4, ctypes.c_int, _POINTER, _SIZE, _SIZE, _POINTER],
    "kernel_gradient": [*[_POINTER] * 3, _SIZE, _SIZE, *[_POINTER] * 3],
    "kernel_apart": [_SIZE, _SIZE],
}


class _Room(threading.local):
    def __init__(self) -> None:
        self.held: dict[int, Tensor] = {}


_room = _Room()
_refused: ContextVar[bool] = ContextVar("refused", default=False)


def fits(x: Tensor, weight: Tensor, *geometry: object) -> bool:
    """Whether images x (n, c, h, w) * weight (o, c, 3, 3) can be computed here, and faster than directly.

    `geometry`: stride, padding, dilation and groups.
    """
    if _refused.get() or (x.device.type, x.dtype, weight.dtype) != ("cpu", torch.float32, torch.float32):
        return False
    if weight.shape[2:] != (3, 3) or geometry != PLAIN:
        return False
    count, channels, height, width = x.shape
    tiles = count * -(-height // STEP) * -(-width // STEP)
    if tiles < FEWEST or count * height * width < FILLED * tiles:
        return False
    lanes = _lanes()
    return lanes > 0 and channels % lanes == len(weight) % lanes == 0


@contextmanager
def refused() -> Iterator[None]:
    """A block inside which no convolution is computed by Winograd's tiles."""
    token = _refused.set(True)
    try:
        yield
    finally:
        _refused.reset(token)


def convolve(
    x: Tensor, points: Tensor, filters: int, bias: Tensor | None = None, other: Tensor | None = None, relu: bool = False
) -> Tensor:
    """x * w + bias + other, or its positive part, with channels last; `points`: `kernel_points` of w."""
    return _convolve([x], [points], filters, bias, other, relu)


def kernel_points(weight: Tensor, adjoint: bool = False, out: Tensor | None = None) -> Tensor:
    """The kernel (o, c, 3, 3) at the points of the interpolation; `adjoint`: of the convolution back to its input."""
    strides, start = list(weight.stride()), weight.data_ptr()
    filters, channels = weight.shape[:2]
    if adjoint:  # filters and channels change places, rows and columns are turned round
        start += weight.element_size() * 2 * (strides[2] + strides[3])
        strides = [strides[1], strides[0], -strides[2], -strides[3]]
        filters, channels = channels, filters
    points = weight.new_empty(_floats(channels, filters)) if out is None else out
    _library().kernel_points(start, (_SIZE * 4)(*strides), channels, filters, points.data_ptr())
    return points


def convolution(pairs: Sequence[tuple[Tensor, Tensor]], bias: Tensor | None) -> Tensor:
    """The sum of x * weight over pairs of both of the same shapes, + bias."""
    points = [kernel_points(weight, out=_memory(weight, place)) for place, (_, weight) in enumerate(pairs)]
    return _convolve([x for x, _ in pairs], points, len(pairs[0][1]), bias)


def adjoints(
    pairs: Sequence[tuple[Tensor, Tensor]], x: Tensor, wanted: Sequence[bool]
) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    """The gradients of cotangent . (x * weight + bias) with respect to x, weight and bias: those `wanted`.

    Of the first it is the sum over pairs of a cotangent and a weight, of the others that of the first pair.
    """
    cotangent, weight = pairs[0]
    to_x = to_weight = None
    if wanted[0]:
        points = [kernel_points(w, adjoint=True, out=_memory(w, place)) for place, (_, w) in enumerate(pairs)]
        to_x = _convolve([each for each, _ in pairs], points, weight.shape[1], None)
    if wanted[1]:
        to_weight = _kernel_gradient(_laid_out(x), _laid_out(cotangent), weight)
    return to_x, to_weight, cotangent.sum((0, 2, 3)) if wanted[2] else None


def _convolve(
    xs: Sequence[Tensor],
    points: Sequence[Tensor],
    filters: int,
    bias: Tensor | None,
    other: Tensor | None = None,
    relu: bool = False,
) -> Tensor:
    xs, other = [_laid_out(x) for x in xs], None if other is None else _laid_out(other)
    bias = None if bias is None else bias.contiguous()
    count, channels, height, width = xs[0].shape
    made = torch.empty((count, filters, height, width), memory_format=torch.channels_last)
    shape, pairs = (_SIZE * 3)(count, height, width), _POINTER * len(xs)
    given = (pairs(*[x.data_ptr() for x in xs]), pairs(*[each.data_ptr() for each in points]), _at(bias), _at(other))
    _done(_library().convolve(len(xs), *given, relu, shape, channels, filters, made.data_ptr()))
    return made


def _kernel_gradient(x: Tensor, cotangent: Tensor, weight: Tensor) -> Tensor:
    made = torch.empty_like(weight)
    shape, strides = (_SIZE * 3)(len(x), *x.shape[2:]), (_SIZE * 4)(*made.stride())
    given = (x.data_ptr(), cotangent.data_ptr(), shape, weight.shape[1], len(weight))
    _done(_library().kernel_gradient(*given, _memory(weight).data_ptr(), made.data_ptr(), strides))
    return made


def _memory(weight: Tensor, place: int = 0) -> Tensor:
    """Room for a kernel's points that nobody needs after the call, kept from call to call: in each place for one."""
    floats = _floats(weight.shape[1], len(weight))
    if place not in _room.held or _room.held[place].numel() < floats:
        _room.held[place] = weight.new_empty(floats)
    return _room.held[place]


def _floats(channels: int, filters: int) -> int:
    return POINTS * int(_library().kernel_apart(channels, filters))


def _laid_out(x: Tensor) -> Tensor:
    return x.contiguous(memory_format=torch.channels_last)


def _at(tensor: Tensor | None) -> int | None:
    return None if tensor is None else tensor.data_ptr()


def _done(failed: int) -> None:
    if failed:
        raise MemoryError("no memory for the tiles of a convolution")


@cache
def _lanes() -> int:
    """Channels that a vector has; 0 where nothing can be compiled."""
    try:
        return int(_library().lanes())
    except NoCompiler:
        return 0


@cache
def _library() -> ctypes.CDLL:
    """Raises NoCompiler, each time, where there is none."""
    found = library(Path(__file__).with_suffix(".cpp"))
    for name, arguments in _ARGUMENTS.items():
        getattr(found, name).argtypes = arguments
    for name in ("kernel_apart", "lanes"):
        getattr(found, name).restype = _SIZE
    return found
