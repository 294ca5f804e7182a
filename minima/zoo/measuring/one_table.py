"""Many checkpoints in one table: a line for each, and the numbers that every measure has of a whole checkpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minima.store.hdf5.opening import opened
from minima.store.hdf5.summaries import is_of_the_run
from minima.store.table import render_table

if TYPE_CHECKING:
    from minima.store.hdf5.view import Dataset, Group

MANY = 20
"""checkpoints up to which each has a table of its own"""
COLUMNS = 8
"""numbers in a line"""
FIRST = ("loss", "accuracy")
AGAIN = "score"
"""the key of the accuracy, or of what stands in its place, under a general name"""


def one_table(path: Path, measure: str, names: Sequence[str], summaries: Sequence[Mapping[str, Any]]) -> str:
    """What a finished results file says of its checkpoints: first what the measure found, then what else is known.

    Args:
        names: of the checkpoints, in the file's order.
        summaries: what the JSON object says of each.
    """
    known = {key: [summary.get(key) for summary in summaries] for key in _told(summaries)}
    with opened(path) as file:
        found = {
            name: array[()].tolist() for name, array in (_numbers(file[measure]) if measure in file else {}).items()
        }
    order = [*FIRST, *(name for name in found if name not in known), *known]
    there = [name for name in dict.fromkeys(order) if name in found or name in known]
    shown = there[:COLUMNS]
    rows = [[name, *line] for name, *line in zip(names, *(known.get(key) or found[key] for key in shown), strict=True)]
    left = f"; {len(there) - len(shown)} further numbers of each" if len(there) > len(shown) else ""
    return (
        f"{render_table(['checkpoint', *shown], rows)}\n\n"
        f"{len(names):,} checkpoints{left}: `python -m minima.results {path}` lists what is in the file, --json has it"
    )


def _told(summaries: Sequence[Mapping[str, Any]]) -> list[str]:
    """The keys of real numbers in which checkpoints differ."""
    keys = [key for key, value in summaries[0].items() if isinstance(value, float) and key != AGAIN]
    return [key for key in keys if not is_of_the_run(key) and len({summary.get(key) for summary in summaries}) > 1]


def _numbers(group: Group) -> dict[str, Dataset]:
    """The arrays below a group that hold one number of each checkpoint, without those beside others, as errors are."""
    below = len(group.name) + 1
    found = {item.name[below:]: item for item in group.arrays() if _is_number(item)}
    return {name: item for name, item in found.items() if not any(name.startswith(f"{other}_") for other in found)}


def _is_number(item: Dataset) -> bool:
    dims = [names[0].rpartition("/")[2] for names in item.dims if names]
    return not item.is_scale and dims == ["checkpoint"] and len(item.shape) == 1 and item.dtype.kind in "iuf"
