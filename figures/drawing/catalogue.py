"""The figures there are: every module of `figures` that declares what it reads, found without a list."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from figures.drawing.reads import Page, Reads

PACKAGE = "figures"


@dataclass(frozen=True)
class Figure:
    """A module of `figures` with `READS` and `draw(inputs, out)`."""

    name: str
    reads: Reads
    meaning: str
    """the first line of its docstring"""
    function: Callable[..., list[Path]]

    def draw(self, page: Page, out: Path) -> list[Path]:
        """Draw one picture; the files that were written."""
        flags: dict[str, Any] = {"checkpoint": page.checkpoints} if self.chooses and page.checkpoints else {}
        return self.function(page.files, out, **flags)

    @property
    def chooses(self) -> bool:
        """Whether it can show some of a file's checkpoints only."""
        return "checkpoint" in inspect.signature(self.function).parameters


def figures() -> dict[str, Figure]:
    """Every figure by its name, in alphabetical order; matplotlib is not imported for it."""
    root = importlib.import_module(PACKAGE)
    found = {}
    for info in sorted(pkgutil.iter_modules(root.__path__), key=lambda info: info.name):
        if info.ispkg or info.name == "__main__":
            continue
        module = importlib.import_module(f"{PACKAGE}.{info.name}")
        if hasattr(module, "READS"):
            meaning = (module.__doc__ or "").partition("\n")[0]
            found[info.name] = Figure(info.name, module.READS, meaning, module.draw)
    return found
