"""What a factory of the user's returned, or a file holds, as arrays `x_train`, `y_train`, `x_test`, `y_test`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minima.store.command import BadInput
from minima.zoo.data.dataset import ARRAYS, Dataset
from minima.zoo.data.items import is_items, read_items
from minima.zoo.examples.inputs import Several

SPLITS = ("train", "test")
ONE = "one split, which counts as train"
RETURN = (
    "Return (x_train, y_train, x_test, y_test), (x, y), a dict of arrays x_train, ..., a torch.utils.data.Dataset or "
    "DataLoader, or one for train and one for test"
)


def arrays_of(made: Any, spec: str) -> tuple[dict[str, Any], list[str]]:
    """The arrays by name, and what was assumed.

    >>> arrays_of(([[1.0], [2.0]], [0, 1]), "mine.py:make")
    ({'x_train': [[1.0], [2.0]], 'y_train': [0, 1]}, ['one split, which counts as train'])
    """
    if isinstance(made, Dataset):
        held = {name: getattr(made, name) for name in ARRAYS}
        held = {name: each.fields if isinstance(each, Several) else each for name, each in held.items()}
        return {name: each for name, each in held.items() if each is not None}, list(made.notes)
    if is_items(made):
        return read_items(made, "train"), [ONE, *_order(made)]
    if isinstance(made, Mapping):
        return _of_mapping(made, spec)
    if isinstance(made, tuple | list):
        return _of_tuple(tuple(made), spec)
    if hasattr(made, "shape"):
        return {"x_train": made}, [ONE]
    raise BadInput(f"--data {spec} returned a {type(made).__name__}.\n{RETURN}")


def by_name(arrays: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Arrays under the names of the contract; x and y alone, or inputs by their names, are one split.

    >>> by_name({"input_ids": 1, "labels": 2})
    ({'x_train': {'input_ids': 1, 'labels': 2}}, ['one split, which counts as train'])
    """
    heads = {name.partition(".")[0] for name in arrays}
    if not arrays or any(head.startswith(("x_", "y_")) for head in heads):
        return dict(arrays), []
    if heads <= {"x", "y"} and "x" in heads:
        renamed = {f"{name[0]}_train{name[1:]}": each for name, each in arrays.items()}
        return renamed, [ONE]
    return {"x_train": dict(arrays)}, [ONE]


def _of_mapping(made: Mapping[str, Any], spec: str) -> tuple[dict[str, Any], list[str]]:
    if not any(name in SPLITS for name in made):
        return by_name({str(name): each for name, each in made.items()})
    left = [str(name) for name in made if name not in SPLITS]
    notes = [f"left out what is neither train nor test: {', '.join(left)}"] if left else []
    return _of_splits({name: made[name] for name in SPLITS if name in made}, spec, notes)


def _of_tuple(made: tuple[Any, ...], spec: str) -> tuple[dict[str, Any], list[str]]:
    if len(made) == 2 and all(is_items(each) or _is_pair(each) for each in made):
        return _of_splits(dict(zip(SPLITS, made, strict=True)), spec, [])
    if len(made) not in (1, 2, 4):
        raise BadInput(f"--data {spec} returned {len(made)} things.\n{RETURN}")
    arrays = {name: each for name, each in zip(ARRAYS, made, strict=False) if each is not None}
    return arrays, [] if len(made) == 4 else [ONE]


def _of_splits(made: Mapping[str, Any], spec: str, notes: list[str]) -> tuple[dict[str, Any], list[str]]:
    """Each split by itself: a data set, a pair, a dict of inputs, or inputs alone."""
    arrays: dict[str, Any] = {}
    for split, each in made.items():
        if is_items(each):
            arrays |= read_items(each, split)
            notes += _order(each)
            continue
        found, _ = arrays_of(each, spec)
        if any(name.partition(".")[0] not in ("x_train", "y_train") for name in found):
            raise BadInput(f"--data {spec}: its {split} split holds {', '.join(found)}: expected (x, y)")
        arrays |= {name.replace("_train", f"_{split}", 1): value for name, value in found.items()}
    return arrays, notes


def _is_pair(made: Any) -> bool:
    """Whether (x, y) of one split."""
    return isinstance(made, tuple) and len(made) == 2


def _order(made: Any) -> list[str]:
    """What a loader says that plays no part."""
    return ["examples are taken in the order of their index, whatever a DataLoader does"] * hasattr(
        made, "batch_sampler"
    )
