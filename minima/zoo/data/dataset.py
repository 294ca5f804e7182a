"""A dataset in memory, and the base of the registry of datasets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from minima.store.command import BadInput
from minima.store.registry import members
from minima.zoo.examples.inputs import Inputs, Several
from minima.zoo.examples.lazy import Lazy

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

ARRAYS = ("x_train", "y_train", "x_test", "y_test")


@dataclass(frozen=True)
class Dataset:
    """A train and a test split in file order, of which one may be missing (None): inputs (N, ...) and targets (N, ...).

    Floating inputs are normalised as the network takes them; targets are class labels (N,), numbers, or None.
    """

    x_train: Inputs
    y_train: Any
    x_test: Inputs
    y_test: Any
    classes: int | None
    """how many classes labels (N,) name, counted from 0; None where the targets are no such labels"""
    notes: tuple[str, ...] = ()
    """what was assumed of the arrays"""

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one input; () where there are several."""
        x = self.x_test if self.x_train is None else self.x_train
        first = x.first if isinstance(x, Lazy) else x
        return () if isinstance(first, Several) else tuple(first.shape[1:])

    @property
    def outputs(self) -> int:
        """Outputs that a network of the zoo has for these data: one for each class, or for each number of a target."""
        y = self.y_test if self.y_train is None else self.y_train
        if self.classes is not None:
            return self.classes
        if y is None or not y.is_floating_point():
            raise BadInput(
                "a network of the zoo has an output for each class of labels (N,), or for each number of float "
                "targets, and these data have neither.\nName a network of your own: --model path/to/file.py:Net"
            )
        return max(1, y[0].numel())

    def labelled(self, what: str) -> int:
        """How many classes there are; `what`, in words, needs to know.

        Raises:
            BadInput: the targets are no class labels (N,).
        """
        if self.classes is None:
            raise BadInput(f"{what} needs class labels (N,) counted from 0, and these data have none")
        return self.classes

    def split(self, name: str) -> tuple[Inputs, Any]:
        """Inputs and targets of `train` or `test`.

        Raises:
            BadInput: there is only the other one.
        """
        x, y = (self.x_train, self.y_train) if name == "train" else (self.x_test, self.y_test)
        if x is None:
            other = "test" if name == "train" else "train"
            raise BadInput(f"the data have no {name} split. Type --split {other}")
        return x, y


@dataclass(frozen=True)
class Source:
    """Base of the members of minima/zoo/data/datasets: where arrays come from, and by what they are normalised."""

    name: ClassVar[str]
    mean: ClassVar[tuple[float, ...]] = (0.0,)
    std: ClassVar[tuple[float, ...]] = (1.0,)
    bounds: ClassVar[tuple[float, float] | None] = None
    """of the inputs before normalisation; None where they have none"""
    needs_root: ClassVar[bool] = False
    """whether the arrays lie under --data-root"""
    torchvision: ClassVar[str | None] = None
    """the class in torchvision.datasets that downloads them"""

    def read(self, root: Path) -> Mapping[str, ArrayLike | Any]:
        """The arrays x_train, y_train, x_test, y_test, as they are on disk."""
        raise NotImplementedError

    def complete(self, root: Path) -> bool:  # noqa: ARG002 (nothing on disk is needed)
        """Whether all files that are read lie under `root`."""
        return True


def sources() -> dict[str, type[Source]]:
    """Every member of minima/zoo/data/datasets by name."""
    return members("minima.zoo.data.datasets", Source)
