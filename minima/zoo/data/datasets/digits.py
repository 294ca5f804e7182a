"""scikit-learn's bundled handwritten digits (UCI optdigits test set): 1,797 real 8x8 images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

from minima.store.command import BadInput
from minima.zoo.data.dataset import Source

EVERY = 5


@dataclass(frozen=True)
class Digits(Source):
    """8x8 grey images scaled to [0, 1]; images 0, 5, 10, ... are the test split (360), the others train (1,437)."""

    name: ClassVar[str] = "digits"
    bounds: ClassVar[tuple[float, float] | None] = (0.0, 1.0)

    def read(self, root: Path) -> Mapping[str, Any]:  # noqa: ARG002 (nothing on disk is needed)
        import numpy as np

        rows = np.loadtxt(_file(), delimiter=",")
        x, labels = (rows[:, :-1] / 16).reshape(-1, 1, 8, 8).astype(np.float32), rows[:, -1].astype(np.int64)
        test = np.arange(len(x)) % EVERY == 0
        return {"x_train": x[~test], "y_train": labels[~test], "x_test": x[test], "y_test": labels[test]}


def _file() -> Path:
    """The table within scikit-learn, whose import alone would take a second."""
    package = find_spec("sklearn")
    if package is None or package.origin is None:
        raise BadInput("the digits come with scikit-learn, which is not installed: pip install scikit-learn")
    return Path(package.origin).parent / "datasets" / "data" / "digits.csv.gz"
