"""The statements fixed in `findings.toml`: what is read there, and that nothing in it is misspelt."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from figures.study.configuration.toml_file import parse_toml
from figures.study.verdicts.verdicts import Claim, Direction
from minima.store.command import BadInput
from minima.store.description import ANYTHING, FINITE, NAME, TEXT, Fields, ListOf, Rule, TableOf, check

FINDINGS = Path(__file__).with_name("findings.toml")

Kind = Literal["difference", "slope", "trend", "range"]
Table = Literal["comparison", "collapse", "edge"]
EDGE_VALUES = ("edge", "edge_along")
"""of the table `edge`: where a training settled, and while it learnt"""
NEEDS: dict[Table, tuple[str, ...]] = {
    "comparison": ("stage", "arms", "sparsities"),
    "collapse": ("model", "arms"),
    "edge": ("labels",),
}
"""what says which networks of a table are meant"""
ARMS: dict[Kind, tuple[int, float]] = {"difference": (2, 2), "slope": (2, 2), "trend": (3, np.inf), "range": (0, 0)}
"""fewest and most"""
DIRECTIONS: dict[Kind, tuple[Direction, ...]] = {"trend": ("above",), "range": ("zero",)}
"""of kinds that can expect one thing only"""
STAGES = ("unfinished", "finished")
ARM_NAMES = Rule(
    "a name, or a list of names",
    lambda value: isinstance(value, str) or (isinstance(value, list) and all(isinstance(each, str) for each in value)),
)
VIEW = Fields(
    {"kind": TEXT, "value": TEXT, "direction": TEXT},
    {
        "arms": ListOf(ARM_NAMES),
        "sparsities": ListOf(FINITE),
        "stage": TEXT,
        "margin": FINITE,
        "around": FINITE,
        "table": TEXT,
        "model": TEXT,
        "labels": TEXT,
    },
)
"""of a view's keys, its own or those of its claim"""
CLAIM = Fields({"name": NAME, "text": TEXT, "source": TEXT, "views": ListOf(TableOf(ANYTHING))}, others=ANYTHING)
FILE = Fields({"reached_within": FINITE, "claim": ListOf(CLAIM)}, others=ANYTHING)


@dataclass(frozen=True)
class View:
    """One statistic of the networks of one table: what decides a statement."""

    kind: Kind
    value: str
    direction: Direction
    arms: tuple[tuple[str, ...], ...] = ()
    """an arm of several names is their mean"""
    sparsities: tuple[float, ...] = ()
    stage: str = ""
    margin: float = np.nan
    around: float = 1.0
    """of a range: its middle, as a ratio"""
    table: Table = "comparison"
    model: str = ""
    labels: str = ""


@dataclass(frozen=True)
class Findings:
    """Everything in a file of statements."""

    path: Path
    reached_within: float
    claims: tuple[Claim[View], ...]


def load_findings(path: Path = FINDINGS) -> Findings:
    """Read a file of statements.

    Raises:
        BadInput: the file, the claim, and what is wrong with it.
    """
    entries = parse_toml(path)
    check(entries, FILE, str(path))
    return Findings(path, float(entries["reached_within"]), tuple(_claim(entry, path) for entry in entries["claim"]))


def _claim(entry: dict[str, Any], path: Path) -> Claim[View]:
    shared = {key: value for key, value in entry.items() if key not in ("name", "text", "source", "views")}
    where = f"{path}: claim {entry['name']!r}"
    return Claim(
        entry["name"], entry["text"], entry["source"], tuple(_view(shared | view, where) for view in entry["views"])
    )


def _view(entry: dict[str, Any], where: str) -> View:
    known = [field.name for field in fields(View)]
    for key in entry:
        refuse_unknown(where, "key", key, known)
    check(entry, VIEW, f"{where}: a view")
    arms = tuple((arm,) if isinstance(arm, str) else tuple(arm) for arm in entry.get("arms", ()))
    view = View(**entry | {"arms": arms, "sparsities": tuple(entry.get("sparsities", ()))})
    refuse_unknown(where, "kind", view.kind, get_args(Kind))
    refuse_unknown(where, "table", view.table, get_args(Table))
    refuse_unknown(where, f"direction of a {view.kind}", view.direction, DIRECTIONS.get(view.kind, get_args(Direction)))
    _check(view, where)
    return view


def _check(view: View, where: str) -> None:
    for key in NEEDS[view.table]:
        if not getattr(view, key):
            raise BadInput(f"{where}: a view of table {view.table!r} has no {key}")
    if view.table == "edge":
        refuse_unknown(where, "value", view.value, EDGE_VALUES)
    if view.stage:
        refuse_unknown(where, "stage", view.stage, STAGES)
    fewest, most = ARMS[view.kind]
    if not fewest <= len(view.arms) <= most:
        expected = f"{fewest}" if fewest == most else f"{fewest} or more"
        raise BadInput(f"{where}: a {view.kind} of {len(view.arms)} arms, expected {expected}")
    if view.kind == "slope" and len(set(view.sparsities)) < 2:
        raise BadInput(f"{where}: a slope needs two sparsities or more, found {list(view.sparsities)}")
    if view.kind != "trend" and not view.margin > 0:
        raise BadInput(f"{where}: a {view.kind} needs a margin above 0, found {view.margin}")
    if not view.around > 0:
        raise BadInput(f"{where}: around = {view.around}, expected a ratio above 0")


def refuse_unknown(where: str, what: str, name: str, known: Any) -> None:
    """BadInput where a name is none of those known."""
    if name not in known:
        raise BadInput(f"{where}: there is no {what} {name!r}. Known: {', '.join(known)}")
