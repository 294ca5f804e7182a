"""CIFAR-10 (Krizhevsky 2009) from torchvision's folder layout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from minima.store.command import BadInput
from minima.store.description import ANYTHING, COUNT, Fields, Rule, check, shown
from minima.zoo.data.dataset import Source

if TYPE_CHECKING:
    import numpy as np

PIXELS = 3 * 32 * 32


def _are_labels(value: Any) -> bool:
    """Whether they are whole numbers, 0 or more, one after the other."""
    if hasattr(value, "dtype"):
        return value.ndim == 1 and value.dtype.kind in "iu" and bool((value >= 0).all())
    return isinstance(value, list | tuple) and all(COUNT.holds(each) for each in value)


ROWS = Rule(
    f"uint8 rows of {PIXELS} values",
    lambda value: getattr(value, "dtype", None) == "uint8" and value.shape[1:] == (PIXELS,),
)
LABELS = Rule("whole numbers, 0 or more, one for each row", _are_labels)


@dataclass(frozen=True)
class CIFAR10(Source):
    """32x32 colour images of ten classes, 50,000 train and 10,000 test; the python version's pickles under --data-root.

    Their pickles are read without running anything that they name.
    """

    name: ClassVar[str] = "cifar10"
    bounds: ClassVar[tuple[float, float] | None] = (0.0, 1.0)
    mean: ClassVar[tuple[float, ...]] = (0.4914, 0.4822, 0.4465)
    std: ClassVar[tuple[float, ...]] = (0.2470, 0.2435, 0.2616)
    needs_root: ClassVar[bool] = True
    torchvision: ClassVar[str] = "CIFAR10"
    folder: ClassVar[str] = "cifar-10-batches-py"
    archive: ClassVar[str] = "cifar-10-python.tar.gz"
    files: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "train": tuple(f"data_batch_{index}" for index in range(1, 6)),
        "test": ("test_batch",),
    }
    labels: ClassVar[str] = "labels"

    def read(self, root: Path) -> Mapping[str, Any]:
        import numpy as np

        arrays: dict[str, Any] = {}
        for split, names in self.files.items():
            batches = [self._batch(root, name) for name in names]
            arrays[f"x_{split}"] = np.concatenate([images for images, _ in batches])
            arrays[f"y_{split}"] = np.concatenate([labels for _, labels in batches])
        return arrays

    def complete(self, root: Path) -> bool:
        return all((root / self.folder / name).exists() for names in self.files.values() for name in names)

    def _batch(self, root: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Images (N, 3, 32, 32) uint8 and labels (N,) of one file."""
        import numpy as np

        from minima.zoo.data.pickled import read_pickle

        path = root / self.folder / name
        if not path.exists():
            raise BadInput(
                f"{path} is missing.\n"
                f"{self.name} is read from --data-root (now {root}) in torchvision's layout: unpack {self.archive}\n"
                "from www.cs.toronto.edu/~kriz/cifar.html there, or point --data-root (or $DATA_ROOT) to the folder\n"
                f"that has {self.folder}; minima.train --download fetches it."
            )
        batch = read_pickle(path)
        check(batch, Fields({"data": ROWS, self.labels: LABELS}, others=ANYTHING), str(path))
        images, labels = batch["data"], batch[self.labels]
        if len(labels) != len(images):
            raise BadInput(f"{path}: {self.labels} is {shown(labels)}, expected {len(images)} labels")
        return images.reshape(-1, 3, 32, 32), np.asarray(labels)  # a row holds the red plane, the green, the blue
