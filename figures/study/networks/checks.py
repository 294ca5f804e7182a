"""Checks of values that several kinds of study ask for, each refused by file and key."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TypeVar

from figures.reading.names import SMALLEST, WORD, model_word
from minima.store.command import BadInput
from minima.zoo.architecture.architecture import parse_architecture
from minima.zoo.code import is_code
from minima.zoo.data.specs import resolve_data
from minima.zoo.subject.network import must_be_typed

T = TypeVar("T")
MOST_SEEDS = 1000
FOLDER = re.compile(r"[A-Za-z0-9._/][A-Za-z0-9._/-]*")


def check_name(where: str, name: str) -> None:
    """Refuse a study's name that cannot be part of its files' names."""
    if not WORD.fullmatch(name) or len(name) > 40:
        raise BadInput(f"{where}: name = {name!r} becomes part of file names: up to 40 small letters and digits only")


def check_folder(where: str, key: str, folder: str) -> None:
    """Refuse a folder whose name a shell or an engine would read as something else."""
    if not FOLDER.fullmatch(folder) or os.path.normpath(folder) != folder:
        raise BadInput(
            f"{where}: {key} = {folder!r}: expected a folder of letters, digits, dots and hyphens, such as fig/mine"
        )


def check_seeds(where: str, seeds: int, fewest: int = 1, key: str = "seeds", most: int = MOST_SEEDS) -> None:
    """Refuse a number of seeds that is none."""
    if not fewest <= seeds <= most:
        raise BadInput(f"{where}: {key} = {seeds}: expected how many, {fewest} to {most}")


def check_sparsities(
    where: str, key: str, sparsities: Sequence[float], within: Collection[float] | None = None
) -> None:
    """Refuse sparsities that are no fractions that can stand in names of files, each once, `within` others where these
    are what there is.
    """
    for sparsity in sparsities:
        if not SMALLEST <= sparsity < 1:
            raise BadInput(f"{where}: {key}: sparsity {sparsity:g}: expected a fraction between {SMALLEST} and 1")
        if list(sparsities).count(sparsity) > 1:
            raise BadInput(f"{where}: {key}: sparsity {sparsity:g} stands there twice")
        if within is not None and sparsity not in within:
            there = ", ".join(f"{each:g}" for each in within) or "none"
            raise BadInput(f"{where}: {key}: sparsity {sparsity:g} is none of those that are made: {there}")


def check_model(where: str, spec: str, key: str = "model") -> None:
    """Refuse a network that is none of the zoo, of a library or of a file of one's own, or whose name cannot stand in
    names of files.
    """
    if is_code(spec):
        if not Path(spec.rpartition(":")[0]).is_file():
            raise BadInput(f"{where}: {key} = {spec!r}: there is no such file, seen from {Path.cwd()}")
    elif not must_be_typed(spec):
        _refused(f"{where}: {key}", lambda: parse_architecture(spec))
    if not model_word(spec):
        raise BadInput(f"{where}: {key} = {spec!r} has neither a letter nor a digit for names of files")


def check_data(where: str, spec: str, key: str = "data") -> None:
    """Refuse data that are none by name, or a file that is not there."""
    entry = _refused(f"{where}: {key}", lambda: resolve_data(spec))
    if "sha256" in entry and entry["sha256"] is None:
        raise BadInput(f"{where}: {key} = {spec!r}: there is no such file, seen from {Path.cwd()}")


def _refused(said: str, work: Callable[[], T]) -> T:
    try:
        return work()
    except BadInput as error:
        raise BadInput(f"{said}: {error}") from error
