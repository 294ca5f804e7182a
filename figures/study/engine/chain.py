"""`python -m figures.study.engine.chain 'COMMAND' 'COMMAND' ...`: the suite's commands, libraries loaded once for all.

Loading torch costs seconds, more than a small network's whole training. This process loads what all commands need, and
each command then runs in a copy of it (a fork), so that none finds anything that another one has left behind.
"""

from __future__ import annotations

import importlib
import os
import runpy
import shlex
import signal
import sys
import traceback
from dataclasses import dataclass
from importlib.util import find_spec

import tyro

from minima.store.command import BadInput, Command, run

LOADED_ONCE = ("torch", "h5py", "tyro._cli", "typeguard", "minima.zoo.subject.subject")
"""what most commands import when they begin to work, and is slow to"""


@dataclass(frozen=True, kw_only=True)
class Chain(Command):
    """Run commands of the suite one after the other; the first that fails ends it, with its status."""

    commands: tyro.conf.Positional[tuple[str, ...]]
    """each as it is typed behind python -m, in quotes: 'minima.train --epochs 5 -o runs/x.pt'"""
    overwrite: bool = False
    """passed on to each command"""


def main(arguments: Chain) -> None:
    """Run them all."""
    lines = [_words(command) + ["--overwrite"] * arguments.overwrite for command in arguments.commands]
    _load({module for module, *_ in lines})
    for module, *words in lines:
        status = _run(module, words)
        if status:
            sys.exit(status)


def _load(modules: set[str]) -> None:
    """What the commands import, into this process; each module that is run is then run from its beginning."""
    for name in LOADED_ONCE:
        importlib.import_module(name)
    for module in modules:
        spec = find_spec(module)
        entry = f"{module}.__main__" if spec and spec.submodule_search_locations else module
        importlib.import_module(entry)
        del sys.modules[entry]


def _words(command: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise BadInput(f"{command!r}: {error}") from error
    if not words:
        raise BadInput("a command is empty: expected for example 'minima.train --epochs 5 -o runs/x.pt'")
    return words


def _run(module: str, words: list[str]) -> int:
    """The status of `python -m MODULE WORDS`, done by a copy of this process. What ends this one ends the copy."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        _become(module, words)
    try:
        _, status = os.waitpid(child, 0)
    except BaseException:
        os.kill(child, signal.SIGTERM)
        os.waitpid(child, 0)
        raise
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _become(module: str, words: list[str]) -> None:
    """From here on this process is that command."""
    status: object = 1
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        sys.argv = [module, *words]
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as end:
        status = end.code or 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status if isinstance(status, int) else 1)


if __name__ == "__main__":
    run(Chain, main, prog="python -m figures.study.engine.chain")
