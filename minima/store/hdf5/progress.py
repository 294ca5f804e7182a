"""How far the work on a results file is: what is known of each checkpoint beside its arrays."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from minima.store.hdf5.changes import Change
from minima.store.plain import to_json

KEEP, DONE = "keep", "done"
"""kinds of changes beside those of the file"""


@dataclass
class Progress:
    """Summaries by the index of their checkpoint."""

    kept: dict[int, dict[str, Any]] = field(default_factory=dict)
    """parts of them"""
    done: dict[int, dict[str, Any]] = field(default_factory=dict)
    """whole ones"""

    def make(self, change: Change) -> bool:
        """Make a change, if it is one of these."""
        about = change.about
        if change.kind == KEEP:
            self.kept.setdefault(about["index"], {}).update(about["entry"])
        elif change.kind == DONE:
            self.done[about["index"]] = about["summary"]
        return change.kind in (KEEP, DONE)


@dataclass(frozen=True)
class Image:
    """An unfinished file at one moment, for another process."""

    content: bytes
    progress: Progress


def kept(index: int, entry: Mapping[str, Any]) -> Change:
    """A part of a checkpoint's summary is known; what is no finite number is None."""
    return Change(KEEP, {"index": index, "entry": json.loads(to_json(entry))})


def done(index: int, summary: Mapping[str, Any]) -> Change:
    """A checkpoint is measured; what is no finite number is None."""
    return Change(DONE, {"index": index, "summary": json.loads(to_json(summary))})
