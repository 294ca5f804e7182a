"""The numbers of each checkpoint in a finished results file: at the root, and its times under `clock`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from minima.store.hdf5.digest import CLOCK
from minima.store.plain import to_json

if TYPE_CHECKING:
    import h5py

    from minima.store.hdf5.view import Group

OF_THE_RUN = ("passes", "memory_gib", "forward_backward_passes")
"""keys of a summary that another run of the same work may find otherwise"""


def is_of_the_run(key: str) -> bool:
    """Whether a summary's key tells of the run and not of what was found, and so belongs under `clock`.

    Durations and what is counted in them, the memory a run took, and the passes it did not find done.

    >>> [is_of_the_run(key) for key in ("seconds", "compile_seconds", "passes", "memory_gib", "forward_passes")]
    [True, True, True, True, False]
    """
    return key.endswith("seconds") or key in OF_THE_RUN


def store_summaries(file: h5py.File, summaries: Sequence[Mapping[str, Any]]) -> None:
    """Write each checkpoint's summary, what is of the run apart, and when all were finished."""
    clock = file.require_group(CLOCK)
    for holder, of_the_run in ((file, False), (clock, True)):
        own = [{key: value for key, value in each.items() if is_of_the_run(key) == of_the_run} for each in summaries]
        holder.attrs["summary"] = to_json(own)
    clock.attrs["finished"] = datetime.now(UTC).isoformat(timespec="seconds")


def summaries_in(group: h5py.Group | Group) -> list[dict[str, Any]]:
    """Each checkpoint's summary, as an open file's root holds it; its group of times holds what is of the run."""
    found: list[dict[str, Any]] = json.loads(group.attrs["summary"])
    return found


def stored_summaries(file: h5py.File) -> dict[str, list[dict[str, Any]]]:
    """Each checkpoint's summary with its times, under `checkpoints`."""
    both = zip(summaries_in(file), summaries_in(file[CLOCK]), strict=True)
    return {"checkpoints": [own | clock for own, clock in both]}
