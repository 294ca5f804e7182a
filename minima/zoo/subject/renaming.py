"""Files of transformers whose names are not those of its networks: its own loader knows which is which."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from minima.store.checkpoints.foreign import Foreign, flattened
from minima.zoo.subject.names import last

if TYPE_CHECKING:
    from torch import nn


def renamed_by_transformers(model: nn.Module, foreign: Foreign) -> Foreign | None:
    """The file's tensors under the network's names; None where the network is not of transformers, or they do not fit.

    transformers stores some networks under the names of earlier versions, split or merged, and ignores what those kept
    beside the weights. The loader must have found everything: what it would make up or leave over is no fit.
    """
    import torch

    library = sys.modules.get("transformers")
    if library is None or not isinstance(model, library.PreTrainedModel) or foreign.containers != {""}:
        return None
    ordinary = (torch.float32, torch.float16, torch.bfloat16)  # the loader casts: codes would go in as numbers
    weights = [tensor for name, tensor in foreign.tensors.items() if last(name) == "weight"]
    if any(tensor.dtype not in ordinary or tensor.layout != torch.strided for tensor in weights):
        return None
    try:
        loaded, report = type(model).from_pretrained(
            None, config=model.config, state_dict=dict(foreign.tensors), dtype=torch.float32, output_loading_info=True
        )
    except Exception:  # a library may raise anything; the plain comparison has its own message
        return None
    if any(report.values()):
        return None
    widths = {str(tensor.dtype)[6:] for tensor in weights} - {"float32"}
    said: tuple[str, ...] = (
        "the file's names are those in which transformers stores the network; its loader turned them",
    )
    said += (f"ran in float32, its weights being {' and '.join(sorted(widths))}",) if widths else ()
    return replace(flattened(loaded.state_dict()), notes=(*foreign.notes, *said))
