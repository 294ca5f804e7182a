"""A shipped job: a zip file of its results files, byte for byte, and of `job.json`, which says how they were made."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from figures.study.configuration.toml_file import bundled
from minima.store.command import BadInput
from minima.store.files import write_atomically

RESULTS = Path(__file__).parents[1] / "results"
"""where the suite keeps the results that it ships: a folder a study"""
RECORD = "job.json"
EPOCH = (1980, 1, 1, 0, 0, 0)
"""of every entry: equal content gives equal bytes"""


@dataclass(frozen=True)
class Shipped:
    """How a job's files were made."""

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


def results_of(study: str) -> Path:
    """The folder of what is shipped of a study, by its bundled name or its file.

    >>> results_of("mine.toml").as_posix(), results_of("mnist").name
    ('results', 'results')
    """
    return RESULTS if study in bundled() else Path("results")


def archive_of(folder: Path, study: str, job: str) -> Path:
    """The file of a job.

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
        if {k: v for k, v in asdict(read_record(path)).items() if k != "clock"} != _plain(shipped):
            raise BadInput(
                f"{path} is shipped already and was made otherwise: what is shipped is never rewritten.\n"
                "Give the study another name, or remove the file if it was never told of"
            )
        return
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_LZMA) as file:
        record = json.dumps(asdict(shipped), indent=1, sort_keys=True, ensure_ascii=False)
        for name, content in ((RECORD, record.encode()), *sorted(results.items())):
            file.writestr(zipfile.ZipInfo(name, EPOCH), content, zipfile.ZIP_LZMA)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, buffer.getvalue())


def read_record(path: Path) -> Shipped:
    """How a shipped job was made.

    Raises:
        BadInput: the file is damaged, or no shipped job.
    """
    found: dict[str, Any] = json.loads(_members(path, {RECORD})[RECORD])
    found["commands"] = tuple(found["commands"])
    return Shipped(**found)


def read_results(path: Path) -> dict[str, bytes]:
    """The results files in a shipped job, by name; each is what the job's record says.

    Raises:
        BadInput: the file is damaged, or no shipped job.
    """
    makes, found = read_record(path).makes, _members(path)
    for name, content in found.items():
        if name != RECORD and hashlib.sha256(content).hexdigest() != makes.get(name):
            raise BadInput(f"{path}: {name} in it is not what its record says. Copy the file again")
    return {name: content for name, content in found.items() if name != RECORD}


def _members(path: Path, chosen: set[str] | None = None) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(path) as file:
            return {name: file.read(name) for name in (chosen or file.namelist())}
    except (OSError, zipfile.BadZipFile, KeyError) as error:
        raise BadInput(f"{path} is no shipped job, or is damaged ({error}). Copy it again") from error


def _plain(shipped: Shipped) -> dict[str, Any]:
    """Without its times."""
    return {key: value for key, value in asdict(shipped).items() if key != "clock"}
