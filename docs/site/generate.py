"""Pages that the code itself is: public functions by package, flags by command, and the packages' own READMEs."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from minima.__main__ import COMMANDS
from minima.store.listing import first_line

PAGES = "_generated"
DOORS = ("minima", "landscape", "entropy", "pruning")
"""packages whose public names make a page each"""
READMES = ("minima", "landscape", "entropy", "pruning", "figures", "figures/study")
WIDTH = "88"
"""characters in a line of help"""


def write_pages(folder: Path) -> None:
    """Into `folder`: functions/PACKAGE.md, rooms/PACKAGE.md and flags.md; what has not changed is left as it is."""
    pages = {f"functions/{package}.md": functions_of(package) for package in DOORS}
    pages |= {f"rooms/{name.replace('/', '-')}.md": readme_of(name) for name in READMES}
    pages["flags.md"] = flags_of_all()
    for name, text in pages.items():
        page = folder / name
        if not page.exists() or page.read_text() != text:
            page.parent.mkdir(parents=True, exist_ok=True)
            page.write_text(text)


def functions_of(package: str) -> str:
    """A page on what can be imported from a package, functions before classes."""
    door = importlib.import_module(package)
    names = sorted(door.HOMES, key=lambda name: (isinstance(getattr(door, name), type), name))
    lines = [f"# From {package}", "", "```{eval-rst}", f".. module:: {package}", ""]
    for name in names:
        one = getattr(door, name)
        kind = "autoclass" if isinstance(one, type) else "autofunction"
        lines += [f".. {kind}:: {package}.{name}", *["   :members:"] * (kind == "autoclass"), ""]
    return "\n".join([*lines, "```", ""])


def readme_of(package: str) -> str:
    """A page that is the README in a package's folder."""
    return f"```{{include}} ../../../{package}/README.md\n```\n"


def flags_of_all() -> str:
    """A page with the help of every command, one at a time for each processor."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        helps = list(pool.map(help_of, COMMANDS.values()))
    parts = ["# Flags of every command", "", "As `--help` tells them.", ""]
    for (name, module), text in zip(COMMANDS.items(), helps, strict=True):
        parts += [f"## {name}", "", f"`python -m {module}`: {first_line(module)}", "", "```text", text, "```", ""]
    return "\n".join(parts)


def help_of(module: str) -> str:
    """What `python -m MODULE --help` prints."""
    line = [sys.executable, "-m", module, "--help"]
    return subprocess.run(
        line, capture_output=True, text=True, check=True, env=os.environ | {"COLUMNS": WIDTH, "NO_COLOR": "1"}
    ).stdout.rstrip()
