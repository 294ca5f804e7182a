"""Of which weights, under which loss and of which matrix a curvature was measured: only what agrees is compared."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from figures.reading.measurements import Summary

if TYPE_CHECKING:
    from minima.store.hdf5.view import Group


@dataclass(frozen=True)
class Conditions:
    """What was asked of a network, each in words; empty where a result does not say it."""

    over: str
    """the single weights or the parameters that might move; empty where all might"""
    loss: str
    matrix: str
    space: str
    file: str = ""
    """hash of the file that says the single weights"""


def conditions(summary: Summary, arguments: Mapping[str, Any]) -> Conditions:
    """What a result of `landscape.sharpness` or `landscape.hessian` was asked.

    Args:
        summary: of one checkpoint.
        arguments: the flags that decided the file's numbers, as it records them.

    >>> conditions({"subset": 50}, {"subset": 50, "subset_seed": 3}).over
    'of 50 single weights, seed 3'
    """
    space = str(summary.get("subspace", ""))
    file = arguments.get("subset_file") or {}
    said = [str(summary.get("loss_name", ""))]
    if summary.get("calibrated") or summary.get("temperature", 1.0) != 1.0:
        degree = "calibrated" if summary.get("calibrated") else f"{summary['temperature']:g}"
        said.append(f"temperature {degree}")
    if summary.get("logits", "raw") != "raw":
        said.append(f"{summary['logits']} logits")
    return Conditions(
        _over(summary, arguments, file),
        ", ".join(said),
        str(summary.get("operator", "")),
        f"{space} space" if space == "full" else space,
        str(file.get("sha256", "")),
    )


def _over(summary: Summary, arguments: Mapping[str, Any], file: Mapping[str, Any]) -> str:
    """The weights that might move, in words."""
    chosen = [f"of {', '.join(summary['parameters'])}"] if summary.get("parameters") else []
    if summary.get("subset"):
        words = f"of {summary['subset']:,} single weights"
        seed = arguments.get("subset_seed")
        words += f" in {Path(file['path']).name}" if file else f", seed {seed}" if seed else ""
        chosen.append(words)
    return ", ".join(chosen)


def typed_in(file: Group) -> dict[str, Any]:
    """The flags that decided the numbers of an open results file; none where it does not say them as a table."""
    found = json.loads(str(file.attrs.get("arguments", "{}")) or "{}")
    return found if isinstance(found, dict) else {}


def telling(found: Sequence[Conditions]) -> list[str]:
    """Words to stand behind each name: of which weights it is, where that is not all of them, and what else differs
    between these.

    >>> one, other = (conditions({"loss_name": loss}, {}) for loss in ("mse", "cross-entropy"))
    >>> telling([one, other]), telling([one, one])
    (['mse', 'cross-entropy'], ['', ''])
    """
    names = [field.name for field in fields(Conditions) if field.name not in ("over", "file")]
    differing = [name for name in names if len({getattr(each, name) for each in found}) > 1]
    files = {(each.over, each.file) for each in found}
    twice = {over for over, _ in files if sum(over == other for other, _ in files) > 1}
    return [
        ", ".join(
            filter(
                None,
                (
                    each.over,
                    each.file[:8] if each.over in twice else "",
                    *(getattr(each, name) for name in differing),
                ),
            )
        )
        for each in found
    ]


def with_words(name: str, words: str) -> str:
    """A name with what is told of it, if anything is.

    >>> with_words("net", "of 50 single weights"), with_words("net", "")
    ('net (of 50 single weights)', 'net')
    """
    return f"{name} ({words})" if words else name


def over_words(found: Sequence[Conditions]) -> str:
    """A caption's words for single weights or parameters; empty where all networks are looked at whole."""
    kinds = list(dict.fromkeys(each.over or "of all weights" for each in found))
    return f"{' or '.join(kinds)}; " if any(each.over for each in found) else ""
