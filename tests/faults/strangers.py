"""Whether a killed run has left what was recorded of an undisturbed one, in all but times and process numbers."""

from __future__ import annotations

import re
import stat
from pathlib import Path

from faults.states import Entry, States, entries

from minima.store.hdf5.results import differences
from minima.store.journal import HEAD, _hash

DATED = re.compile(r"\d{4}-\d\d-\d\dT\d{6}\.\d+")
"""in the name of a log"""
OF_THE_RUN = re.compile(
    rb'"(?:\w*seconds|memory_gib|starttime|endtime|job_hash)": [-+.\deE]+|process \d+'
    rb"|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d|\[\w{3} \w{3} +\d+ [\d:]+ \d{4}\]|\[ *\d+:\d\d\]"
    rb"|(?:Run directory|Elapsed time): .*"
    rb"|[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}|processor seconds: .*|\d+(?:\.\d+)? s\b"
)
"""in texts: times, amounts of memory, numbers of processes and of runs; where a library was first imported"""
LOCKED, LOG = ".snakemake/locks/", ".snakemake.log"
"""there the engine lists files in an order that differs from run to run"""
CLOCK = 256
"""bytes of an unfinished HDF5 file that its times and their digest may take"""


def strangers(states: States, moment: str, folder: Path) -> list[str]:
    """The files in which a folder is not in the state of that moment."""
    kept = {DATED.sub("DATE", entry[0]): (entry, states.folder / entry[3]) for entry in states.of(moment)}
    there = {DATED.sub("DATE", entry[0]): (entry, folder / entry[0]) for entry in entries(folder)}
    return sorted(
        name
        for name in kept.keys() | there.keys()
        if name not in kept or name not in there or not _same(name, *kept[name], *there[name])
    )


def _same(name: str, one: Entry, one_at: Path, other: Entry, other_at: Path) -> bool:
    if one[1] != other[1]:
        return False
    if not stat.S_ISREG(one[1]) or one[3] == other[3]:
        return one[3] == other[3]
    first, second = one_at.read_bytes(), other_at.read_bytes()
    if name.endswith(".h5"):
        return not differences(one_at, other_at)
    if name.endswith(".h5.part"):
        return len(first) == len(second) and sum(a != b for a, b in zip(first, second, strict=True)) <= CLOCK
    if name.startswith(LOCKED) or name.endswith(LOG):
        return sorted(_words(first)) == sorted(_words(second))
    return _timeless(first) == _timeless(second)


def _words(content: bytes) -> list[bytes]:
    return re.split(rb"[\s,;]+", OF_THE_RUN.sub(b"", content))


def _timeless(content: bytes) -> list[tuple[bool, bytes]]:
    """A text, or the records of a journal with whether each is whole."""
    records, at = [], 0
    while at + HEAD.size <= len(content):
        length, digest = HEAD.unpack_from(content, at)
        record = content[at + HEAD.size : at + HEAD.size + length]
        if len(record) < length or _hash(length, record) != digest:
            break
        records.append((True, OF_THE_RUN.sub(b"", record)))
        at += HEAD.size + length
    return [*records, (False, OF_THE_RUN.sub(b"", content[at:]))]
