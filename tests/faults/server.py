"""A fork server for commands: torch is imported once, and each trial is a fork of its own, with a fault planned for it.

Started with the shim preloaded. A line of JSON in says what to run; a line out says how it ended. What a trial
that came to its end had to import is imported here, for those after it.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from faults.states import Recorder
from forks.jobs import Jobs, become, report_modules, stand_in
from forks.server import import_too, preload

HELD_UP = 1.0
"""seconds between two looks, beyond which this process was not let work"""


def main() -> None:
    """Serve until the requests end."""
    preload()
    from minima.zoo.training import unfinished

    unfinished.SECONDS_BETWEEN_SAVES = 0.0  # every offer is taken: the more to be interrupted
    jobs = Jobs(Path(sys.argv[1]))
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        trial = json.loads(line)
        ended = _attend(trial, jobs)
        import_too(Path(trial["modules"]))
        print(json.dumps(ended), flush=True)


def _attend(trial: dict[str, Any], jobs: Jobs) -> dict[str, Any]:
    """Run it in a fork; its exit status (negative: a signal's number) and seconds, None if it did not end in time.

    Time in which all this was held up from outside is none of its.
    """
    seconds, looked, before = 0.0, time.monotonic(), _processor()
    pid = os.fork()
    if pid == 0:
        _run(trial)
    recorder = Recorder(Path(trial["plan"]), Path(trial["cwd"]), Path(trial["states"])) if trial["states"] else None
    status, signalled = None, trial["signal_after"] is None
    try:
        while seconds < trial["limit"]:
            ended, found = os.waitpid(pid, os.WNOHANG)
            if ended:
                status = os.waitstatus_to_exitcode(found)
                break
            if not signalled and seconds > trial["signal_after"]:
                with contextlib.suppress(ProcessLookupError):  # it has not got so far as to have a group
                    os.killpg(pid, trial["signal"])
                    signalled = True
            if recorder:
                recorder.look(pid)
            jobs.serve(0.002, Path(trial["modules"]))
            now = time.monotonic()
            seconds, looked = seconds + min(now - looked, HELD_UP), now
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
    if status is None:
        os.waitpid(pid, 0)
    jobs.end()
    if recorder:
        recorder.end()
    return {"status": status, "seconds": seconds, "processor": _processor() - before}


def _processor() -> float:
    """Seconds of it that forks have taken so far."""
    return os.times().children_user + os.times().children_system


def _run(trial: dict[str, Any]) -> None:
    """The child: a process group of its own, its streams in files."""
    code = 70
    try:
        os.setpgid(0, 0)  # no session: the system may give each one a share of the processor
        signal.signal(signal.SIGINT, signal.default_int_handler)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        streams = [os.open("/dev/null", os.O_RDONLY), *(os.open(trial[name], flags, 0o644) for name in ("out", "err"))]
        os.chdir(trial["cwd"])
        report_modules(Path(trial["modules"]))
        if trial["stand_in"]:
            stand_in(trial["stand_in"])
        become(trial["module"], trial["argv"], streams, trial["plan"])
    except KeyboardInterrupt:  # before there was a command
        code = 130
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
