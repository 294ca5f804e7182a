"""A crash or a failure at every operation of every command: `python -m faults.campaign FOLDER`, or `make torture`.

Each trial is a row of FOLDER/rows.jsonl. What has a row is not tried again, so that a campaign can be stopped and gone
on with; a trial that went wrong is kept below FOLDER/bad.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from faults.commands import commands, make_bases
from faults.states import States
from faults.strangers import strangers
from faults.trials import CRASHES, FAILURES, TAKES_ROOM, Ended, Server, after_a_kill, again, compiled, trial

AT_WRITES = ("torn", "short")
ALL = (*CRASHES, "short", *FAILURES, "TERM")


class Campaign:
    """Trials in a folder, each tried once."""

    def __init__(self, folder: Path, server: Server) -> None:
        self.folder, self.server = folder, server
        self.rows = folder / "rows.jsonl"
        self._durations: dict[str, float] = {}
        self._counted = 0.0
        lines = self.rows.read_text().splitlines() if self.rows.exists() else []
        self.tried = {(row["command"], row["mode"], row["number"]): row for row in map(json.loads, lines)}
        make_bases(folder, server)
        self.commands = commands(folder)

    def whole(self, name: str) -> tuple[Path, list[tuple[str, str]]]:
        """The folder of an undisturbed run of a command, and its operations."""
        folder, listed = self.folder / f"{name}.whole", self.folder / f"{name}.operations.json"
        if not listed.exists():
            shutil.rmtree(folder, ignore_errors=True)
            if self.commands[name].starts_others:
                ended = self._recorded(name)
                shutil.copytree(self.folder / "trial", folder)
            else:
                folder.mkdir()
                ended = self.server.run(self.commands[name], folder, "log")
            assert ended.status == 0, ended.said
            listed.write_text(json.dumps(ended.operations))
        return folder, [(op, path) for op, path in json.loads(listed.read_text())]

    def _recorded(self, name: str) -> Ended:
        """An undisturbed run in the folder of trials, whose states are kept."""
        folder, states = self.folder / "trial", self.states(name).folder
        for each in (folder, states):
            shutil.rmtree(each, ignore_errors=True)
            each.mkdir()
        return self.server.run(self.commands[name], folder, "hold", states=states)

    def states(self, name: str) -> States:
        """Those of the folder in the undisturbed run of a command that starts others."""
        return States(self.folder / f"{name}.states")

    def trials(self, name: str, modes: Sequence[str]) -> Iterator[tuple[str, str, int]]:
        """Every operation with every fault that means something there."""
        _, operations = self.whole(name)
        for number, (operation, _) in enumerate(operations, 1):
            for mode in modes:
                room = mode in ("ENOSPC", "EDQUOT") and operation not in TAKES_ROOM
                if not room and (mode not in AT_WRITES or operation == "write"):
                    yield name, mode, number

    def attempt(self, name: str, mode: str, number: int) -> list[str]:
        """One trial; what is not as promised."""
        if (name, mode, number) in self.tried:
            return list(self.tried[name, mode, number]["trouble"])
        command, (whole, operations) = self.commands[name], self.whole(name)
        if command.starts_others and mode in CRASHES:
            more = {"state": self.states(name).moments[f"{mode} {number}"]}
            trouble, took = self._in_state(name, f"{mode} {number}")
        else:
            more = {}
            trouble, took = trial(self.server, command, whole, self.folder / "trial", mode, number)
        operation, path = operations[number - 1]
        twice = took + number - 1 - len(operations)
        if twice > command.repeats:
            trouble.append(f"{twice} operations were done twice: finished work was computed again")
        self._row(
            name, mode, number, trouble, operation=f"{operation} {Path(path).name}", twice=twice, took=took, **more
        )
        return trouble

    def _in_state(self, name: str, moment: str) -> tuple[list[str], int]:
        """What is not as promised when the line is typed in the state of that moment, and the operations it takes.

        A state that was tried at another moment is not tried again.
        """
        states, folder = self.states(name), self.folder / "trial"
        for row in self.tried.values():
            if row["command"] == name and row.get("state") == states.moments[moment]:
                return list(row["trouble"]), row["took"]
        states.restore(moment, folder)
        return after_a_kill(self.server, self.commands[name], self.whole(name)[0], folder)

    def kill(self, name: str, mode: str, number: int) -> list[str]:
        """A real crash there: what it leaves is the recorded state, and it is as promised."""
        if (name, f"kill {mode}", number) in self.tried:
            return list(self.tried[name, f"kill {mode}", number]["trouble"])
        folder, command, (whole, _) = self.folder / "trial", self.commands[name], self.whole(name)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        self.server.run(command, folder, mode, number)
        strange = strangers(self.states(name), f"{mode} {number}", folder)
        trouble, _ = after_a_kill(self.server, command, whole, folder)
        self._row(name, f"kill {mode}", number, trouble, strange=strange)
        return trouble + [f"{each} is not as it was recorded" for each in strange]

    def interrupt(self, name: str, seed: int, most: int = 8) -> list[str]:
        """SIGKILL, SIGTERM and SIGINT at random moments, again and again, and then the line once more."""
        if (name, "random", seed) in self.tried:
            return list(self.tried[name, "random", seed]["trouble"])
        draws, folder, command = random.Random(f"{name} {seed}"), self.folder / "trial", self.commands[name]
        whole, _ = self.whole(name)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        trouble, sent = [], 0
        for _ in range(most):
            number = draws.choice([signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
            ended = self.server.run(command, folder, signalled=(draws.uniform(0, self._duration(name)), number))
            if ended.status == 0:
                break
            sent += 1
            if ended.status not in (-9, 130, 143, -number):
                trouble.append(f"after signal {number}: {ended.status}: {ended.said[-300:]}")
        trouble += again(self.server, command, whole, folder)[0]
        self._row(name, "random", seed, trouble, sent=sent)
        return trouble

    def _duration(self, name: str) -> float:
        """Seconds that an undisturbed run takes, measured once."""
        if name not in self._durations:
            folder = self.folder / "timed"
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            self._durations[name] = self.server.run(self.commands[name], folder).seconds
        return self._durations[name]

    def _row(self, name: str, mode: str, number: int, trouble: list[str], **more: Any) -> None:
        row = {"command": name, "mode": mode, "number": number, "trouble": trouble} | more
        row["processor"] = round(self.server.processor - self._counted, 2)
        self._counted = self.server.processor
        with self.rows.open("a") as file:
            file.write(json.dumps(row) + "\n")
        self.tried[name, mode, number] = row
        if trouble:
            shutil.copytree(self.folder / "trial", self.folder / "bad" / f"{name}-{mode}-{number}", dirs_exist_ok=True)


def main(argv: Sequence[str] | None = None) -> int:
    """All trials, or those of some commands and faults, as long as there is time; 1 if anything was not as promised."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--commands", nargs="*")
    parser.add_argument("--modes", nargs="*", choices=ALL, default=ALL)
    parser.add_argument("--every", type=int, default=1, help="one in so many, drawn; the others are left out")
    parser.add_argument("--interruptions", type=int, default=0, help="of each command, at random moments")
    parser.add_argument("--kills", type=int, default=0, help="of what starts others: real ones beside its states")
    parser.add_argument(
        "--seconds", type=float, default=float("inf"), help="stop after so long; type it again to go on"
    )
    asked = parser.parse_args(argv)
    asked.folder.mkdir(parents=True, exist_ok=True)
    shim = compiled(asked.folder)
    if shim is None:
        print("there is no C compiler (cc) to make the shim with", file=sys.stderr)
        return 1
    end = time.monotonic() + asked.seconds
    with Server(asked.folder.absolute(), shim.absolute()) as server:
        campaign = Campaign(asked.folder.absolute(), server)
        for name in asked.commands or campaign.commands:
            _go_through(campaign, name, asked, end)
    return _told(list(campaign.tried.values()))


def _told(rows: list[dict[str, Any]]) -> int:
    """Say what was tried so far; 1 if anything was not as promised."""
    for name in dict.fromkeys(row["command"] for row in rows):
        own = [row for row in rows if row["command"] == name]
        states = len({row["state"] for row in own if "state" in row})
        counted = Counter(row["mode"] for row in own)
        print(f"{name}: {', '.join(f'{mode} {counted[mode]}' for mode in sorted(counted))}; {states} recorded states")
    wrong = [row for row in rows if row["trouble"] or row.get("strange")]
    for row in wrong:
        print(json.dumps(row))
    print(f"{len(rows)} trials so far, {len(wrong)} not as promised")
    return int(bool(wrong))


def _go_through(campaign: Campaign, name: str, asked: argparse.Namespace, end: float) -> None:
    """One command, until the time is over."""
    every = list(campaign.trials(name, asked.modes))
    random.Random(name).shuffle(every)
    for trial_of in every[:: asked.every]:
        if time.monotonic() < end:
            campaign.attempt(*trial_of)
    crashes = list(campaign.trials(name, CRASHES)) if campaign.commands[name].starts_others else []
    for crash in random.Random(name).sample(crashes, min(asked.kills, len(crashes))):
        if time.monotonic() < end:
            campaign.kill(*crash)
    for seed in range(asked.interruptions):
        if time.monotonic() < end:
            campaign.interrupt(name, seed)


if __name__ == "__main__":
    sys.exit(main())
