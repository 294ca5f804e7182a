"""Landscaper 1.3.1: its loop over the grid, with chunks in memory.

Its package imports libraries of topology that need numpy 1 before anything else, so that the two modules of the loop
are imported past it; they run beside numpy 2 as they are.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import io
import sys
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

CHUNK = 64


def surface(model: nn.Module, x: Tensor, y: Tensor, steps: int) -> Any:
    """(steps, steps) losses along two of its random directions."""
    compute, directions = _module("compute"), _module("utils")
    chunks = list(zip(x.split(CHUNK), y.split(CHUNK), strict=True))

    def loss(model: nn.Module, chunks: Any) -> float:
        return sum(cross_entropy(model(x), y, reduction="sum").item() for x, y in chunks) / len(y)

    with torch.no_grad(), contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        dirs = directions.generate_random_orthogonal_directions(model, 2)
        return compute.compute_loss_landscape(model, chunks, dirs, loss, steps=steps, dim=2, device="cpu")


def _module(name: str) -> ModuleType:
    if "landscaper" not in sys.modules:
        spec = importlib.util.find_spec("landscaper")
        if spec is None:
            raise ModuleNotFoundError(name="landscaper")
        sys.modules["landscaper"] = importlib.util.module_from_spec(spec)
    return importlib.import_module(f"landscaper.{name}")
