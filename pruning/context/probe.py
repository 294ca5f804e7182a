"""The loss over some examples, as what scores by gradients differentiate."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

from minima.store.command import BadInput
from minima.zoo.seeds import derive
from pruning.context.sample import Sample

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context.context import Context

    Loss = Callable[[Mapping[str, Tensor]], Tensor]
    """tensors by parameter name, in place of the network's own -> a scalar (nats)"""


@dataclass(frozen=True)
class Probe(Sample):
    """Mean cross-entropy (nats) of logits / temperature over a sample, as a function of the parameters."""

    temperature: float = 1.0
    """number that divides the network's outputs before the loss, while scores are computed"""
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
        from minima.zoo.examples.evaluation import evaluating

        x, y = self.draw(context, draw)
        parts = -(-len(x) // context.batch_size)
        batches = zip(x.tensor_split(parts), y.tensor_split(parts), strict=True)
        devices = [x.device] if x.is_cuda else []
        with evaluating(context.model), torch.random.fork_rng(devices), plain_attention(), torch.enable_grad():
            context.model.train(self.mode == "train")
            yield [partial(self._loss, context, len(x), *batch) for batch in batches]

    def _loss(self, context: Context, whole: int, x: Tensor, y: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
        from torch.func import functional_call
        from torch.nn.functional import cross_entropy

        self._seed_noise(context)
        buffers = {name: buffer.clone() for name, buffer in context.model.named_buffers()}
        logits = functional_call(context.model, {**buffers, **weights}, (x,))
        return cross_entropy(logits / self.temperature, y, reduction="sum") / whole

    def _seed_noise(self, context: Context) -> None:
        """Dropout draws alike at every call: the loss is one function of the weights."""
        import torch

        if self.mode == "train":
            seed = derive(context.seed, "noise", context.cuts)
            torch.default_generator.manual_seed(seed)
            if context.x.is_cuda:
                torch.cuda.manual_seed(seed)


def leaves(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Copies to differentiate by, so that nothing reaches the network's gradients."""
    return {name: tensor.detach().clone().requires_grad_() for name, tensor in tensors.items()}
