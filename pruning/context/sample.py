"""The examples that scores are computed on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from landscape.objective.streams import stream
from minima.store.command import BadInput

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context.context import Context


@dataclass(frozen=True)
class Sample:
    """Examples drawn from the training part without replacement: a pure function of seed, number of the cut, draw."""

    examples: int = 128
    """number of training examples that scores are computed from; with --by class, of each class"""
    by: Literal["chance", "class"] = "chance"
    """chance: they are drawn from the whole training part; class: as many of each class"""

    def __post_init__(self) -> None:
        if self.examples < 1:
            raise BadInput(f"--examples {self.examples}: expected at least 1 training example to score on")

    def draw(self, context: Context, draw: int = 0) -> tuple[Any, Any]:
        """x (n, ...) and targets y (n, ...); another `draw` takes other examples.

        Raises:
            BadInput: they are to be drawn by class, and the targets are not one whole number for each example.
        """
        import torch

        order = torch.randperm(len(context.x), generator=stream(context.seed, "sample", context.cuts, draw))
        if self.by == "class":
            check_labels(context.y, self.examples)
            shuffled = context.y.cpu()[order]
            picks = [(shuffled == label).nonzero().flatten()[: self.examples] for label in shuffled.unique()]
            order = order[torch.cat(picks)]
        else:
            order = order[: self.examples]
        order = order.to(context.x.device)
        return context.x[order], context.y[order]

    def size(self, context: Context) -> int:
        """The number of examples that are drawn."""
        return len(self.draw(context)[0])

    def remedy(self) -> str:
        """What to type for more of them.

        >>> Sample(examples=128).remedy()
        '--examples 512'
        """
        return f"--examples {4 * self.examples}"


def check_labels(y: Tensor, examples: int) -> None:
    """See that there is one class for each example, or raise a BadInput; `examples`: how many of each class were asked
    for.
    """
    if y.ndim != 1 or y.is_floating_point() or y.is_complex():
        raise BadInput(
            "--by class draws as many examples of each class, so each training example needs the number of its class: "
            f"expected whole numbers of shape (N,),\nfound {y.dtype} of shape {tuple(y.shape)}. "
            f"Type --by chance --examples {10 * examples}"
        )
