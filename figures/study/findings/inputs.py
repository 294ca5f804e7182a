"""What findings are judged by: tables of comparisons, results of `pruning.collapse` and of `landscape.stability`."""

from __future__ import annotations

import json
import shlex
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from figures.reading.evidence import Key
from figures.reading.names import Name, parse
from figures.study.findings.statements import EDGE_VALUES
from minima.store.command import BadInput
from minima.store.hdf5.opening import is_hdf5, opened
from minima.store.hdf5.results import FORMAT, VERSION
from minima.store.hdf5.summaries import summaries_in

EDGE = "edge-"
"""begins the arms that were trained full batch"""
K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


@dataclass(frozen=True)
class Setting:
    """A comparison: its networks, trained and pruned with the same flags."""

    path: Path
    name: str
    model: str
    data: str
    rate: float
    """the parents' first learning rate; NaN where the comparison leaves it to `minima.train`"""
    seeds: tuple[int, ...]
    """asked for"""
    arms: tuple[str, ...]
    values: tuple[str, ...]
    cells: Mapping[Key, Mapping[str, float]]
    """NaN for a value that a network does not have"""

    @property
    def label(self) -> str:
        """What it is called in tables."""
        return self.name if np.isnan(self.rate) else f"{self.name}, learning rate {self.rate:g}"


@dataclass(frozen=True)
class Inputs:
    """Everything that the findings are judged by, read."""

    settings: tuple[Setting, ...]
    """the largest learning rate first"""
    collapse: Mapping[tuple[str, str, int], Mapping[str, float]]
    """by model, method and seed: the compression at the first empty layer"""
    edge: Mapping[tuple[str, int], Mapping[str, float]]
    """by arm and seed: lambda_max lr / 2 of a full-batch training, `edge` where it settled and `edge_along` before"""


def read_inputs(paths: Sequence[Path]) -> Inputs:
    """Read files of any of the three kinds, in any order.

    Raises:
        BadInput: a file is of another kind, or two say something of the same network.
    """
    settings: list[Setting] = []
    collapse: dict[tuple[str, str, int], Mapping[str, float]] = {}
    edge: dict[tuple[str, int], Mapping[str, float]] = {}
    for path in paths:
        if not is_hdf5(path):
            settings.append(_setting(path))
            continue
        measure, found = _summaries(path)
        if measure == "collapse":
            for name, summary in found:
                for method, values in summary["methods"].items():
                    _add(collapse, (name.model, method, name.seed), values, path)
        elif measure == "stability":
            for key, moments in _trajectories(found).items():
                values = settled(moments), while_learning(moments)
                _add(edge, key, dict(zip(EDGE_VALUES, values, strict=True)), path)
        else:
            raise BadInput(f"{path} holds a result of {measure}, expected one of collapse or stability")
    settings.sort(key=lambda setting: (-np.nan_to_num(setting.rate), setting.name))
    if len({setting.name for setting in settings}) < len(settings):
        raise BadInput(f"two comparisons of one name: {', '.join(str(setting.path) for setting in settings)}")
    return Inputs(tuple(settings), collapse, edge)


def settled(moments: Sequence[Mapping[str, Any]]) -> float:
    """Median over the last third of a training's steps of lambda_max lr / 2: 1 where gradient descent is just stable.

    `moments` are summaries of `landscape.stability`.

    >>> settled([{"update": u, "lambda_max": 2.0 * u, "learning_rate": 0.5} for u in (0, 1, 2, 3)])
    1.25
    """
    update, curvature, rate = (
        np.array([moment[key] for moment in moments], dtype=float) for key in ("update", "lambda_max", "learning_rate")
    )
    late = (3 * update >= 2 * update.max()) & np.isfinite(curvature * rate)
    return float(np.median((curvature * rate / 2)[late])) if late.any() else np.nan


def while_learning(moments: Sequence[Mapping[str, Any]]) -> float:
    """Median of lambda_max lr / 2 from the first moment at which it is 1 or more to the last one at which the network
    still errs on examples that it is trained on; NaN where there is no such time.

    >>> course = [0.5, 1.2, 1.0, 1.4, 0.3]
    >>> moments = [{"update": u, "lambda_max": 4 * v, "learning_rate": 0.5} for u, v in enumerate(course)]
    >>> while_learning([m | {"accuracy": a} for m, a in zip(moments, (0.2, 0.5, 0.7, 0.9, 1.0), strict=True)])
    1.2
    """
    ordered = sorted(moments, key=lambda moment: moment["update"])
    curvature, rate, accuracy = (
        np.array([moment.get(key) for moment in ordered], dtype=float)
        for key in ("lambda_max", "learning_rate", "accuracy")
    )
    ratio = curvature * rate / 2
    reached, errs = np.flatnonzero(ratio >= 1), np.flatnonzero(accuracy < 1)
    if not reached.size or not errs.size or errs[-1] < reached[0]:
        return np.nan
    return float(np.median(ratio[reached[0] : errs[-1] + 1]))


def _setting(path: Path) -> Setting:
    try:
        table = json.loads(path.read_text())
        asked = table["comparison"]
        cells = {
            Key(cell["arm"], float(cell["asked"]), int(cell["seed"]), cell["stage"]): {
                name: np.nan if cell.get(name) is None else float(cell[name]) for name in table["values"]
            }
            for cell in table["cells"]
        }
        return Setting(
            path,
            asked["name"],
            asked["model"],
            asked["data"],
            _rate(asked["dense"]),
            tuple(range(asked["seeds"])),
            tuple(arm["name"] for arm in asked["arms"]),
            tuple(table["values"]),
            cells,
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInput(f"{path} is neither a table of figures.study nor a results file ({error!r})") from error


def _rate(flags: str) -> float:
    """Of `--lr 0.05` or `--lr=0.05`."""
    words = shlex.split(flags.replace("--lr=", "--lr "))
    return float(words[words.index("--lr") + 1]) if "--lr" in words[:-1] else np.nan


def _summaries(path: Path) -> tuple[str, list[tuple[Name, dict[str, Any]]]]:
    """The measure of a results file, and the name and summary of each checkpoint."""
    with opened(path, FORMAT, VERSION) as file:
        measure = str(file.attrs["measure"])
        names = [parse(str(name)) for name in np.atleast_1d(file.attrs["checkpoint"])]
        return measure, list(zip(names, summaries_in(file), strict=True))


def _trajectories(found: Sequence[tuple[Name, dict[str, Any]]]) -> dict[tuple[str, int], list[dict[str, Any]]]:
    """The moments of each trajectory, by arm and seed."""
    moments: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for name, summary in found:
        moments.setdefault((name.arm, name.seed), []).append(summary)
    return moments


def _add(table: dict[K, T], key: K, value: T, path: Path) -> None:
    if key in table:
        raise BadInput(f"{path}: another file says the same already of {key}")
    table[key] = value
