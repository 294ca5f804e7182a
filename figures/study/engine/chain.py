"""`python -m figures.study.engine.chain 'COMMAND' 'COMMAND' ...`: the suite's commands in one process.

Starting torch costs seconds, more than a small network's whole training.
"""

from __future__ import annotations

import runpy
import shlex
import sys
from dataclasses import dataclass

import tyro

from minima.store.command import Command, run


@dataclass(frozen=True, kw_only=True)
class Chain(Command):
    """Run commands of the suite one after the other in one process; the first that fails ends it, with its status."""

    commands: tyro.conf.Positional[tuple[str, ...]]
    """each as it is typed behind python -m, in quotes: 'minima.train --epochs 5 -o runs/x.pt'"""
    overwrite: bool = False
    """passed on to each command"""


def main(arguments: Chain) -> None:
    """Run them all."""
    for command in arguments.commands:
        module, *words = shlex.split(command)
        _run(module, words + ["--overwrite"] * arguments.overwrite)


def _run(module: str, words: list[str]) -> None:
    """As `python -m MODULE WORDS`; a status other than 0 goes up."""
    before = sys.argv
    sys.argv = [module, *words]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if end.code:
            raise
    finally:
        sys.argv = before


if __name__ == "__main__":
    run(Chain, main, prog="python -m figures.study.engine.chain")
