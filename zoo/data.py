"""Data by name: from a --data spec to a `Dataset`, and what a checkpoint stores of it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from store.command import BadInput
from store.registry import members
from zoo.code import call_factory, is_code
from zoo.dataset import ARRAYS, Dataset, Source


def sources() -> dict[str, type[Source]]:
    """Every member of zoo/datasets by name."""
    return members("zoo.datasets", Source)


def resolve_data(
    spec: str,
    root: Path | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
) -> dict[str, Any]:
    """The entry `data` of a checkpoint: absolute paths, and the normalisation, defaults filled in."""
    known = sources()
    source = known.get(spec, Source)
    if spec.startswith("npz:"):
        spec = f"npz:{Path(spec.removeprefix('npz:')).absolute()}"
    elif is_code(spec):
        path, _, factory = spec.rpartition(":")
        spec = f"{Path(path).absolute()}:{factory}"
    elif spec not in known:
        raise BadInput(
            f"--data {spec}: there is no such data. Known: {', '.join(known)}, npz:FILE, path/to/file.py:factory"
        )
    folder = (root or Path(os.environ.get("DATA_ROOT", "data"))).absolute() if source.needs_root else None
    return {
        "spec": spec,
        "root": str(folder) if folder else None,
        "mean": list(mean or source.mean),
        "std": list(std or source.std),
    }


def load_data(data: Mapping[str, Any], *, run_code: bool = False) -> Dataset:
    """The dataset that `resolve_data` described. Code is run only with `run_code`: the user repeated the spec."""
    from zoo.preprocessing import to_dataset

    spec = data["spec"]
    if is_code(spec) and not run_code:
        raise BadInput(
            f"the checkpoint was made from the data {spec}, which is code.\n"
            f"A file may not choose code to run: if you trust it, say so with --data {spec}"
        )
    return to_dataset(_arrays(spec, Path(data["root"] or ".")), data["mean"], data["std"], spec)


def _arrays(spec: str, root: Path) -> Mapping[str, Any]:
    if is_code(spec):
        made = call_factory(spec, "--data")
        if isinstance(made, Dataset):
            made = vars(made)
        return made if isinstance(made, Mapping) else dict(zip(ARRAYS, made, strict=False))
    if spec.startswith("npz:"):
        return _read_npz(Path(spec.removeprefix("npz:")))
    known = sources()
    if spec not in known:
        raise BadInput(f"there is no data named {spec!r}. Known: {', '.join(known)}")
    return known[spec]().read(root)


def _read_npz(path: Path) -> Mapping[str, Any]:
    import numpy as np

    if not path.is_file():
        raise BadInput(
            f"--data npz:{path}: there is no such file; expected an .npz with the arrays {', '.join(ARRAYS)}"
        )
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except Exception as error:
        raise BadInput(f"{path} is not a readable .npz of plain arrays: {error}") from error
