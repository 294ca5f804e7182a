"""What is in a results file, for a person and for a script: `python -m minima.results FILE`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tyro

from minima.store.command import Command, Report, render_table, run
from minima.store.hdf5.opening import opened
from minima.store.plain import plain, to_json
from minima.store.reading import sha256, unchanging
from minima.store.room import DEFAULT

if TYPE_CHECKING:
    from minima.store.hdf5.view import Dataset, Group, Item

LONGEST = 2000
"""characters of an attribute that a person is shown"""


@dataclass(frozen=True, kw_only=True)
class Show(Command):
    """Print what is in a results file or a trajectory: where it comes from, its summary, every array with its unit."""

    file: tyro.conf.Positional[Path]
    """HDF5 file to describe"""
    memory: float = DEFAULT
    """GiB that what is compressed in it may unpack to"""


@unchanging()
def main(arguments: Show) -> Report:
    """Describe a results file: what it was made from, its arrays and their numbers."""
    described: dict[str, Any] = {"file": str(arguments.file), "sha256": sha256(arguments.file)}
    with opened(arguments.file) as file:
        described |= {"attributes": _attributes(file), "groups": _groups(file), "arrays": _arrays(file)}
    return Report(described, _text(described))


def _attributes(item: Item) -> dict[str, Any]:
    return {key: _readable(value) for key, value in item.attrs.items()}


def _readable(attribute: Any) -> Any:
    """The value that `to_attribute` stored: what is JSON becomes what it stands for."""
    value = plain(attribute)
    try:
        return json.loads(value) if isinstance(value, str) and value[:1] in ("{", "[") else value
    except ValueError:
        return value


def _groups(file: Group) -> dict[str, dict[str, Any]]:
    """The attributes of every group that has some."""
    return {group.name.strip("/"): _attributes(group) for group in file.groups() if group.attrs}


def _arrays(file: Group) -> list[dict[str, Any]]:
    return [{"name": item.name.strip("/"), **_array(item)} for item in file.arrays()]


def _array(item: Dataset) -> dict[str, Any]:
    values = np.asarray(item[()])
    numeric = values.dtype.kind in "iuf" and values.size > 0 and not np.isnan(values).all()
    return {
        "shape": list(item.shape),
        "dims": [names[0].rpartition("/")[2] if names else None for names in item.dims],
        "dtype": "text" if values.dtype.kind == "O" else str(values.dtype),
        "min": np.nanmin(values).item() if numeric else None,
        "max": np.nanmax(values).item() if numeric else None,
        "units": item.attrs.get("units"),
        "long_name": item.attrs.get("long_name"),
    }


def _text(described: dict[str, Any]) -> str:
    groups = {"": described["attributes"], **described["groups"]}
    facts = {
        f"{group}@{key}" if group else key: value if isinstance(value, str) else to_json(value)
        for group, attributes in groups.items()
        for key, value in attributes.items()
    }
    facts = {"file": described["file"], "content": described["sha256"], **facts}
    width = max(map(len, facts))
    lines = [f"{name.ljust(width)}  {_abridged(fact)}" for name, fact in facts.items()]
    headers = ("array", "shape", "dims", "min", "max", "unit", "what")
    rows = [
        [
            array["name"],
            "x".join(map(str, array["shape"])) or "scalar",
            ", ".join(dim or "-" for dim in array["dims"]),
            array["min"],
            array["max"],
            array["units"] or "",
            array["long_name"] or "",
        ]
        for array in described["arrays"]
    ]
    return "\n".join([*lines, "", render_table(headers, rows)])


def _abridged(fact: str) -> str:
    return fact if len(fact) <= LONGEST else f"{fact[:LONGEST]} ... ({len(fact):,} characters; --json has them all)"


if __name__ == "__main__":
    run(Show, main, prog="python -m minima.results")
