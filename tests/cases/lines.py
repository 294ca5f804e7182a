"""Command lines as people type them, run in this process, each in a folder of its own."""

import contextlib
import importlib
import io
import json

from minima.store.command import Command, run


def typed(folder, module, *arguments):
    """Exit status, JSON object (or None) and standard error of `python -m MODULE ARGUMENTS --json` in a folder."""
    entry = importlib.import_module(f"{module}.__main__")
    flags = next(
        value
        for value in vars(entry).values()
        if isinstance(value, type) and issubclass(value, Command) and value.__module__.startswith(module)
    )
    out, err, status = io.StringIO(), io.StringIO(), 0
    with contextlib.chdir(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            run(flags, entry.main, prog=module, description="", argv=[*map(str, arguments), "--json"])
        except SystemExit as end:
            status = end.code or 0
    return status, json.loads(out.getvalue()) if out.getvalue() else None, err.getvalue()
