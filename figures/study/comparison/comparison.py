"""What a comparison of methods consists of: its keys, and the networks with the files and commands of each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import product

from figures.reading.names import Name, model_word
from figures.study.configuration.build import Flags
from figures.study.engine.jobs import Job, Step
from figures.study.networks.checks import check_model, check_seeds, check_sparsities
from figures.study.networks.networks import DENSE, Arm, Networks
from minima.store.command import BadInput

MEASURES = ("masks", "sharpness", "psp")
UNFINISHED, FINISHED = "unfinished", "finished"
"""as left by its method; after the common finish"""


@dataclass(frozen=True, kw_only=True)
class Comparison(Networks):
    """Methods x sparsities x seeds on one network and one data set."""

    model: str
    seeds: int
    sparsities: tuple[float, ...] = ()
    """of the arms that have none of their own"""
    sharpness: Flags = ""
    """of `landscape.sharpness`"""
    entropy: Flags = ""
    """of `entropy.psp`"""

    @property
    def stages(self) -> tuple[str, ...]:
        """When a network is measured."""
        return (UNFINISHED, FINISHED) if self.finish else (UNFINISHED,)

    def cells(self) -> list[Cell]:
        """Everything that is compared: the dense parent of each seed, then every arm at each of its sparsities."""
        parents = [Cell(self, None, 0.0, seed) for seed in range(self.seeds)]
        pruned = [
            Cell(self, arm, sparsity, seed)
            for arm in self.arms
            for sparsity, seed in product(arm.sparsities or self.sparsities, range(self.seeds))
        ]
        return parents + pruned

    def check(self, where: str) -> None:
        """BadInput for what no comparison can work with."""
        super().check(where)
        check_model(where, self.model)
        check_seeds(where, self.seeds)
        check_sparsities(where, "sparsities", self.sparsities)
        for arm in self.arms:
            if not (arm.sparsities or self.sparsities):
                raise BadInput(f"{where}: [arms.{arm.name}]: no sparsity is asked for, such as sparsities = [0.9]")


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
        """What the cell's arm is called."""
        return DENSE if self.arm is None else self.arm.name

    @property
    def names(self) -> dict[str, Name]:
        """The network at each stage."""
        word = model_word(self.comparison.model)
        return {
            stage: Name(self.comparison.name, word, self.seed, self.called, self.sparsity, finished=stage == FINISHED)
            for stage in (UNFINISHED, FINISHED)
        }

    @property
    def stem(self) -> str:
        """What it is called."""
        return self.names[UNFINISHED].stem

    @property
    def parent(self) -> Cell:
        """The dense network it was made from."""
        return Cell(self.comparison, None, 0.0, self.seed)

    def checkpoint(self, stage: str = UNFINISHED) -> str:
        """The path of the network's checkpoint."""
        return self.names[stage].checkpoint

    def result(self, measure: str, stage: str = UNFINISHED) -> str:
        """The file of a measure."""
        return self.names[stage].result(measure)

    @property
    def job(self) -> Job:
        """One job a network, which is made and measured in one process, and fails by itself."""
        stage = "dense" if self.arm is None else "cell"
        needs = () if self.arm is None else (self.parent.checkpoint(),)
        steps = [step for stage in self.comparison.stages for step in (self.made(stage), *self._measured(stage))]
        return Job(stage, self.stem, needs, tuple(steps))

    def made(self, stage: str = UNFINISHED) -> Step:
        """The command that makes the network."""
        whole, name = self.comparison, self.names[UNFINISHED]
        if stage == FINISHED:
            out = self.checkpoint(stage)
            return whole.trained_on([name], out, [out], whole.finish, model=whole.model)
        if self.arm is None:
            return whole.trained(name, whole.model)
        return whole.pruned(self.arm, self.parent.names[UNFINISHED], [name], each=False, model=whole.model)

    def _measured(self, stage: str) -> list[Step]:
        whole, files = self.comparison, [self.checkpoint(stage)]
        out = {measure: self.result(measure, stage) for measure in MEASURES}
        measured = partial(whole.measured, model=whole.model)
        return [
            measured("pruning.masks", files, out["masks"]),
            measured("landscape.sharpness", files, out["sharpness"], flags=whole.sharpness, key="sharpness"),
            measured("entropy.psp", files, out["psp"], flags=whole.entropy, key="entropy"),
        ]
