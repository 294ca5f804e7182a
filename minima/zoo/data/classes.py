"""Some of a dataset's classes: `:classes=0-4` behind any --data spec keeps these, with labels counted from 0 again."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from minima.store.command import BadInput
from minima.zoo.data.dataset import Dataset
from minima.zoo.examples.inputs import part_of

MARK = ":classes="
RANGES = re.compile(r"\d{1,5}(-\d{1,5})?(,\d{1,5}(-\d{1,5})?)*")


def split_classes(spec: str) -> tuple[str, tuple[int, ...] | None]:
    """A data spec without its classes, and the classes it keeps, ascending; None where it keeps all.

    >>> split_classes("digits:classes=7,0-2"), split_classes("npz:my.npz")
    (('digits', (0, 1, 2, 7)), ('npz:my.npz', None))
    """
    base, mark, text = spec.rpartition(MARK)
    if not mark:
        return spec, None
    if not RANGES.fullmatch(text):
        raise BadInput(f"{spec}: expected classes such as 0-4 or 0,2,4 behind {MARK[1:]}, found {text!r}")
    chosen: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        if last and int(last) < int(first):
            raise BadInput(f"{spec}: the classes {part} run backwards. Type {last}-{first}")
        chosen |= set(range(int(first), int(last or first) + 1))
    return base, tuple(sorted(chosen))


def join_classes(base: str, classes: tuple[int, ...] | None) -> str:
    """The one spec of these classes of this data, however it was typed.

    >>> join_classes("digits", (0, 1, 2, 7)), join_classes("digits", None)
    ('digits:classes=0-2,7', 'digits')
    """
    return base if classes is None else f"{base}{MARK}{_ranges(classes)}"


def keep_classes(dataset: Dataset, classes: tuple[int, ...], spec: str) -> Dataset:
    """The examples of these `classes` (ascending), in file order; the k-th of them becomes label k.

    Raises:
        BadInput: a class has no example, or a split has none of these classes. `spec` is what the user typed.
    """
    import torch

    if dataset.classes is None:
        raise BadInput(f"{spec}: the targets are no class labels (N,), of which some could be kept")
    present = torch.cat([y for y in (dataset.y_train, dataset.y_test) if y is not None]).unique().tolist()
    absent = [label for label in classes if label not in present]
    if absent:
        raise BadInput(f"{spec}: there is no class {_ranges(absent)}. The data has the classes {_ranges(present)}")
    chosen = torch.tensor(classes)
    parts: dict[str, Any] = {}
    for split in ("train", "test"):
        x, y = dataset.split(split)
        kept = torch.isin(y, chosen)
        if not kept.any():
            raise BadInput(f"{spec}: the {split} split has no example of these classes. Choose others")
        parts |= {f"x_{split}": part_of(x, kept), f"y_{split}": torch.searchsorted(chosen, y[kept])}
    return Dataset(**parts, classes=len(classes))


def _ranges(labels: Iterable[int]) -> str:
    """Ascending labels as text: `0-2,7`."""
    runs: list[list[int]] = []
    for label in labels:
        if runs and label == runs[-1][-1] + 1:
            runs[-1].append(label)
        else:
            runs.append([label])
    return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
