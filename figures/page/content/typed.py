"""Lines to type: what makes a result again, and what makes one that is missing, of foreign networks too.

A network that the suite did not write is named by its class, its data and its loss, which its results record. A line
holds them, so that it works as it stands in the folder where the page was written.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from figures.page.content.networks import Networks
from figures.page.content.results import Result
from figures.reading.names import RUNS
from figures.study.configuration.command_lines import COMMANDS
from minima.store.plain import plain

LOADING = (
    *("model", "data", "loss", "data_root", "mean", "std", "output", "input_dtype", "input_shape", "scale"),
    *("labels_in", "zeros", "entry", "dtype"),
)
"""flags that say what a checkpoint is, whatever is measured of it"""
POSITIONAL = ("surface",)
USUAL = {"mean": [0.0], "std": [1.0]}
"""of data, where nothing else was said"""


def module_of(command: str) -> str:
    """The module that a command line starts.

    >>> module_of("python -m landscape.hessian {checkpoint} --trace 20")
    'landscape.hessian'
    """
    return command.split()[2]


def again(result: Result, command: str, networks: Networks) -> str:
    """The line that makes a results file again: its checkpoints, and every flag that is not the command's default."""
    module = module_of(command)
    words = [*_flags(result.origin["arguments"], _defaults(module))]
    names = result.names or [networks.file(sha256) for sha256 in result.sha256]
    made = f"{'-to-'.join(Path(name).stem for name in names)}.{result.measure}.h5"
    named = [nearby(checkpoint(result, name)) for name in names]
    if result.measure == "topology":
        named, made = [nearby(str(result.path).removesuffix(".topology.h5") + ".h5")], result.path.name
    out = [] if Path(nearby(result.path)) == Path(named[0]).parent / made else ["-o", nearby(result.path)]
    return shlex.join(["python", "-m", module, *named, *words, *out])


def checkpoint(result: Result, name: str) -> Path:
    """Where a checkpoint of a result lies: beside it, or in a study's folder; its name where it is in neither."""
    places = (result.path.parent / name, result.path.parent.parent / RUNS / name)
    return next((path for path in places if path.exists()), Path(name))


def with_loading(command: str, arguments: Mapping[str, Any]) -> str:
    """A line for a network whose results record these arguments: with what says what it is, where that was typed."""
    known = _defaults(module_of(command))
    words = _flags({key: arguments[key] for key in LOADING if key in arguments and key in known}, known)
    return " ".join([command, *map(shlex.quote, words)])


def nearby(path: Path | str) -> str:
    """A path as it is typed here: relative where it is in this folder.

    >>> nearby(Path.cwd() / "runs" / "x.pt"), nearby("/somewhere/x.pt")
    ('runs/x.pt', '/somewhere/x.pt')
    """
    here = Path.cwd()
    absolute = Path(path)
    return str(absolute.relative_to(here) if absolute.is_relative_to(here) else absolute)


def _defaults(module: str) -> dict[str, Any]:
    """What a command takes for the flags that are not typed; None for those that must be; {} of a command not known."""
    found: dict[str, Any] = {}
    for each in fields(COMMANDS[module][0]()) if module in COMMANDS else ():
        value = each.default_factory() if each.default_factory is not MISSING else each.default
        found[each.name] = None if value is MISSING else plain(value)
    return found


def _flags(found: Mapping[str, Any], defaults: Mapping[str, Any], above: str = "") -> Iterator[str]:
    for key, value in found.items():
        if value is None or key in POSITIONAL or _same(value, defaults.get(key)):
            continue
        flag = f"--{above}{key.replace('_', '-')}"
        if isinstance(value, Mapping) and not {"spec", "path"} & set(value):
            yield from _flags(value, defaults.get(key) or {}, f"{above}{key.replace('_', '-')}.")
        elif isinstance(value, bool):
            yield flag if value else f"--{above}no-{key.replace('_', '-')}"
        else:
            yield from _value(flag, value)


def _same(value: Any, default: Any) -> bool:
    return bool(value == default or (isinstance(value, list) and list(default or ()) == value))


def _value(flag: str, value: Any) -> Iterator[str]:
    """A flag with what was typed behind it: a path, a spec and what belongs to it, or values."""
    if isinstance(value, Mapping) and "spec" in value:
        yield from (flag, typed_spec(str(value["spec"])))
        if value.get("root"):
            yield from ("--data-root", nearby(value["root"]))
        for key, usual in USUAL.items():
            if value.get(key) not in (None, usual):
                yield from (f"--{key}", ",".join(f"{number:g}" for number in value[key]))
    elif isinstance(value, Mapping):
        yield from (flag, nearby(value["path"]))
    elif flag in ("--mean", "--std"):
        yield from (flag, ",".join(f"{number:g}" for number in value))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        yield from (flag, *(nearby(each["path"]) if isinstance(each, Mapping) else str(each) for each in value))
    else:
        yield from (flag, typed_spec(str(value)) if flag == "--model" else str(value))


def typed_spec(spec: str) -> str:
    """`KIND:PATH`, `PATH:NAME` or a name, its path as it is typed here."""
    parts = spec.split(":")
    return ":".join(nearby(part) if part.startswith("/") else part for part in parts)
