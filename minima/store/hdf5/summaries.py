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


def is_time(key: str) -> bool:
    """Whether a summary's key is a duration, which belongs under `clock`: seconds, and what is counted in them.

    >>> [is_time(key) for key in ("seconds", "compile_seconds", "passes", "forward_passes")]
    [True, True, True, False]
    """
    return key.endswith("seconds") or key == "passes"


def store_summaries(file: h5py.File, summaries: Sequence[Mapping[str, Any]]) -> None:
    """Each checkpoint's summary, its times apart, and when all were finished."""
    clock = file.require_group(CLOCK)
    for holder, times in ((file, False), (clock, True)):
        own = [{key: value for key, value in each.items() if is_time(key) == times} for each in summaries]
        holder.attrs["summary"] = to_json(own)
    clock.attrs["finished"] = datetime.now(UTC).isoformat(timespec="seconds")


def stored_summaries(file: h5py.File) -> dict[str, list[dict[str, Any]]]:
    """Each checkpoint's summary with its times, under `checkpoints`."""
    summaries = json.loads(file.attrs["summary"])
    times = json.loads(file[CLOCK].attrs["summary"])
    return {"checkpoints": [own | clock for own, clock in zip(summaries, times, strict=True)]}
