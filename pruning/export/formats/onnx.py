"""ONNX: the network's operations and tensors for runtimes of other makers."""

from __future__ import annotations

import importlib
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from minima.store.command import BadInput
from minima.zoo.examples.inputs import Several, leaves
from pruning.export.format import Format
from pruning.export.tracing import traced

if TYPE_CHECKING:
    from torch import nn

    from minima.zoo.examples.inputs import Inputs

LARGEST = 2**31
"""bytes that a file of this format, without others beside it, may have"""


@dataclass(frozen=True)
class Onnx(Format):
    """An ONNX model of the opset that torch's exporter chooses.

    It is checked by onnxruntime, or by the evaluator of onnx where that is not installed.
    """

    name: ClassVar[str] = "onnx"
    suffixes: ClassVar[tuple[str, ...]] = (".onnx",)
    traces: ClassVar[bool] = True

    def write(self, model: nn.Module, x: Inputs, any_number: bool) -> bytes:
        import torch

        for needed in ("onnx", "onnxscript"):
            _imported(needed)
        size = sum(tensor.numel() * tensor.element_size() for tensor in model.state_dict().values())
        if size >= LARGEST:
            raise BadInput(f"the network has {size:,} bytes, and an .onnx file takes 2 GiB at most: write .pt2 instead")
        program = torch.onnx.export(traced(model, x, any_number), dynamo=True, verbose=False)
        assert program is not None
        content: bytes = program.model_proto.SerializeToString()
        return content

    def outputs(self, content: bytes, model: nn.Module, x: Inputs) -> Any:  # noqa: ARG002 (the file has its own)
        import torch

        arrays = [leaf.detach().cpu().numpy() for leaf in leaves(x)]
        try:
            runtime = importlib.import_module("onnxruntime")
        except ImportError:
            reference = importlib.import_module("onnx.reference")
            session = reference.ReferenceEvaluator(io.BytesIO(content))
            names = session.input_names
        else:
            session = runtime.InferenceSession(content, providers=["CPUExecutionProvider"])
            names = [each.name for each in session.get_inputs()]
        fed = dict(zip(names, arrays, strict=False))
        if isinstance(x, Several) and isinstance(x.fields, dict):  # one that the network does not read is left out
            fed = {name: x.fields[name].detach().cpu().numpy() for name in names}
        found = session.run(None, fed)
        return [torch.as_tensor(array) for array in found]


def _imported(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise BadInput(
            f"an .onnx file is made with {name}, which cannot be imported here ({error}).\n"
            "Install the extra `export`: pip install -c constraints.txt -e '.[export]'"
        ) from error
