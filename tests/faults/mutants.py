"""Mutated files of every format through the doors by which commands read them: none may end in anything but words.

    python -m tests.faults.mutants --count 10000 --state FOLDER

A mutant is drawn from its format, the seed and its number, so that each can be made again, and a campaign that was
stopped goes on where it was. The exit status is 1 where something was found; `FOLDER/kept` holds these mutants.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from tests.faults.mutants_bases import Bases
from tests.faults.mutants_formats import Format, formats
from tests.faults.mutants_trial import Outcome, tried

FINE = ("equal", "read", "refused")
SHARE = 5
"""mutants of a format for one of a whole command, which takes as much longer"""
BUNDLED = {"findings.toml": "findings", "claims.toml": "claims"}


@dataclass(frozen=True)
class Campaign:
    """Mutants of several formats, in turn, whose outcomes are kept."""

    state: Path
    seed: int
    names: tuple[str, ...]

    def run(self, count: int, seconds: float) -> list[dict[str, Any]]:
        """So many mutants in all, those made before among them, or as many as there is time for."""
        bases, rows = _bases(self.state), self._rows()
        known = formats(bases)
        chosen = {name: known[name] for name in self.names}
        whole = {name: _whole(each, bases, self.state / "work") for name, each in chosen.items()}
        began = time.monotonic()
        done = Counter(row["format"] for row in rows)
        with (self.state / "rows.jsonl").open("a") as file:
            while len(rows) < count and time.monotonic() - began < seconds:
                name = min(chosen, key=lambda each: done[each] * (SHARE if chosen[each].whole_command else 1))
                row = self._one(name, done[name], chosen[name], bases, whole[name])
                file.write(json.dumps(row) + "\n")
                file.flush()
                done[name] += 1
                rows.append(row)
        return rows

    def _rows(self) -> list[dict[str, Any]]:
        path = self.state / "rows.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def _one(self, name: str, number: int, each: Format, bases: Bases, whole: str) -> dict[str, Any]:
        base = (bases.folder / each.base).read_bytes()
        kind, content = each.mutant(base, Random(f"{name} {self.seed} {number}"))
        path = each.put(content, bases, self.state / "work" / name.replace(" ", "-"))
        own = path.parent if each.whole_command else None
        began = time.monotonic()
        outcome = _judged(tried(lambda: each.read(path), own), kind, each, whole)
        if bases.canary.exists():
            bases.canary.unlink()
            outcome = Outcome("code", "the canary is there")
        if outcome.name not in FINE:
            kept = self.state / "kept" / f"{name}-{self.seed}-{number}{path.suffix}"
            kept.parent.mkdir(exist_ok=True)
            kept.write_bytes(content)
        row = {"format": name, "number": number, "kind": kind, "outcome": outcome.name, "detail": outcome.detail}
        return row | {"seconds": round(time.monotonic() - began, 3)}


def _judged(outcome: Outcome, kind: str, each: Format, whole: str) -> Outcome:
    """Read with the content of the base: equal. Of flipped bytes under a checksum nothing else may be read."""
    if outcome.name != "read":
        return outcome
    if outcome.detail == whole:
        return Outcome("equal")
    return Outcome("unseen") if each.summed and kind.startswith("bytes") else outcome


def _whole(each: Format, bases: Bases, work: Path) -> str:
    folder = work / "whole"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if not each.base_is_read:
        return ""
    path = each.put((bases.folder / each.base).read_bytes(), bases, folder)
    each.read(path)  # here, so that what it imports and reads is there for all forks
    outcome = tried(lambda: each.read(path), folder)
    assert outcome.name == "read", (each.base, outcome)
    return outcome.detail


def _bases(state: Path) -> Bases:
    """Made once for a campaign: checkpoints hold where the data lie."""
    bases = Bases(state / "bases")
    if not (state / "bases" / "whole").exists():
        bases.make()
        from figures import study

        for file, room in BUNDLED.items():
            shutil.copy(Path(study.__path__[0]) / room / file, state / "bases" / file)
        (state / "bases" / "whole").touch()
    return bases


def report(rows: list[dict[str, Any]]) -> str:
    """Counts by format, and what must not be."""
    names = sorted({row["outcome"] for row in rows}, key=lambda name: (name not in FINE, name))
    lines = [" ".join(["format".ljust(34), *(name.rjust(9) for name in names)])]
    for each in dict.fromkeys(row["format"] for row in rows):
        counts = Counter(row["outcome"] for row in rows if row["format"] == each)
        lines.append(" ".join([each.ljust(34), *(str(counts[name]).rjust(9) for name in names)]))
    bad = [row for row in rows if row["outcome"] not in FINE]
    lines += [f"{row['format']} {row['number']} {row['kind']}: {row['outcome']} {row['detail']}" for row in bad[:40]]
    return "\n".join([*lines, f"{len(rows)} mutants, {len(bad)} that must not be"])


def main() -> int:
    """The campaign's command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000, help="mutants in all")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after so long")
    parser.add_argument("--state", type=Path, required=True, help="folder that keeps what was found")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--formats", nargs="*", default=(), help="only these")
    parser.add_argument(
        "--commands", action=argparse.BooleanOptionalAction, default=True, help="whole commands as well"
    )
    given = parser.parse_args()
    given.state.mkdir(parents=True, exist_ok=True)
    known = formats(_bases(given.state))
    chosen = tuple(given.formats) or tuple(name for name in known if given.commands or not known[name].whole_command)
    for name in chosen:
        (given.state / "work" / name.replace(" ", "-")).mkdir(parents=True, exist_ok=True)
    rows = Campaign(given.state.absolute(), given.seed, chosen).run(given.count, given.seconds)
    print(report(rows))
    return int(any(row["outcome"] not in FINE for row in rows))


if __name__ == "__main__":
    sys.exit(main())
