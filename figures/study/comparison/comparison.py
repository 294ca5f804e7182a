"""What a comparison of methods consists of: a TOML file read and checked, and the names of the files it makes."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minima.store.command import BadInput, parse
from minima.zoo.code import is_code
from pruning.composition.method import methods

if TYPE_CHECKING:
    from pruning.running.arguments import Prune

BUNDLED = Path(__file__).parents[1] / "comparisons"
MEASURES = ("masks", "sharpness", "psp")
UNFINISHED, FINISHED = "unfinished", "finished"
"""as left by its method; after the common finish"""


@dataclass(frozen=True)
class Arm:
    """A method with its flags."""

    name: str
    method: str
    flags: str = ""
    """of `python -m pruning METHOD`, in addition to those of all arms"""
    sparsities: tuple[float, ...] = ()
    """of this arm (default: the comparison's)"""


@dataclass(frozen=True)
class Comparison:
    """Methods x sparsities x seeds on one network and one data set."""

    name: str
    model: str
    data: str
    seeds: int
    sparsities: tuple[float, ...]
    arms: tuple[Arm, ...]
    dense: str = ""
    """flags of `minima.train` for the parents"""
    prune: str = ""
    """flags of `pruning METHOD` for every arm"""
    finish: str = ""
    """flags of `minima.train --from`, by which every network trains on with its mask frozen; it is measured before and
    after"""
    sharpness: str = ""
    """flags of `landscape.sharpness`"""
    entropy: str = ""
    """flags of `entropy.psp`"""

    @property
    def stages(self) -> tuple[str, ...]:
        """When a network is measured."""
        return (UNFINISHED, FINISHED) if self.finish else (UNFINISHED,)

    @property
    def table(self) -> Path:
        """Everything it came to, for scripts."""
        return Path(f"out/{self.name}.comparison.json")

    def cells(self) -> list[Cell]:
        """Everything that is compared: the dense parent of each seed, then every arm at each of its sparsities."""
        parents = [Cell(self, None, 0.0, seed) for seed in range(self.seeds)]
        pruned = [
            Cell(self, arm, sparsity, seed)
            for arm in self.arms
            for sparsity, seed in product(arm.sparsities or self.sparsities, range(self.seeds))
        ]
        return parents + pruned


@dataclass(frozen=True)
class Cell:
    """One network of a comparison, and what is measured on it."""

    comparison: Comparison
    arm: Arm | None
    """None: the dense parent"""
    sparsity: float
    seed: int

    @property
    def called(self) -> str:
        """The arm's name."""
        return "dense" if self.arm is None else self.arm.name

    @property
    def stem(self) -> str:
        """Where the names of its files begin; figures read them as they do a study's."""
        model = self.comparison.model.partition(":")[0]
        ending = "" if self.arm is None else f"-{self.sparsity!r}"
        return f"{self.comparison.name}-{model}-seed{self.seed}.{self.called}{ending}"

    @property
    def parent(self) -> Cell:
        """The dense network it was made from."""
        return Cell(self.comparison, None, 0.0, self.seed)

    def checkpoint(self, stage: str = UNFINISHED) -> str:
        """The network's file."""
        return f"runs/{self._stem_at(stage)}.pt"

    @property
    def log(self) -> Path:
        """What its commands said."""
        return Path(f"out/logs/{self.stem}.log")

    def result(self, measure: str, stage: str = UNFINISHED) -> str:
        """The file of a measure."""
        return f"out/{self._stem_at(stage)}.{measure}.h5"

    @property
    def files(self) -> list[str]:
        """All it makes."""
        return [
            file
            for stage in self.comparison.stages
            for file in (self.checkpoint(stage), *(self.result(measure, stage) for measure in MEASURES))
        ]

    def commands(self) -> list[str]:
        """What is typed behind python -m, line by line."""
        return [line for stage in self.comparison.stages for line in (self._make(stage), *self._measure(stage))]

    def _stem_at(self, stage: str) -> str:
        return self.stem if stage == UNFINISHED else f"{self.stem}.{stage}"

    def _make(self, stage: str) -> str:
        whole, made = self.comparison, self.checkpoint(stage)
        if stage == FINISHED:
            return f"minima.train --from {self.checkpoint()} {whole.finish}{self._code} -o {made}"
        if self.arm is None:
            return f"minima.train --model {whole.model} --data {whole.data} {whole.dense} --seed {self.seed} -o {made}"
        flags = f"--sparsity {self.sparsity!r} {whole.prune} {self.arm.flags}{self._code}"
        return f"pruning {self.arm.method} {self.parent.checkpoint()} {flags} -o {made}"

    def _measure(self, stage: str) -> list[str]:
        whole, made = self.comparison, self.checkpoint(stage)
        flags = {"masks": "", "sharpness": whole.sharpness, "psp": whole.entropy}
        commands = {"masks": "pruning.masks", "sharpness": "landscape.sharpness", "psp": "entropy.psp"}
        return [
            f"{commands[measure]} {made} {flags[measure]}{self._code} -o {self.result(measure, stage)}"
            for measure in MEASURES
        ]

    @property
    def _code(self) -> str:
        """Said again in every command, since no file may ask for code to be run."""
        return f" --data {self.comparison.data}" if is_code(self.comparison.data) else ""

    def arguments(self) -> Prune:
        """The flags its network is pruned with, parsed; wrong ones end the command with status 2."""
        import tyro

        from pruning.running.arguments import arguments_of

        if self.arm is None:
            raise ValueError("a dense network is not pruned")
        _, method, *words = shlex.split(self._make(UNFINISHED))
        return tyro.cli(
            arguments_of(methods()[method]), prog=f"[arms.{self.arm.name}] python -m pruning {method}", args=words
        )


def read_comparison(path: Path) -> Comparison:
    """The comparison that a TOML file describes, with every method, flag and name in it checked.

    Its key `like` names another file in the same folder: keys that this one does not have are as there.

    Raises:
        BadInput: what is wrong, by its key.
    """
    raw = _read(path)
    arms = raw.pop("arms", {})
    if not arms:
        raise BadInput(f'{path}: no arm is given. Add for example [arms.magnitude] with method = "magnitude"')
    made = [_made(Arm, {"name": name, **table}, f"{path}: [arms.{name}]") for name, table in arms.items()]
    comparison: Comparison = _made(Comparison, raw | {"arms": tuple(made)}, str(path))
    _check(comparison, path)
    return comparison


def _read(path: Path, behind: tuple[Path, ...] = ()) -> dict[str, Any]:
    """The file's keys over those of the file that it is like; `behind`: the files on the way here."""
    try:
        raw = tomllib.loads(path.read_text())
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise BadInput(f"{path}: {error}") from error
    if "like" not in raw:
        return raw
    other = path.with_name(str(raw.pop("like")))
    if not other.is_file():
        raise BadInput(f"{path}: like = {other.name!r}: there is no such file in {path.parent or '.'}")
    if other in (path, *behind):
        raise BadInput(f"{path}: like = {other.name!r}, which is like this one")
    if "name" not in raw:
        raise BadInput(
            f'{path}: `like` needs a name beside it, such as name = "{path.stem}", as {other.name} has its own'
        )
    return _read(other, (path, *behind)) | raw


def _made(kind: type[Any], table: Mapping[str, Any], where: str) -> Any:
    """A dataclass from a table; lists become tuples."""
    known = [item.name for item in fields(kind)]
    unknown = [key for key in table if key not in known]
    if kind is Comparison:
        known.append("like")
    if unknown:
        raise BadInput(f"{where}: there is no key {unknown[0]!r}. Known: {', '.join(known)}")
    try:
        return kind(**{key: tuple(value) if isinstance(value, list) else value for key, value in table.items()})
    except TypeError as error:
        raise BadInput(f"{where}: {str(error).partition('() ')[2]}") from error


def _check(comparison: Comparison, path: Path) -> None:
    if not re.fullmatch("[a-z0-9]+", str(comparison.name)):
        raise BadInput(f"{path}: name = {comparison.name!r} becomes part of file names: small letters and digits only")
    if not isinstance(comparison.seeds, int) or comparison.seeds < 1:
        raise BadInput(f"{path}: seeds = {comparison.seeds!r}: expected how many, 1 or more")
    for arm in comparison.arms:
        if not re.fullmatch("[a-z][a-z0-9-]*", arm.name) or arm.name == "dense":
            raise BadInput(f"{path}: [arms.{arm.name}]: small letters, digits and hyphens only, and not 'dense'")
        if arm.method not in methods():
            raise BadInput(
                f"{path}: [arms.{arm.name}]: there is no method {arm.method!r}. Known: {', '.join(methods())}"
            )
        asked = arm.sparsities or comparison.sparsities
        for sparsity in asked:
            if not 0 < sparsity < 1:
                raise BadInput(f"{path}: sparsity {sparsity} of {arm.name}: expected a fraction between 0 and 1")
        if not asked:
            raise BadInput(f"{path}: [arms.{arm.name}]: no sparsity is asked for, such as sparsities = [0.9]")
        Cell(comparison, arm, asked[0], 0).arguments()
    for command in Cell(comparison, None, 0.0, 0).commands():
        _check_flags(command, path)


def _check_flags(command: str, path: Path) -> None:
    """Parse what is typed behind python -m; wrong flags end the command with status 2."""
    from entropy.psp.flags import Psp
    from landscape.sharpness.flags import Sharpness
    from minima.zoo.training.flags import Train
    from pruning.masks.flags import Masks

    flags = {"minima.train": Train, "landscape.sharpness": Sharpness, "entropy.psp": Psp, "pruning.masks": Masks}
    module, *words = shlex.split(command)
    parse(flags[module], f"{path}: python -m {module}", words)
