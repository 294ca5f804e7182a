"""Making what is shipped of a seed again from scratch, and comparing it with what is shipped: networks and numbers."""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import chdir, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from figures.reading.names import OUT, seed_of, with_seed
from figures.study.engine.engine import run_jobs
from figures.study.engine.jobs import Job, Plan, planned
from figures.study.shipping.archive import archive_of, read_record, read_results
from figures.study.shipping.store import shipped_jobs
from minima.store.checkpoints.checkpoint import load, save
from minima.store.command import BadInput
from minima.store.hdf5.comparison import differences
from minima.store.hdf5.opening import opened
from minima.store.hdf5.results import FORMAT, VERSION
from minima.store.hdf5.summaries import summaries_in
from minima.store.reading import sha256

NETWORK = ".pt"


@dataclass(frozen=True)
class Again:
    """A file that was made again, beside the one that was shipped, or whose hash was."""

    file: str
    job: str
    arrays: tuple[str, ...] = ()
    """names of the arrays that differ; of a network `weights`"""
    said: tuple[str, ...] = ()
    """names of attributes that differ: what is said beside the numbers, and summaries of them"""
    numbers: int = 0
    """of its summaries that came out otherwise"""
    within: int = 0
    """of them, those within what the shipped seeds span"""

    @property
    def is_network(self) -> bool:
        """Whether it is a network, of which the hash is shipped."""
        return self.file.endswith(NETWORK)

    @property
    def equal(self) -> bool:
        """Whether all its weights or arrays are the same bit for bit, and all summaries."""
        return not (self.arrays or self.numbers)


def reproduce(plan: Plan, folder: Path, seed: int, out: Path, cores: int) -> list[Again]:
    """Make again, in the folder `out`, every job of a seed that is shipped, and compare what comes out.

    Weights along trainings are not compared: their files hold times, and are not shipped. What lies in `out` of an
    earlier call is taken for made.

    Returns:
        every compared file.

    Raises:
        BadInput: nothing is shipped of that seed, or a job failed.
    """
    shipped = shipped_jobs(plan, folder)
    seeds = sorted({found for name in shipped if (found := seed_of(name)) is not None})
    own = [job for job in plan.jobs if job.name in shipped and seed_of(job.name) == seed]
    if not own:
        there = f"there are {', '.join(map(str, seeds))}" if seeds else "nothing is shipped of the study"
        raise BadInput(f"--seed {seed}: no job of it is shipped in {folder / plan.name}; {there}")
    out.mkdir(parents=True, exist_ok=True)
    with _data_as_it_is_here(), chdir(out):
        outcome = run_jobs(planned(plan.name, plan.jobs, [file for job in own for file in job.makes]), cores)
    if outcome.explained:
        logs = "".join(f"\n  {out / log}" for log in outcome.failed)
        raise BadInput(f"{outcome.explained}{logs}")
    hashes: dict[str, str] = {}
    return [each for job in own for each in _compared(job, plan.name, folder, out, seeds, hashes)]


@contextmanager
def _data_as_it_is_here() -> Iterator[None]:
    """Jobs that are run inside the block, in whichever folder, read the data sets that those run here would."""
    before = os.environ.get("DATA_ROOT")
    os.environ["DATA_ROOT"] = str(Path(before or "data").absolute())
    try:
        yield
    finally:
        del os.environ["DATA_ROOT"]
        os.environ |= {"DATA_ROOT": before} if before is not None else {}


def _compared(
    job: Job, study: str, folder: Path, out: Path, seeds: Sequence[int], hashes: dict[str, str]
) -> Iterator[Again]:
    """Compare the files of a job; `hashes` of those that came before, as made and as shipped, take in its own."""
    archive = archive_of(folder, study, job.name)
    record, results = read_record(archive), read_results(archive)
    for file in job.makes:
        name = Path(file).name
        if name.endswith(NETWORK):
            same = record.makes[name] in _hashes(
                out / file, hashes, _folders_of_data(folder / study, seed_of(job.name))
            )
            hashes[sha256(out / file)] = record.makes[name]
            yield Again(name, job.name, () if same else ("weights",))
        elif name in results:
            others = [archive_of(folder, study, with_seed(job.name, seed)) for seed in seeds]
            yield _of_results(job.name, out / OUT / name, results[name], others)


def _hashes(path: Path, hashes: Mapping[str, str], folders: Iterable[str]) -> Iterator[str]:
    """The SHA-256 of a network as it is, and as it would be had its data lain in each of these folders and its parents
    had the hashes that were shipped: a checkpoint tells both, beside its weights.
    """
    yield sha256(path)
    found = load(path)
    own = found.data.get("root")
    for folder in folders if own else ():
        words = dict(hashes) | {str(own): folder}
        told = {name: _renamed(getattr(found, name), words) for name in ("data", "parent", "method")}
        with tempfile.TemporaryDirectory() as scratch:
            yield save(replace(found, **told), Path(scratch) / path.name)


def _renamed(value: Any, words: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _renamed(item, words) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_renamed(item, words) for item in value)
    return words.get(value, value) if isinstance(value, str) else value


@cache
def _folders_of_data(shipped: Path, seed: int | None) -> tuple[str, ...]:
    """Where the data of a seed lay when it was shipped, as its results tell."""
    found: dict[str, None] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for archive in sorted(shipped.glob(f"*-seed{seed}.*.zip")):
            for name, content in read_results(archive).items():
                path = Path(scratch) / name
                path.write_bytes(content)
                with opened(path, FORMAT, VERSION) as file:
                    told = file.attrs.get("data", ())
                    entries = map(json.loads, [told] if isinstance(told, str) else told)
                    found |= {str(entry["root"]): None for entry in entries if entry and entry.get("root")}
    return tuple(found)


def _of_results(job: str, made: Path, content: bytes, others: Sequence[Path]) -> Again:
    with tempfile.TemporaryDirectory() as scratch:
        was = Path(scratch) / made.name
        was.write_bytes(content)
        arrays, said = _sorted_out(differences(was, made), was, made)
        before, now = _numbers(was), _numbers(made)
        changed = {key for key in before.keys() | now.keys() if before.get(key) != now.get(key)}
        spans = [_numbers_in(path, made.name, Path(scratch)) for path in others if path.is_file()] if changed else []
    within = sum(_within(now.get(key), [each[key] for each in spans if key in each]) for key in changed)
    return Again(made.name, job, arrays, said, len(changed), within)


def _sorted_out(names: Sequence[str], one: Path, other: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Of what differs between two files: groups and arrays, whose names may have an @ as well; attributes."""
    with opened(one) as first, opened(other) as second:
        items = {name for name in names if name in first or name in second}
    return tuple(name for name in names if name in items), tuple(name for name in names if name not in items)


def _numbers_in(archive: Path, file: str, scratch: Path) -> Mapping[str, float]:
    """The numbers of the same results of another seed."""
    results = read_results(archive)
    name = with_seed(file, seed_of(archive.name))
    if name not in results:
        return {}
    path = scratch / f"other-{name}"
    path.write_bytes(results[name])
    return _numbers(path)


def _numbers(path: Path) -> dict[str, float]:
    with opened(path, FORMAT, VERSION) as file:
        return dict(_leaves(summaries_in(file), ""))


def _leaves(value: Any, at: str) -> Iterator[tuple[str, float]]:
    """Every finite number in a summary, with the way to it."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, f"{at}/{key}")
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _leaves(item, f"{at}/{place}")
    elif isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        yield at, float(value)


def _within(number: float | None, shipped: Sequence[float]) -> bool:
    return number is not None and bool(shipped) and min(shipped) <= number <= max(shipped)
