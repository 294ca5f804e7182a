"""Data by name: from a --data spec to a `Dataset`, and what a checkpoint stores of it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from minima.store.command import BadInput
from minima.store.reading import unchanging
from minima.zoo.code import call_factory, fingerprint, is_code
from minima.zoo.data.classes import join_classes, keep_classes, split_classes
from minima.zoo.data.dataset import Dataset, Source, sources
from minima.zoo.data.files import file_of, meant, read_file
from minima.zoo.data.labels import join_labels, shuffle_labels, split_labels


def resolve_data(
    spec: str,
    root: Path | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    flag: str = "--data",
    reading: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The entry `data` of a checkpoint: absolute paths, defaults filled in; a file also by its hash.

    Errors name the `flag` that the spec was typed behind. `reading`: `input_shape`, `scale` and `labels_in` where they
    were typed.
    """
    known = sources()
    chosen, random = split_labels(spec)
    base, classes = split_classes(chosen)
    source = known.get(base, Source)
    file = _file_of(base)
    if file is not None:
        base = base.replace(str(file), str(file.absolute()), 1)
    elif base not in known and (spelt := meant(Path(base))) is not None:
        raise BadInput(f"{flag} {spec}: a file or folder of arrays is named with its kind. Type {flag} {spelt}")
    elif base not in known:
        raise BadInput(
            f"{flag} {spec}: there is no such data. Known: {', '.join(known)}, npz:FILE, npy:FOLDER,\n"
            "safetensors:FILE, path/to/file.py:factory, "
            "each also with some of its classes only (digits:classes=0-4) or without meaning (digits:labels=random)"
        )
    folder = (root or Path(os.environ.get("DATA_ROOT", "data"))).absolute() if source.needs_root else None
    entry = {
        "spec": join_labels(join_classes(base, classes), random),
        "root": str(folder) if folder else None,
        "mean": list(mean or source.mean),
        "std": list(std or source.std),
    } | {key: value for key, value in (reading or {}).items() if value is not None}
    return entry if file is None else entry | {"sha256": fingerprint(file)}


def inherited(data: Mapping[str, Any], typed: str | None, root: Path | None, source: Path) -> dict[str, Any]:
    """The `data` entry of a child of the checkpoint `source`: its parent's, in another folder if `root` says so.

    `typed` may only repeat the parent's data: code is run only then, and a file counts as it is now.
    """
    entry = dict(data)
    if typed is not None:
        named = resolve_data(typed)
        if named["spec"] != data["spec"]:
            raise BadInput(
                f"--data {typed}: {source} was trained on {data['spec']}, and goes on with it. Leave --data out"
            )
        entry |= {key: value for key, value in named.items() if key == "sha256"}
    return entry if root is None else entry | {"root": str(root.absolute())}


@unchanging()
def load_data(data: Mapping[str, Any], *, run_code: bool = False) -> Dataset:
    """The dataset that `resolve_data` described. Code is run only with `run_code`: the user repeated the spec."""
    from minima.zoo.data.conversion import Reading
    from minima.zoo.data.preprocessing import to_dataset

    spec = data["spec"]
    chosen, random = split_labels(spec)
    base, classes = split_classes(chosen)
    if is_code(base) and not run_code:
        raise BadInput(
            f"the checkpoint was made from the data {spec}, which is code.\n"
            f"A file may not choose code to run: if you trust it, say so with --data {spec}"
        )
    file = _file_of(base)
    if file is not None and data.get("sha256") not in (None, fingerprint(file)) and file.exists():
        raise BadInput(f"{file} has changed since the checkpoint was made. To use it as it is now: --data {spec}")
    shape, scale = data.get("input_shape"), data.get("scale")
    reading = Reading(data["mean"], data["std"], shape and tuple(shape), scale, bool(data.get("labels_in")))
    arrays, assumed = _arrays(base, Path(data["root"] or "."))
    dataset = to_dataset(arrays, reading, base)
    notes = () if base in sources() else (*assumed, *dataset.notes)  # nothing was guessed of what is known
    dataset = replace(dataset, notes=notes)
    dataset = dataset if classes is None else keep_classes(dataset, classes, spec)
    return shuffle_labels(dataset, random) if random else dataset


def per_channel(flag: str, text: str | None) -> tuple[float, ...] | None:
    """The numbers in a comma-separated flag.

    >>> per_channel("--mean", ".4914,.4822,.4465")
    (0.4914, 0.4822, 0.4465)
    """
    if text is None:
        return None
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise BadInput(f"{flag} {text}: expected numbers separated by commas, one per channel") from error


def _file_of(spec: str) -> Path | None:
    """The file a spec names, if it names one."""
    return Path(spec.rpartition(":")[0]) if is_code(spec) else file_of(spec)


def _arrays(spec: str, root: Path) -> tuple[Mapping[str, Any], list[str]]:
    """The arrays by name, and what was assumed of them."""
    if is_code(spec):
        from minima.zoo.data.factories import arrays_of

        return arrays_of(call_factory(spec, "--data"), spec)
    if file_of(spec) is not None:
        from minima.zoo.data.factories import by_name

        return by_name(read_file(spec))
    known = sources()
    if spec not in known:
        raise BadInput(f"there is no data named {spec!r}. Known: {', '.join(known)}")
    return known[spec]().read(root), []
