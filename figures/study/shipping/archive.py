"""A shipped job: a zip file of its results files, packed, and of `job.json`, which says how they were made."""

from __future__ import annotations

import hashlib
import io
import json
import lzma
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from figures.study.configuration.toml_file import bundled
from figures.study.shipping.conversions import CONVERSIONS, FIRST, PACKED, TODAY, converted
from figures.study.shipping.packing import pack, unpack
from minima.store.command import BadInput
from minima.store.files import write_atomically

RESULTS = Path(__file__).parents[1] / "results"
"""where the suite keeps the results that it ships: a folder a study"""
RECORD, FORM = "job.json", "form"
"""what says how a job was made, and its key for the form of the file"""
EPOCH = (1980, 1, 1, 0, 0, 0)
"""of every entry: equal content gives equal bytes"""


@dataclass(frozen=True)
class Shipped:
    """How the files of a shipped job were made: commands, hashes, versions, processor."""

    study: str
    job: str
    stage: str
    commands: tuple[str, ...]
    """what was typed behind `python -m`"""
    needs: Mapping[str, str]
    """SHA-256 of each file that it read"""
    makes: Mapping[str, str]
    """SHA-256 of each file that it made; networks and trajectories are not shipped"""
    versions: Mapping[str, str]
    """of Python, the suite and what computes"""
    processor: str
    clock: Mapping[str, float] = field(default_factory=dict)
    """processor seconds of the command that finished the job: what a run before it was killed had spent is not there"""
    converted: tuple[str, ...] = ()
    """what was done to the file since: the names of `conversions.CONVERSIONS`"""


def results_of(study: str) -> Path:
    """The folder of what is shipped of a study, by its bundled name or its file.

    >>> results_of("mine.toml").as_posix(), results_of("mnist").name
    ('results', 'results')
    """
    return RESULTS if study in bundled() else Path("results")


def archive_of(folder: Path, study: str, job: str) -> Path:
    """The file that a job is shipped in.

    >>> archive_of(Path("results"), "mnist", "mnist-lenet300-seed0.curvature").as_posix()
    'results/mnist/mnist-lenet300-seed0.curvature.zip'
    """
    return folder / study / f"{job}.zip"


def write_archive(path: Path, shipped: Shipped, results: Mapping[str, bytes]) -> None:
    """Write a job, atomically and compressed; one that is there is never rewritten.

    Raises:
        BadInput: another one is there.
    """
    if path.exists():
        if _made(read_record(path)) != _made(shipped):
            raise BadInput(
                f"{path} is shipped already and was made otherwise: what is shipped is never rewritten.\n"
                "Give the study another name, or remove the file if it was never told of"
            )
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    _write(path, shipped, {name + PACKED: pack(content) for name, content in results.items()})


def read_record(path: Path) -> Shipped:
    """How a shipped job was made.

    Raises:
        BadInput: the file is damaged, or no shipped job.
    """
    return _record(path, _members(path, {RECORD}))[0]


def read_results(path: Path) -> dict[str, bytes]:
    """The results files in a shipped job, by name, as they were when they were made: the job's record says so.

    Raises:
        BadInput: the file is damaged, or no shipped job.
    """
    members = _members(path)
    shipped, form = _record(path, members)
    return _results(path, shipped, converted(members, form))


def convert_archive(path: Path) -> bool:
    """Give a shipped job today's form, in one step; its results files and how they were made stay what they are.

    Returns:
        whether it had another one.

    Raises:
        BadInput: the file is damaged, or no shipped job; it is left as it was.
    """
    if _record(path, _members(path, {RECORD}))[1] == TODAY:
        return False
    members = _members(path)
    shipped, form = _record(path, members)
    today = converted(members, form)
    _results(path, shipped, today)
    done = tuple(each.name for each in CONVERSIONS[form - FIRST :])
    _write(path, replace(shipped, converted=(*shipped.converted, *done)), today)
    return True


def _results(path: Path, shipped: Shipped, members: Mapping[str, bytes]) -> dict[str, bytes]:
    """Unpacked, and each what the record says."""
    try:
        found = {name.removesuffix(PACKED): unpack(content) for name, content in members.items()}
    except (lzma.LZMAError, EOFError) as error:
        raise BadInput(f"{path} is damaged ({error}). Copy it again") from error
    for name, content in found.items():
        if hashlib.sha256(content).hexdigest() != shipped.makes.get(name):
            raise BadInput(f"{path}: {name} in it is not what its record says. Copy the file again")
    return found


def _write(path: Path, shipped: Shipped, members: Mapping[str, bytes]) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        record = json.dumps({FORM: TODAY} | asdict(shipped), indent=1, sort_keys=True, ensure_ascii=False)
        file.writestr(zipfile.ZipInfo(RECORD, EPOCH), record.encode(), zipfile.ZIP_LZMA)
        for name, content in sorted(members.items()):
            file.writestr(zipfile.ZipInfo(name, EPOCH), content, zipfile.ZIP_STORED)
    write_atomically(path, buffer.getvalue())


def _record(path: Path, members: dict[str, bytes]) -> tuple[Shipped, int]:
    """The record, which is taken out of a file's members, and the form of the file."""
    found: dict[str, Any] = json.loads(members.pop(RECORD))
    form = found.pop(FORM, FIRST)
    if form > TODAY:
        raise BadInput(f"{path} has form {form}, this version of the suite reads {TODAY}: update it (git pull)")
    found["commands"], found["converted"] = tuple(found["commands"]), tuple(found.get("converted", ()))
    return Shipped(**found), form


def _members(path: Path, chosen: set[str] | None = None) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(path) as file:
            return {name: file.read(name) for name in (chosen or {RECORD, *file.namelist()})}
    except (OSError, zipfile.BadZipFile, KeyError) as error:
        raise BadInput(f"{path} is no shipped job, or is damaged ({error}). Copy it again") from error


def _made(shipped: Shipped) -> dict[str, Any]:
    """How it was made, without times and without what was done to the file since."""
    return {key: value for key, value in asdict(shipped).items() if key not in ("clock", "converted")}
