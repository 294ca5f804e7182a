"""The loss over some examples, as what scores by gradients differentiate."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from minima.store.command import BadInput
from minima.zoo.examples.evaluation import evaluating
from minima.zoo.examples.inputs import arguments
from minima.zoo.losses.named.cross_entropy import CrossEntropy
from minima.zoo.losses.named.next_token import NextToken
from minima.zoo.seeds import derive
from pruning.context.sample import Sample

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context.context import Context

    Loss = Callable[[Mapping[str, Tensor]], Tensor]
    """tensors by parameter name, in place of the network's own -> a scalar"""


@dataclass(frozen=True)
class Probe(Sample):
    """The loss over a sample as a function of the parameters; a cross-entropy may be of logits / temperature."""

    temperature: float = 1.0
    """number that divides the logits before a cross-entropy, while scores are computed"""
    mode: Literal["eval", "train"] = "eval"
    """how the network is run while scores are computed. eval: batch normalisation by its running statistics, no
    dropout; train: batch normalisation by the statistics of the examples at hand, with dropout"""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.temperature < float("inf"):
            raise BadInput(f"--temperature {self.temperature}: expected a finite number above 0")

    @contextmanager
    def losses(self, context: Context, draw: int = 0) -> Iterator[list[Loss]]:
        """Functions whose sum is the loss, each of about as many examples as a training step has.

        Inside the block the network is in the probe's mode; what a call changes (running statistics, random state) is
        back after it.
        """
        import torch

        from landscape.passes.attention import plain_attention

        check_temperature(context, self.temperature)
        x, y = self.draw(context, draw)
        parts = torch.arange(len(x), device=x.device).tensor_split(-(-len(x) // context.batch_size))
        devices = [x.device] if x.is_cuda else []
        with evaluating(context.model), torch.random.fork_rng(devices), plain_attention(), torch.enable_grad():
            context.model.train(self.mode == "train")
            batches = [(x[rows], y[rows]) for rows in parts]
            whole = sum(total_weight(context, *batch) for batch in batches)
            yield [partial(self._loss, context, whole, *batch) for batch in batches]

    def _loss(self, context: Context, whole: float, x: Any, y: Any, weights: Mapping[str, Tensor]) -> Tensor:
        self._seed_noise(context)
        buffers = {name: buffer.clone() for name, buffer in context.model.named_buffers()}
        outputs = outputs_at(context, {**buffers, **weights}, x)
        return context.task.loss.summed(tempered(context, outputs, self.temperature), y) / whole

    def _seed_noise(self, context: Context) -> None:
        """Dropout draws alike at every call: the loss is one function of the weights."""
        import torch

        if self.mode == "train":
            seed = derive(context.seed, "noise", context.cuts)
            torch.default_generator.manual_seed(seed)
            if context.x.is_cuda:
                torch.cuda.manual_seed(seed)


def outputs_at(context: Context, tensors: Mapping[str, Tensor], x: Any) -> Any:
    """The outputs that are judged, for inputs x, with these parameters and buffers in place of the network's own."""
    from minima.zoo.examples.functional import functional_call

    return context.task.picked(functional_call(context.model, dict(tensors), *arguments(x)))


def tempered(context: Context, outputs: Any, temperature: float) -> Any:
    """The logits divided by a temperature.

    Raises:
        BadInput: the loss is no cross-entropy of logits.
    """
    check_temperature(context, temperature)
    return outputs if temperature == 1 else outputs / temperature


def check_temperature(context: Context, temperature: float) -> None:
    """BadInput where the loss is no cross-entropy of logits that a temperature could divide."""
    if temperature != 1 and not isinstance(context.task.loss, CrossEntropy | NextToken):
        raise BadInput(
            f"a temperature ({temperature:g}) divides the logits of a cross-entropy, and the loss is "
            f"{context.task.loss.name}.\nType --temperature 1; an exchange whose rule has one: another --drop"
        )


def total_weight(context: Context, x: Any, y: Any) -> float:
    """The total weight of some examples, sum_i w_i, by which their mean loss is divided.

    It is their number where each weighs 1; classification leaves out targets that the loss ignores.
    """
    import torch

    if context.task.loss == CrossEntropy() and torch.is_tensor(y) and y.ndim == 1:
        return float((y != CrossEntropy().ignore_index).sum())
    with evaluating(context.model), torch.no_grad():
        weights = context.task.terms(context.task.outputs(context.model, x), y).weights
    return float(len(x) if weights is None else weights.sum())


def leaves(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Copies to differentiate by, so that nothing reaches the network's gradients."""
    return {name: tensor.detach().clone().requires_grad_() for name, tensor in tensors.items()}


@contextmanager
def differentiable(weights: Mapping[str, Tensor]) -> Iterator[None]:
    """Frozen weights can be differentiated by inside the block: they do not move, but sparsity counts them."""
    frozen = [weight for weight in weights.values() if not weight.requires_grad]
    for weight in frozen:
        weight.requires_grad_(True)
    try:
        yield
    finally:
        for weight in frozen:
            weight.requires_grad_(False)
