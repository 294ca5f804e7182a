"""What a person sees of a running workflow: a line for each stage, read from Snakemake's log."""

from __future__ import annotations

import re
import sys
import time
from collections import Counter
from pathlib import Path

FINISHED = re.compile(r"Finished jobid: \d+ \(Rule: (?P<rule>\S+)\)")
COUNT = re.compile(r"(?P<rule>[a-z][a-z0-9_]*)\s+(?P<count>\d+)\s*")
ERROR = re.compile(r"Error in rule (?P<rule>\S+):")
LOG = re.compile(r"\s+log: (?P<path>\S+)")
LAST_LINES = 12
SECONDS_BETWEEN_LINES = 15.0


class Progress:
    """Follows the log: `feed` takes its lines as they come."""

    def __init__(self) -> None:
        self.planned: Counter[str] = Counter()
        self.done: Counter[str] = Counter()
        self.failed: list[Path] = []
        """logs of the jobs that failed"""
        self._in_table = False
        self._in_error = ""
        self._said = time.monotonic()
        self._started = time.monotonic()

    def feed(self, line: str) -> None:
        """Take one line in."""
        if line.startswith("Job stats") and not self.planned:  # a dry run has a second table, at its end
            self._in_table = True
        elif self._in_table:
            self._read_count(line)
        elif found := FINISHED.match(line):
            self._finish(found["rule"])
        elif found := ERROR.match(line):
            self._in_error = found["rule"]
        elif self._in_error and (found := LOG.match(line)):
            self._fail(found["path"])

    def _read_count(self, line: str) -> None:
        found = COUNT.fullmatch(line)
        if found and found["rule"] not in ("job", "total", "all"):
            self.planned[_stage(found["rule"])] += int(found["count"])
        elif line.startswith("total"):
            self._in_table = False
            stages = ", ".join(f"{count} {stage}" for stage, count in self.planned.items())
            self._say(f"{self.planned.total()} jobs to do: {stages}")

    def _finish(self, rule: str) -> None:
        if rule == "all":
            return
        stage = _stage(rule)
        self.done[stage] += 1
        complete = self.done[stage] == self.planned[stage]
        if complete or time.monotonic() - self._said >= SECONDS_BETWEEN_LINES:
            self._say(
                f"{self.done.total()} of {self.planned.total()} jobs, "
                f"{stage} {self.done[stage]} of {self.planned[stage]}"
            )

    def _fail(self, log: str) -> None:
        self._say(f"failed: {self._in_error.replace('_', ' ')}. The end of {log}:")
        self._in_error = ""
        path = Path(log)
        self.failed.append(path)
        text = path.read_text(errors="replace") if path.is_file() else "(it wrote nothing)"
        for line in text.splitlines()[-LAST_LINES:]:
            print(f"    {line}", file=sys.stderr)

    def _say(self, message: str) -> None:
        self._said = time.monotonic()
        minutes, seconds = divmod(int(self._said - self._started), 60)
        print(f"[{minutes:3d}:{seconds:02d}] {message}", file=sys.stderr, flush=True)


def _stage(rule: str) -> str:
    """What the rules of one kind have in common: their names' first word."""
    return rule.partition("_")[0]
