"""An unfinished results file, made again from the journal that a stopped run left."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from minima.store.disk import discard
from minima.store.files import scratches
from minima.store.hdf5.attributes import to_attribute
from minima.store.hdf5.changes import Change
from minima.store.hdf5.labelled import make_scale, to_array
from minima.store.hdf5.part import CHECKPOINT, Results
from minima.store.journal import Journal
from minima.store.messages import note

FORMAT = "minima-part 1"
UNLIKE = (KeyError, ValueError, TypeError, AttributeError, OSError)
"""what making a change raises that another version of this software wrote"""


def gone_on(journal: Journal, root: Mapping[str, Any], checkpoints: Sequence[str]) -> Results:
    """The file as a stopped run left it, if its journal is of the same making; else a new one.

    Args:
        root: the attributes of the root, plain: the journal begins with them.
        checkpoints: the names along the axis of this name, which exists from two on.
    """
    made = json.dumps({"format": FORMAT, "root": root}).encode()
    first = journal.take()
    if first is not None:
        trouble = _differing(first, root)
        if not trouble:
            try:
                return _replayed(journal, root, checkpoints)
            except UNLIKE as error:
                trouble = f"its records are of another version ({error})"
    else:
        trouble = "it is damaged" if journal.lost > len(made) else ""  # less than that is a first record that was torn
    if trouble:
        note(f"discarding {journal.path}, left by a stopped run: {trouble}")
    journal.clear()
    discard(*scratches(journal.path))
    journal.add(made)
    return _begun(journal, root, checkpoints)


def _begun(journal: Journal, root: Mapping[str, Any], checkpoints: Sequence[str]) -> Results:
    """A file in which nothing is measured yet."""
    results = Results(max(len(checkpoints), 1), journal)
    results.file.attrs.update({key: to_attribute(value) for key, value in root.items()})
    if results.places > 1:
        make_scale(results.file, CHECKPOINT, to_array(list(checkpoints)), "1", "checkpoint file")
    return results


def _replayed(journal: Journal, root: Mapping[str, Any], checkpoints: Sequence[str]) -> Results:
    """The file that the rest of the journal makes."""
    results = _begun(journal, root, checkpoints)
    results.worth_keeping = bool(scratches(journal.path))
    while (record := journal.take()) is not None:
        results.make(Change.of(record))
        results.worth_keeping = True
    if journal.damaged:
        note(f"{journal.path} is damaged: what it holds from there on is computed again")
    return results


def _differing(first: bytes, root: Mapping[str, Any]) -> str:
    """What a journal was made with that is not so now, in words; "" if there is nothing."""
    try:
        there = json.loads(first)
        found = there["root"] if there["format"] == FORMAT else {}
    except (ValueError, TypeError, KeyError):
        found = {}
    changed = [key for key in root if key not in found or found[key] != root[key]]
    return f"made with other {', '.join(changed)}" if changed else ""
