"""What decides the numbers of a measuring command: with it, a finished result is recognised and reused."""

from __future__ import annotations

from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minima.zoo.code import fingerprint, is_code
from minima.zoo.data.specs import per_channel, resolve_data
from minima.zoo.losses.spec import stored

if TYPE_CHECKING:
    from minima.zoo.measuring.flags import Measuring

NOT_DECIDING = ("checkpoints", "out", "json", "debug", "overwrite", "memory")
"""flags that do not change a number"""
LATER: dict[str, Any] = {"subset": None, "subset_seed": 0, "subset_file": None}
"""flags that came to commands later: left out while they say nothing, so that older results are still recognised"""
RESOLVED = ("model", "data", "to", "data_root", "mean", "std", "loss")
"""flags that mean the same from another folder or in other words"""


def deciding(arguments: Measuring) -> dict[str, Any]:
    """The flags that decide the numbers, as they are stored: paths absolute, files also by their hash."""
    usual = {field.name: field.default for field in fields(arguments) if field.name in arguments.as_before}
    given = {key: value for key, value in asdict(arguments).items() if key not in usual or value != usual[key]}
    values = {key: _files(value) for key, value in given.items() if key not in (*NOT_DECIDING, *RESOLVED)}
    mean, std = per_channel("--mean", arguments.mean), per_channel("--std", arguments.std)
    root = arguments.data_root and arguments.data_root.absolute()
    data = resolve_data(arguments.data, root, mean, std) if arguments.data is not None else None
    values = {key: value for key, value in values.items() if key not in LATER or value != LATER[key]}
    values |= {"data": data, "model": _model(arguments.model)}
    values["loss"] = arguments.loss and stored(arguments.loss)
    if hasattr(arguments, "to"):  # the target of a transfer
        values["to"] = resolve_data(arguments.to, root, mean, std, flag="--to")
    if data is None:  # the checkpoint's own data, but for what these say
        values |= {"data_root": root and str(root), "mean": mean, "std": std}
    return values


def _files(value: Any) -> Any:
    """A flag's value, a path or several being what they lead to."""
    if isinstance(value, tuple):
        return [_files(each) for each in value]
    return _file(value) if isinstance(value, Path) else value


def _file(path: Path) -> dict[str, Any]:
    return {"path": str(path.absolute()), "sha256": fingerprint(path)}


def _model(spec: str | None) -> Any:
    if spec is not None and spec.startswith("hf:"):
        folder = Path(spec.removeprefix("hf:"))
        return {"spec": f"hf:{folder.absolute()}", "sha256": fingerprint(folder / "config.json")}
    if spec is None or not is_code(spec):
        return spec
    path, _, factory = spec.rpartition(":")
    return {"spec": f"{Path(path).absolute()}:{factory}", "sha256": fingerprint(Path(path))}
