"""Cross-entropy of the next token, as language models are trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from minima.store.command import BadInput
from minima.zoo.losses.classification import Positions, check_labels, positions, right, rows_of
from minima.zoo.losses.loss import Loss, Terms
from minima.zoo.losses.score import Accuracy

if TYPE_CHECKING:
    from torch import Tensor


TOKENS, MASK = "input_ids", "attention_mask"


@dataclass(frozen=True)
class NextToken(Loss):
    """s_i = sum over counted positions t of -log p(y_{t+1} | x_{<=t}), w_i = their number; nats.

    Cross-entropy of the logits z (N, T, V) before the last position against the targets (N, T) after the first. Targets
    are `labels` where the data have them, which alone decide what counts (`ignore_index` does not); else the tokens
    themselves, a position counting where the attention mask holds at it and at the next one.

    >>> import torch
    >>> NextToken().terms(torch.zeros(1, 3, 4), torch.tensor([[0, 1, 2]]))
    Terms(sums=tensor([2.7726], dtype=torch.float64), weights=tensor([2.], dtype=torch.float64))
    """

    name: ClassVar[str] = "next-token"
    summary: ClassVar[str] = "cross-entropy of each token given those before it, mean over counted positions, in nats"
    unit: ClassVar[str] = "nat"

    ignore_index: int = -100
    """the label of positions that do not count"""

    def targets_of(self, inputs: Mapping[str, Tensor]) -> tuple[Tensor, str] | None:
        """The tokens themselves, `input_ids` or the only inputs, without those that the attention mask leaves out.

        >>> import torch
        >>> tokens, mask = torch.tensor([[5, 6, 7, 0]]), torch.tensor([[1, 1, 1, 0]])
        >>> NextToken().targets_of({"input_ids": tokens, "attention_mask": mask})[0]
        tensor([[   5,    6,    7, -100]])
        """
        tokens = inputs.get(TOKENS, inputs.get("")) if TOKENS in inputs or len(inputs) == 1 else None
        if tokens is None or tokens.is_floating_point() or tokens.ndim != 2:
            return None
        mask = inputs.get(MASK)
        if mask is None or mask.shape != tokens.shape:
            return tokens.long(), f"the data have no labels: every next token counts, there being no {MASK}"
        held = mask.bool()
        targets = tokens.long().clone()
        targets[:, 1:].masked_fill_(~(held[:, 1:] & held[:, :-1]), self.ignore_index)
        return targets, f"the data have no labels: tokens count where {MASK} holds at them and at the one before"

    def check(self, outputs: Tensor, targets: Any) -> None:
        """Refuse outputs that are not (N, T, V), and targets that are no tokens (N, T)."""
        if outputs.ndim != 3 or targets.shape[1:] != outputs.shape[1:2] or targets.is_floating_point():
            raise BadInput(
                f"--loss next-token expects logits (N, T, vocabulary) and tokens (N, T), and found outputs "
                f"{rows_of(outputs.shape[1:])} and {targets.dtype} targets {rows_of(targets.shape[1:])}"
            )
        if targets.shape[1] < 2:
            raise BadInput("--loss next-token needs sequences of two tokens at least: there is no next one")
        check_labels(targets[:, 1:], outputs.shape[2], self.name, self.ignore_index)

    def terms(self, outputs: Tensor, targets: Any) -> Terms:
        """The sums over positions, and their number, of each example."""
        from torch.nn.functional import cross_entropy

        found = self._shifted(outputs, targets)
        each = cross_entropy(found.logits, found.labels, reduction="none")
        return Terms(found.sum(each), self.weights(outputs, targets))

    def weights(self, outputs: Tensor, targets: Any) -> Tensor | None:
        """How many positions of each example count."""
        return (targets[:, 1:] != self.ignore_index).double().sum(1)

    def score(self, targets: Any) -> Accuracy:
        """The share of counted positions whose likeliest next token is the right one."""
        return Accuracy(lambda outputs, some: right(self._shifted(outputs, some)))

    def _shifted(self, outputs: Tensor, targets: Tensor) -> Positions:
        return positions(outputs[:, :-1], targets[:, 1:], 2, self.ignore_index)
