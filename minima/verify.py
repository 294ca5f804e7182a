"""Whether files of the suite are what was written: `python -m minima verify FILE ...`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tyro

from minima.store.checkpoints import trajectory
from minima.store.checkpoints.checkpoint import Checkpoint, read
from minima.store.command import BadInput, Command, Report, render_table, run
from minima.store.hdf5 import opening
from minima.store.reading import sha256, unchanging
from minima.store.room import DEFAULT

ELSEWHERE = (".safetensors", ".onnx", ".pt2", ".npz", ".npy")
"""endings of files that are for other tools, or come from there"""


@dataclass(frozen=True, kw_only=True)
class Verify(Command):
    """Compare results, trajectories and checkpoints with the digests in them: every array, moment and attribute.

    The exit status is 1 if one of them is damaged, or is no file of the suite.
    """

    files: tyro.conf.Positional[tuple[Path, ...]]
    """results (.h5), trajectories (.trajectory.h5) and checkpoints (.pt)"""
    memory: float = DEFAULT
    """GiB that what is compressed in a file may unpack to"""


def main(arguments: Verify) -> Report:
    """Verify each file; all are looked at before the damaged ones are told."""
    if not arguments.files:
        raise BadInput("no file is named: type it behind the command, such as runs/x.pt")
    found: list[dict[str, str]] = []
    wrong: list[str] = []
    for path in arguments.files:
        try:
            found.append({"file": str(path)} | verify(path))
        except BadInput as error:
            wrong.append(str(error))
    if wrong:
        whole = [entry["file"] for entry in found]
        raise BadInput("\n".join([*wrong, f"whole: {', '.join(whole) or 'none'}"]))
    return Report({"files": found}, render_table(["file", "kind", "sha256"], [list(each.values()) for each in found]))


def verify(path: Path) -> dict[str, str]:
    """Which of the suite's files it is, and the SHA-256 of its bytes: its content is what was written.

    Raises:
        BadInput: it is damaged, which names what of it, or no file of the suite.
    """
    with unchanging():
        if path.suffix in ELSEWHERE:
            raise _nothing_to_compare(path)
        kind = _verify_arrays(path) if opening.is_hdf5(path) else "checkpoint"
        if kind == "checkpoint" and not isinstance(read(path), Checkpoint):
            raise _nothing_to_compare(path)
        return {"kind": kind, "sha256": sha256(path)}


def _verify_arrays(path: Path) -> str:
    """What kind of HDF5 file of ours it is, all of whose arrays and attributes are what was written."""
    from minima.store.hdf5 import results

    with opening.opened(path) as file:
        found = file.attrs.get("format")
    known = {each.FORMAT: each.VERSION for each in (results, trajectory)}
    if not isinstance(found, str) or found not in known:
        raise _nothing_to_compare(path)
    opening.verify(path, found, known[found])
    return found.removeprefix("minima-")


def _nothing_to_compare(path: Path) -> BadInput:
    return BadInput(
        f"{path} is no results file, trajectory or checkpoint of this suite: it carries no digest to compare with"
    )


if __name__ == "__main__":
    run(Verify, main, prog="python -m minima.verify")
