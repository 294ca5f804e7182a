"""Results files as figures see them: labelled arrays, one entry a checkpoint. No torch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from figures.reading.names import Name, parse, parse_result
from minima.store.command import BadInput
from minima.store.hdf5.opening import opened
from minima.store.hdf5.results import FORMAT, VERSION
from minima.store.hdf5.summaries import summaries_in


@dataclass(frozen=True)
class Results:
    """A finished results file of a study, read when asked."""

    path: Path
    study: str
    model: str
    seed: int
    called: str
    """what the study calls it: psp-test, curvature, path-between-0.97, ..."""
    measure: str
    names: tuple[Name, ...]
    """the checkpoints; () for a measurement of several at once"""

    def array(self, dataset: str) -> NDArray[Any]:
        """An array with the checkpoints as its first axis, also where the file holds only one."""
        with opened(self.path, FORMAT, VERSION) as file:
            if dataset not in file:
                raise BadInput(f"{self.path} has no {dataset}: it was made by {self.measure}")
            values = np.asarray(file[dataset][()])
        return values if len(self.names) > 1 else values[None]

    def has(self, dataset: str) -> bool:
        """Whether there is such an array."""
        with opened(self.path, FORMAT, VERSION) as file:
            return dataset in file

    def labels(self, scale: str) -> NDArray[Any]:
        """A dimension scale, which all checkpoints share."""
        with opened(self.path, FORMAT, VERSION) as file:
            return np.asarray(file[scale][()])

    def attribute(self, name: str, group: str = "/") -> Any:
        """An attribute of a group, as stored."""
        with opened(self.path, FORMAT, VERSION) as file:
            return file[group].attrs[name]

    def summaries(self) -> list[dict[str, Any]]:
        """What the command said of each checkpoint."""
        with opened(self.path, FORMAT, VERSION) as file:
            return summaries_in(file)

    @property
    def samples(self) -> int:
        """The number of examples that the result was measured on."""
        return int(self.summaries()[0]["samples"])

    def hidden_layers(self) -> list[str]:
        """The layers of a PSP-entropy result but the output, in forward order."""
        return [layer["name"] for layer in self.summaries()[0]["layers"] if not layer["output"]]


def read(path: Path) -> Results:
    """Open a results file of a study; BadInput for what is none."""
    try:
        named = parse_result(path.name)
    except ValueError as error:
        raise BadInput(f"{path.parent / str(error)}") from error
    with opened(path, FORMAT, VERSION) as file:
        measure, checkpoints = file.attrs["measure"], file.attrs["checkpoint"]
    found: Sequence[str] = [] if isinstance(checkpoints, str) else [str(name) for name in checkpoints]
    names = tuple(parse(name) for name in found)
    return Results(path, named.study, named.model, named.seed, named.measure, measure, names)


def read_all(paths: Iterable[Path]) -> list[Results]:
    """Open all these results files."""
    return [read(path) for path in paths]
