"""The numbers that a command finds, each said once: its name, its unit, what it is, and the head of its column.

A command lists its numbers, and everything that shows them asks the list: the results file (`write`), the JSON object
(`by_key`) and the table that a person reads (`table`). Pictures find units and meanings in the results file.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from minima.store.table import render_table

if TYPE_CHECKING:
    from minima.store.hdf5.part import Place

Found = Mapping[str, Any]
"""what was found, by the keys of the JSON object"""


@dataclass(frozen=True)
class Number:
    """One number of a result, or an array of them along some scales."""

    name: str
    """in the results file, below the group of the command"""
    units: str
    """`nat` (which stands for that of the loss, whatever it is), `bit`, `byte`; `1` for what has none"""
    long_name: str
    """what it is, in a few words"""
    dims: tuple[str, ...] = ()
    """the scales that an array goes along, one for each axis"""
    column: str | None = None
    """the head of its column in a table; None where no table shows it"""
    key: str = ""
    """its name in the JSON object, where that is another one than in the file"""
    kind: type[float] | type[str] | None = None
    """what the file holds it as, where that is not as it is found: a count that another checkpoint has not is real"""

    def __post_init__(self) -> None:
        if not self.key:
            object.__setattr__(self, "key", self.name)

    def beside(self, ending: str, long_name: str, key: str = "") -> Number:
        """Another number of the same unit and scales, such as the error of this one; `key`: as in the JSON object.

        >>> Number("trace", "nat", "trace of the Hessian").beside("stderr", "its standard error").name
        'trace_stderr'
        """
        name, key = f"{self.name}_{ending}", key or f"{self.key}_{ending}"
        return replace(self, name=name, key=key, long_name=long_name, column=None)


def write(
    place: Place, group: str, numbers: Iterable[Number], found: Found | Sequence[Found], **attributes: str
) -> None:
    """Write numbers below a group of a results file; what is None is NaN there, or no letters where it is text.

    Args:
        found: the values by key, or such a mapping for each label of the numbers' first scale.
        attributes: what else there is to say of each.

    Raises:
        KeyError: a number was not found.
    """
    for number in numbers:
        values = found[number.key] if isinstance(found, Mapping) else [each[number.key] for each in found]
        about = (number.dims, number.units, number.long_name)
        place.write(f"{group}/{number.name}", stored(values, number.kind), *about, **attributes)


def by_key(numbers: Iterable[Number], rows: Sequence[Found]) -> dict[str, list[Any]]:
    """The numbers of several rows as the JSON object says them: a list for each number.

    >>> by_key([Number("loss", "nat", "mean loss")], [{"loss": 1.0, "level": 0}, {"loss": 2.0, "level": 1}])
    {'loss': [1.0, 2.0]}
    """
    return {number.key: [row[number.key] for row in rows] for number in numbers}


def table(numbers: Iterable[Number], rows: Sequence[Found], named: str | None = None) -> str:
    """The numbers that have a column, as a table that a person reads: a line for each row.

    Args:
        named: head of a first column, in which the name of each row stands.

    >>> print(table([Number("loss", "nat", "mean loss", column="test loss"), Number("d", "1", "")], [{"loss": 0.5}]))
    test loss
    ---------
          0.5
    """
    shown = {} if named is None else {"name": named}
    shown |= {number.key: number.column for number in numbers if number.column is not None}
    return render_table(list(shown.values()), [[row[key] for key in shown] for row in rows])


def stored(values: Any, kind: type[float] | type[str] | None = None) -> Any:
    """Values as the file holds them, with what stands for nothing in the place of None.

    >>> stored([1, None]), stored(None), stored([None, "fc.weight"], str), stored([1, 2], float)
    ([1, nan], nan, ['', 'fc.weight'], [1.0, 2.0])
    """
    if isinstance(values, list | tuple):
        return [stored(each, kind) for each in values]
    if values is None:
        return "" if kind is str else math.nan
    return values if kind is None else kind(values)


def each_checkpoint(summary: Found, keys: Iterable[str]) -> list[Found]:
    """A mapping for each checkpoint, of a JSON object that holds lists over several of them.

    >>> each_checkpoint({"checkpoint": ["a.pt", "b.pt"], "loss": [1.0, 2.0], "seed": 0}, ["loss"])
    [{'loss': 1.0}, {'loss': 2.0}]
    """
    if not isinstance(summary["checkpoint"], list):
        return [summary]
    columns = {key: summary[key] for key in keys}
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
