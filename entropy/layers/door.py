"""Entropy of each layer's rectifier from Python."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from entropy.layers.compute import layers_of
from entropy.layers.estimator import estimators
from minima.store.command import BadInput
from minima.store.messages import listening
from minima.zoo.subject.handed import LossLike, subject_of

if TYPE_CHECKING:
    from torch import nn

    from entropy.layers.rectifiers import Rectifier


@dataclass(frozen=True)
class LayerEntropies:
    """The rectifiers of a network in forward order, each with its entropy in bits, and which could be left out."""

    layers: tuple[Rectifier, ...]
    """name, entropy in bits, importance, and whether the outputs stay the same without it"""
    remove_next: tuple[str, ...]
    """which the estimator's method takes out next"""
    notes: tuple[str, ...]
    """what was assumed of the network and the data"""

    @property
    def entropies(self) -> dict[str, float]:
        """The entropy of each layer in bits, by its name."""
        return {layer.name: layer.entropy for layer in self.layers}


def layer_entropies(
    model: nn.Module,
    data: Any,
    loss: LossLike = None,
    *,
    estimator: str = "egp",
    published: bool = False,
    output: str | None = None,
    batch_size: int | None = None,
) -> LayerEntropies:
    """Entropy of each layer's rectifier, and whether it could be left out (EGP, NEPENTHE, EASIER).

    H_l = mean over channels of h(P(z > 0)), h(p) = -p log2 p - (1 - p) log2 (1 - p): a layer whose channels are all on
    or all off computes a linear map, and its activation can go.

    Args:
        model: any module with elementwise activations; it stays as it is.
        data: (x, y), or whatever `minima.zoo.data.examples.as_examples` reads; of a `Dataset` of minima the test split.
        loss: only to see that model and data fit.
        estimator: "egp" (Liao et al. 2023), "nepenthe" (Liao et al. 2024), "easier" (Quetu et al. 2024).
        published: average the entropies of mini-batches, as the published code does.
        output: which of several outputs.
        batch_size: examples at once; results depend on it with `published` only.

    Raises:
        BadInput: an estimator that is none, or a network without activations.

    >>> import torch
    >>> model = torch.nn.Sequential(torch.nn.Identity(), torch.nn.ReLU(), torch.nn.Linear(1, 2))
    >>> layer_entropies(model, (torch.tensor([[2.0], [-1.0], [1.0], [-3.0]]), torch.zeros(4).long())).entropies
    {'input': 1.0}
    """
    if estimator not in estimators():
        raise BadInput(f"estimator {estimator!r}: known are {', '.join(estimators())}")
    with listening() as heard:
        subject = subject_of(model, data, loss, output=output, batch_size=batch_size, split="test")
        chosen = estimators()[estimator]()
        layers: Sequence[Rectifier] = layers_of(subject, chosen, published=published, batch_size=batch_size)[0]
        removed = tuple(chosen.removes({layer.name: layer.entropy for layer in layers}))
        return LayerEntropies(tuple(layers), removed, tuple(heard))
