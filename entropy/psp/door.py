"""PSP-entropy of a network's neurons from Python."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from entropy.information.layer import network_mean
from entropy.psp.compute import explain, layer_entropies_of
from entropy.psp.flags import Counting
from entropy.psp.labelled import class_labels, counted_alone
from entropy.psp.positions import position_entropies_of
from minima.store.command import BadInput
from minima.store.messages import brief, listening
from minima.zoo.examples.evaluation import Level
from minima.zoo.settings import chosen
from minima.zoo.subject.handed import LossLike, subject_of

if TYPE_CHECKING:
    from torch import Tensor, nn

    from entropy.information.layer import LayerEntropy
    from minima.zoo.subject.subject import Subject


@dataclass(frozen=True)
class PspEntropy:
    """How class-specific the neurons of a network are, layer by layer, in bits: found["conv1"].entropy is (n,)."""

    layers: tuple[LayerEntropy, ...]
    """in forward order, the output layer last: counts, entropies, mutual information of each neuron"""
    network_mean: float
    """over all hidden neurons (or tuples of a layer); NaN without hidden layer"""
    classes: int
    """how many classes or groups the states were held against; 1: none"""
    loss: float
    """of the examples, in the same pass; NaN where there are no targets"""
    score: float
    """accuracy, or whatever score goes with the loss"""
    notes: tuple[str, ...]
    """what was assumed, and what the numbers leave out"""

    def __getitem__(self, name: str) -> LayerEntropy:
        return {layer.name: layer for layer in self.layers}[name]

    @property
    def means(self) -> dict[str, float]:
        """Mean first-order PSP-entropy of each layer's neurons in bits, by the layer's name."""
        return {layer.name: float(layer.entropy.mean()) for layer in self.layers}


def psp_entropy(  # noqa: PLR0913 (named, and all but two optional)
    model: nn.Module,
    data: Any,
    loss: LossLike = None,
    *,
    groups: Any = None,
    order: int = 1,
    neurons: Literal["position", "channel"] = "position",
    tuples: int = 2000,
    pairs: Literal["auto", "all", "sampled"] = "auto",
    positions: Literal["as-examples"] | None = None,
    compat: Literal["published"] | None = None,
    permutations: int = 0,
    selectivity: bool = False,
    ties: bool = False,
    output: str | None = None,
    batch_size: int | None = None,
    memory: float = 4.0,
    seed: int = 0,
) -> PspEntropy:
    """How class-specific a network's neurons are: PSP-entropy.

    H = sum_c h(P(z > 0 | c)) over the classes c, h(p) = -p log2 p - (1 - p) log2 (1 - p), z being a neuron's
    post-synaptic potential (Tartaglione, Bragagnolo and Grangetto 2020). 0: its state follows from the class; as many
    bits as there are classes: a fair coin in each.

    Args:
        model: any module with elementwise activations; it stays as it is.
        data: (x, y), or whatever `minima.zoo.data.examples.as_examples` reads; without class labels the entropy is
            that of the states by themselves. Of a `Dataset` of minima the test split.
        loss: for the loss beside the entropy, as for `landscape.measure_sharpness`. Examples with the label
            that it ignores are left out, unless there are `groups`.
        groups: (N,) whole numbers to hold the states against instead of the class.
        order: neurons whose states are looked at jointly: 1, 2 (pairs), or n (sampled tuples).
        neurons: in feature maps, each position (as published) or each channel.
        tuples, pairs, positions, compat, permutations, selectivity, ties: as the flags of `python -m entropy.psp`.
        output: which of several outputs.
        batch_size: examples at once; results do not depend on it.
        memory: GiB that counting may take beside the model and its data.
        seed: `python -m entropy.psp` finds the same numbers with it.

    Returns:
        every layer's counts and entropies, neuron by neuron; counts have a row for each class that occurs (`labels`).

    Raises:
        BadInput: it would take more than `memory`, or model, data and groups do not fit together.

    >>> import torch
    >>> model = torch.nn.Sequential(torch.nn.Linear(1, 1, bias=False), torch.nn.ReLU(), torch.nn.Linear(1, 2))
    >>> _ = torch.nn.init.ones_(model[0].weight)
    >>> x, y = torch.tensor([[1.0], [-1.0], [1.0], [1.0]]), torch.tensor([0, 0, 1, 1])
    >>> found = psp_entropy(model, (x, y))
    >>> found.network_mean  # a coin in class 0, always on in class 1
    1.0
    """
    counting = chosen(
        Counting(
            order=order,
            tuples=tuples,
            pairs=pairs,
            neurons=neurons,
            positions=positions,
            compat=compat,
            permutations=permutations,
            selectivity=selectivity,
            ties=ties,
        )
    )
    with listening() as heard:
        subject = subject_of(model, data, loss, output=output, batch_size=batch_size, split="test")
        subject = counted_alone(subject) if groups is None else subject
        level = Level(subject.y, subject.task)
        if positions:
            grouped = groups is not None
            layers, skipped, classes = position_entropies_of(subject, counting, level, grouped, memory=memory)
        else:
            labels, classes = _groups(subject, groups)
            layers, skipped = layer_entropies_of(subject, labels, classes, counting, seed, level, memory=memory)
        absent = [label for label in range(classes) if label not in set(layers[-1].labels)]
        explain(subject, layers, skipped, absent)
        reached = level.evaluation()
        return PspEntropy(tuple(layers), network_mean(layers), classes, reached.loss, reached.score, tuple(heard))


def _groups(subject: Subject, groups: Any) -> tuple[Tensor, int]:
    """What the states are held against, and how many values it has."""
    import torch

    if groups is None:
        return class_labels(subject)
    try:
        found = torch.as_tensor(groups)
    except (TypeError, ValueError, RuntimeError) as error:
        raise BadInput(
            f"groups are a {type(groups).__name__} that holds no whole numbers, one for each example: {brief(error)}"
        ) from error
    if found.shape != (len(subject.x),) or found.is_floating_point() or int(found.min()) < 0:
        raise BadInput(
            f"groups have shape {tuple(found.shape)} and type {found.dtype}: expected ({len(subject.x)},) whole "
            "numbers from 0 on, one for each example"
        )
    return found.long().to(subject.device), int(found.max()) + 1
