"""`--samples`: which examples of a split are used, so that they stand for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from minima.store.command import BadInput
from minima.zoo.examples.inputs import Inputs, part_of
from minima.zoo.seeds import derive

if TYPE_CHECKING:
    from torch import Tensor

FIRST = "first:"


@dataclass(frozen=True)
class Sample:
    """How many examples, and whether they are drawn or the first."""

    count: int
    drawn: bool

    @staticmethod
    def parse(asked: int | str | None, available: int, split: str) -> Sample:
        """`N` drawn under the seed, `first:N` the first N in file order, None all.

        Raises:
            BadInput: no number, or more than there are.

        >>> Sample.parse("first:3", 10, "train"), Sample.parse(None, 10, "train")
        (Sample(count=3, drawn=False), Sample(count=10, drawn=True))
        """
        if asked is None:
            return Sample(available, drawn=True)
        text = str(asked)
        number = text.removeprefix(FIRST)
        if not number.isdigit() or not 1 <= int(number) <= available:
            raise BadInput(
                f"--samples {asked}: the {split} split has {available} examples. Type 1 to {available}, "
                "or first:N for the first N in file order"
            )
        return Sample(int(number), drawn=not text.startswith(FIRST))

    def of(self, x: Inputs, y: Any, seed: int) -> tuple[Tensor, Inputs, Any]:
        """(n,) indices of the examples, their inputs, and their targets, None where there are none."""
        rows = self.rows(y, len(x), seed)
        if len(rows) == len(x):
            return rows, x, y
        return rows, part_of(x, rows), None if y is None else y[rows]

    def rows(self, y: Any, available: int, seed: int) -> Tensor:
        """(n,) indices of the examples, ascending.

        Of class labels y (N,): permuted within each class under the seed, the classes behind one another, every
        (N / n)-th from a random offset, so that every example is as likely (n / N) and the classes come in their
        shares. Of other targets a simple random sample.

        >>> import torch
        >>> labels = torch.tensor([0] * 8 + [1] * 4)
        >>> labels[Sample(3, drawn=True).rows(labels, 12, seed=0)].tolist()
        [0, 0, 1]
        """
        import torch

        if self.count == available or not self.drawn:
            return torch.arange(self.count)
        generator = torch.Generator().manual_seed(derive(seed, "samples"))
        order = torch.randperm(available, generator=generator)
        if torch.is_tensor(y) and y.ndim == 1 and not y.is_floating_point():
            order = order[y.cpu()[order].argsort(stable=True)]
            offset = torch.rand((), generator=generator, dtype=torch.float64)
            places = ((torch.arange(self.count, dtype=torch.float64) + offset) * (available / self.count)).long()
            order = order[places.clamp_max(available - 1)]
        return order[: self.count].sort().values
