"""A command line in this process, as if it had been typed."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest


def typed(line: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """The exit status of a command, in this process."""
    monkeypatch.chdir(folder)
    module, *argv = line.split()
    monkeypatch.setattr("sys.argv", [module, *argv])
    sys.modules.pop(f"{module}.__main__", None)
    with pytest.raises(SystemExit) as ended:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    return int(ended.value.code or 0)
