"""A fork server for commands: torch is imported once, and each trial is a fork of its own, with a fault planned for it.

Started with the shim preloaded. A line of JSON in says what to run; a line out says how it ended. What a trial
that came to its end had to import is imported here, for those after it.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import runpy
import signal
import sys
import time
import traceback
import warnings
from pathlib import Path
from typing import Any

PRELOADED = (
    "torch torch._dynamo torch.func torch.nn.functional torch.fx h5py numpy tyro scipy.linalg scipy.optimize "
    "sklearn.datasets minima.store.hdf5.results minima.zoo.subject.subject minima.zoo.training.fit "
    "minima.zoo.measuring.each landscape.objective.objective landscape.spectrum.lanczos pruning.running.run "
    "entropy.information.measurement"
)


def main() -> None:
    """Serve until the requests end."""
    for name in PRELOADED.split():
        importlib.import_module(name)
    import torch

    from minima.zoo.training import unfinished

    torch.set_num_threads(1)
    unfinished.SECONDS_BETWEEN_SAVES = 0.0  # every offer is taken: the more to be interrupted
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        trial = json.loads(line)
        ended = _attend(trial)
        _import_too(Path(trial["modules"]))
        print(json.dumps(ended), flush=True)


def _import_too(listed: Path) -> None:
    """The modules of such a list that are not here yet; then all that is here stays as it is, shared with forks."""
    if not listed.exists():
        return
    for name in set(listed.read_text().split()) - set(sys.modules):
        if not name.endswith("__main__"):
            with contextlib.suppress(Exception):  # some are made by others, and not to be found by their names
                importlib.import_module(name)
    listed.unlink()
    gc.collect()
    gc.freeze()


def _attend(trial: dict[str, Any]) -> dict[str, Any]:
    """Run it in a fork; its exit status (negative: a signal's number) and seconds, None if it did not end in time."""
    began, pid = time.monotonic(), os.fork()
    if pid == 0:
        _run(trial)
    status, signalled = None, trial["signal_after"] is None
    while time.monotonic() - began < trial["limit"]:
        ended, found = os.waitpid(pid, os.WNOHANG)
        if ended:
            status = os.waitstatus_to_exitcode(found)
            break
        if not signalled and time.monotonic() - began > trial["signal_after"]:
            with contextlib.suppress(ProcessLookupError):  # it has not got so far as to have a group
                os.killpg(pid, trial["signal"])
                signalled = True
        time.sleep(0.002)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    if status is None:
        os.waitpid(pid, 0)
    return {"status": status, "seconds": time.monotonic() - began}


def _run(trial: dict[str, Any]) -> None:
    """The child: a process group of its own, its streams in files, the fault armed last."""
    code = 70
    try:
        os.setpgid(0, 0)  # no session: the system may give each one a share of the processor
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
        for number, name in ((1, "out"), (2, "err")):
            os.dup2(os.open(trial[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644), number)
        sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", buffering=1, closefd=False)
        os.chdir(trial["cwd"])
        sys.argv = [trial["module"], *trial["argv"]]
        warnings.filterwarnings("ignore", message=".*found in sys.modules.*")
        if trial["plan"]:
            os.environ["FAULT_PLAN"] = trial["plan"]
            ctypes.CDLL(None).fault_arm(os.fsencode(trial["plan"]))
        code = _status(trial["module"])
        Path(trial["modules"]).write_text(" ".join(sys.modules))
    except KeyboardInterrupt:  # before there was a command
        code = 130
    finally:
        os._exit(code)


def _status(module: str) -> int:
    code = 0
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except KeyboardInterrupt:  # before the command has begun
        code = 130
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return code


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    main()
