"""Mutants through whole commands: exit status 0, or 1 and a message."""

from __future__ import annotations

import io
import runpy
import sys
import warnings
from collections.abc import Callable
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path

from minima.store.messages import BadInput

LINES: dict[str, tuple[str, ...]] = {
    "checkpoint": (
        "minima.checkpoint MUTANT --json",
        "minima.train --from MUTANT --epochs 0 -o OUT.pt",
        "landscape.sharpness MUTANT --measures lambda_max --samples 20 -o OUT.h5",
    ),
    "pruned checkpoint": (
        "minima.checkpoint MUTANT",
        "pruning magnitude MUTANT --sparsity 0.6 --epochs 0 -o OUT.pt",
        "pruning.masks MUTANT -o OUT.h5",
        "entropy.psp MUTANT --samples 30 -o OUT.h5",
    ),
    "foreign": (
        "landscape.sharpness MUTANT --model NETWORK --data digits --samples 20 --measures lambda_max -o OUT.h5",
    ),
    "npz": ("minima.train --model mlp:hidden=4 --data npz:MUTANT --epochs 0 -o OUT.pt",),
    "results of psp": ("figures MUTANT -o OUT", "figures.page MUTANT -o OUT.html"),
    "results of surface": ("figures.surface MUTANT -o OUT", "landscape.topology MUTANT -o OUT.h5"),
    "results of hessian": ("figures MUTANT -o OUT",),
    "trajectory": ("entropy.psp MUTANT --samples 30 -o OUT.h5",),
}
"""of a format, what is typed"""


def command(line: str, network: str) -> Callable[[Path], object]:
    """What reads a file by a whole command."""

    def read(path: Path) -> object:
        out = path.parent / "out"
        for old in path.parent.glob("*out*"):
            if old.is_file():  # a folder of pictures stays: they are replaced
                old.unlink()
        module, *words = line.replace("NETWORK", network).split()
        argv = [word.replace("MUTANT", str(path)).replace("OUT", str(out)) for word in words]
        return typed(module, argv, path.parent)

    return read


def typed(module: str, argv: list[str], folder: Path) -> str:
    """A command in this process, as it is typed in a folder.

    Raises:
        BadInput: it refused its input.
        RuntimeError: it ended otherwise.
    """
    said, before = io.StringIO(), sys.argv
    sys.argv = [module, *argv]
    try:
        with (
            chdir(folder),
            redirect_stdout(io.StringIO()),
            redirect_stderr(said),
            warnings.catch_warnings(action="ignore"),
        ):
            runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        text = said.getvalue()
        own = text.rpartition("error: ")[2]
        if end.code == 1 and "error: " in text and "not a message you should see" not in own:
            raise BadInput(own) from None
        if end.code not in (0, None):
            raise RuntimeError(f"exit status {end.code}: {text[-200:]}") from None
    finally:
        sys.argv = before
    return "done"
