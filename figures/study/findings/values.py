"""The numbers behind a statement's views: what its networks say, a row for each seed that counts, and their summary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from figures.reading.evidence import Key
from figures.statistics.paired import Paired, paired, slope
from figures.statistics.trend import Trend, page
from figures.study.findings.inputs import EDGE, Inputs, Setting
from figures.study.findings.statements import View
from figures.study.networks.networks import DENSE

Floats = NDArray[np.float64]
Network = tuple[str, float, int]
"""arm, sparsity asked for, seed"""
DIGITS = 9
"""behind the point: means of the same errors in another order are equal, not a rounding apart"""
UNPRUNED = (0.0,)
"""the one sparsity of tables that ask for none"""


@dataclass(frozen=True)
class Quantity:
    """How a value is spoken of, and its unit; stored values are multiplied by `scale`."""

    meaning: str
    unit: str = ""
    scale: float = 1.0
    log: bool = False
    """whether its logarithm to base 10 is meant"""


QUANTITIES = {
    "error": Quantity("test error", "points", 100.0),
    "empty_layers": Quantity("empty layers", "layers"),
    "psp_entropy_lowest": Quantity("mean PSP-entropy of the lowest layer", "bit"),
    "psp_entropy": Quantity("mean PSP-entropy of hidden neurons", "bit"),
    "psp_entropy_alive": Quantity("… of those neither dead nor always on", "bit"),
    "lambda_max": Quantity("log₁₀ λ₁ among the survivors", log=True),
    "adaptive_lambda_max": Quantity("log₁₀ of the adaptive λ₁ among the survivors", log=True),
    "further_training": Quantity("training after the parent's", "trainings of the parent"),
    "log_compression": Quantity("log₁₀ of the compression at the first empty layer"),
    "edge": Quantity("λ₁ · lr / 2, last third of the steps"),
    "edge_along": Quantity("λ₁ · lr / 2, from where it is 1 first until all is learnt"),
}


def quantity(value: str) -> Quantity:
    """The quantity that a value of this name is; one that is not in the list goes by its name."""
    return QUANTITIES.get(value, Quantity(value))


@dataclass(frozen=True)
class Sample:
    """The numbers of a view, seed by seed."""

    rows: Floats
    """(seeds that count, arms): one number a seed, of a trend one an arm"""
    lacking: int
    """seeds left out because a network, or its value, is not there"""
    unreached: int
    """seeds left out because a network is not as sparse as was asked"""


@dataclass(frozen=True)
class Networks:
    """The networks that a view can be about."""

    seeds: tuple[int, ...]
    values: Mapping[Network, float]
    unreached: frozenset[Network] = frozenset()


def sample(view: View, inputs: Inputs, setting: Setting | None, within: float) -> Sample:
    """The view's number of every seed that has all its networks, `within` of the sparsity asked for."""
    networks = _networks(view, inputs, setting, within)
    arms = view.arms or ((EDGE + view.labels,),)
    sparsities = view.sparsities or UNPRUNED
    rows, lacking, unreached = [], 0, 0
    for seed in networks.seeds:
        keys = [[[_key(member, sparsity, seed) for member in arm] for sparsity in sparsities] for arm in arms]
        found = [[np.mean([networks.values.get(key, np.nan) for key in cell]) for cell in arm] for arm in keys]
        row = _row(view, _as_spoken(view.value, np.array(found, dtype=float))).round(DIGITS)
        if any(key in networks.unreached for arm in keys for cell in arm for key in cell):
            unreached += 1
        elif not np.isfinite(row).all():
            lacking += 1
        else:
            rows.append(row)
    width = len(arms) if view.kind == "trend" else 1
    return Sample(np.array(rows, dtype=float).reshape(len(rows), width), lacking, unreached)


def _key(member: str, sparsity: float, seed: int) -> Network:
    """The dense parent has one network a seed, whatever is asked of the arms."""
    return (member, 0.0 if member == DENSE else sparsity, seed)


def _as_spoken(value: str, found: Floats) -> Floats:
    spoken = quantity(value)
    if spoken.log:
        return np.log10(np.where(found > 0, found, np.nan))
    return found * spoken.scale


def _row(view: View, table: Floats) -> Floats:
    """(arms, sparsities) of one seed -> (1,), of a trend (arms,)."""
    if view.kind == "slope":
        return slope(table[-1:] - table[:1], -np.log10(1 - np.array(view.sparsities)))
    means = table.mean(axis=1)
    if view.kind == "trend":
        return means
    if view.kind == "difference":
        return means[-1:] - means[:1]
    return np.log(np.where(means > 0, means, np.nan) / view.around)


def summarise(view: View, found: Sample) -> Paired | Trend | None:
    """What the seeds of a view come to; None where nothing was measured. Seeds that fell short of a sparsity were
    measured.
    """
    if not len(found.rows) and not found.unreached:
        return None
    if view.kind == "trend":
        return page(found.rows)
    return paired(found.rows, view.margin)


def _networks(view: View, inputs: Inputs, setting: Setting | None, within: float) -> Networks:
    if view.table == "collapse":
        counted = {key: values for key, values in inputs.collapse.items() if key[0] == view.model}
        values = {(method, 0.0, seed): each[view.value] for (_, method, seed), each in counted.items()}
    elif view.table == "edge":
        own = {key: each for key, each in inputs.edge.items() if key[0] == EDGE + view.labels}
        values = {(arm, 0.0, seed): each[view.value] for (arm, seed), each in own.items()}
    elif setting is None:
        values = {}
    else:
        return _compared(view, setting, within)
    return Networks(tuple(sorted({seed for _, _, seed in values})), values)


def _compared(view: View, setting: Setting, within: float) -> Networks:
    own: dict[Key, Mapping[str, float]] = {k: cell for k, cell in setting.cells.items() if k.stage == view.stage}
    return Networks(
        setting.seeds,
        {(key.arm, key.sparsity, key.seed): cell[view.value] for key, cell in own.items()},
        frozenset(
            (key.arm, key.sparsity, key.seed)
            for key, cell in own.items()
            if abs(share_gone(cell) - key.sparsity) > within
        ),
    )


def share_gone(cell: Mapping[str, float]) -> float:
    """The share gone of what a share was asked of: of the weights, unless the table says it of something else."""
    found = cell.get("reached", np.nan)
    return found if np.isfinite(found) else cell["sparsity"]
