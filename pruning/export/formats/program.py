"""An exported program of torch: the network's operations and tensors, which run without its code."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pruning.export.format import Format
from pruning.export.tracing import run_with, traced

if TYPE_CHECKING:
    from torch import nn

    from minima.zoo.examples.inputs import Inputs


@dataclass(frozen=True)
class Program(Format):
    """An exported program, for `torch.export.load(FILE).module()`."""

    name: ClassVar[str] = "exported-program"
    suffixes: ClassVar[tuple[str, ...]] = (".pt2",)
    traces: ClassVar[bool] = True

    def write(self, model: nn.Module, x: Inputs, any_number: bool) -> bytes:
        import torch

        buffer = io.BytesIO()
        torch.export.save(traced(model, x, any_number), buffer)
        return buffer.getvalue()

    def outputs(self, content: bytes, model: nn.Module, x: Inputs) -> Any:  # noqa: ARG002 (the file has its own)
        import torch

        return run_with(torch.export.load(io.BytesIO(content)).module(), x)
