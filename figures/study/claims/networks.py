"""The networks of one seed of a study of the claims, and which of them each measure looks at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from figures.reading.names import Name, ResultName, model_word, path_measure
from figures.study.claims.keys import Keys, Part
from figures.study.networks.networks import DENSE, LONGER


@dataclass(frozen=True)
class Seed:
    """The networks and results files of one seed of one part of a study."""

    keys: Keys
    part: Part
    seed: int

    def network(self, arm: str, sparsity: float = 0.0, **marks: Any) -> Name:
        """The name of a network; `marks`: sibling, source, finished."""
        return Name(self.keys.name, model_word(self.part.model), self.seed, arm, sparsity, **marks)

    def result(self, measure: str) -> ResultName:
        """The results file of a measure; jobs of the seed are called alike."""
        return ResultName(self.keys.name, model_word(self.part.model), self.seed, measure)

    @property
    def dense(self) -> Name:
        """The parent of all arms."""
        return self.network(DENSE)

    @property
    def longer(self) -> list[Name]:
        """The control, dense and trained on for as long as the arms, where the study has it."""
        return [self.network(LONGER)] if self.keys.longer else []

    @property
    def source(self) -> Name:
        """The parent that saw the source classes only."""
        return self.network(DENSE, source=True)

    def pruned(self, arms: Sequence[str], sparsities: Sequence[float], **marks: Any) -> list[Name]:
        """Pruned networks, arm by arm."""
        return [self.network(arm, sparsity, **marks) for arm in arms for sparsity in sparsities]

    def made(self, arms: Sequence[str], sparsities: Sequence[float]) -> list[Name]:
        """The pruned networks and controls that there are: arms may have sparsities of their own."""
        return [self.network(arm, each) for arm in arms for each in self._sparsities[arm] if each in sparsities]

    @property
    def all_sparsities(self) -> tuple[float, ...]:
        """The sparsities at which there is any pruned network."""
        return tuple(sorted({sparsity for each in self._sparsities.values() for sparsity in each}))

    @property
    def _sparsities(self) -> dict[str, tuple[float, ...]]:
        """Of each arm and control."""
        own = {arm.name: arm.sparsities or self.part.sparsities for arm in self.keys.arms}
        return own | {control.name: control.sparsities for control in self.keys.controls}

    @property
    def unfinished(self) -> list[Name]:
        """Everything that goes through the common finish."""
        siblings = self.pruned(self.keys.both, self.part.path_sparsities, sibling=True)
        arms = (*self.part.arms, *self.part.controls)
        return [*self.longer, *self.made(arms, self.all_sparsities), *siblings]

    @property
    def everything(self) -> list[Name]:
        """Every network but the siblings: what the cheap measures run on."""
        unfinished = [name for name in self.unfinished if not name.sibling]
        return [self.dense, *unfinished, *map(finished, unfinished)]

    @property
    def curved(self) -> list[str]:
        """The files whose curvature is measured: of the compared arms along the finish, of the others after it."""
        others = [arm for arm in (*self.part.arms, *self.part.controls) if arm not in self.keys.both]
        along = self.pruned(self.keys.both, self.part.curvature_sparsities)
        after = self.made(others, self.part.curvature_sparsities)
        return [
            *(name.trajectory for name in self.pruned(self.keys.both[:1], self.part.matched_sparsities)),
            *(finished(name).trajectory for name in along),
            *(finished(name).checkpoint for name in after),
        ]

    @property
    def shown(self) -> list[Name]:
        """What the dear measures run on: dense, one-shot, gradual."""
        return [self.dense, *map(finished, self.pruned(self.keys.both, self.part.path_sparsities[-1:]))]

    @property
    def pairs(self) -> dict[str, tuple[Name, Name]]:
        """The ends of the paths by what their measure is called."""
        found = {}
        for sparsity in self.part.path_sparsities:
            one_shot, gradual = map(finished, self.pruned(self.keys.both, (sparsity,)))
            found[path_measure("between", sparsity)] = (one_shot, gradual)
            for arm in self.keys.both:
                first = self.network(arm, sparsity, finished=True)
                found[path_measure(arm, sparsity)] = (first, replace(first, sibling=True))
        return found


def finished(name: Name) -> Name:
    """The network that another one is after the common finish."""
    return replace(name, finished=True)


def seeds(keys: Keys, part: Part) -> list[Seed]:
    """All seeds of a part of a study."""
    return [Seed(keys, part, part.first_seed + number) for number in range(part.seeds)]


def results(keys: Keys, part: Part, measure: str, first: int | None = None) -> list[str]:
    """The results files of a measure, of the first few seeds (default: all)."""
    return [seed.result(measure).file for seed in seeds(keys, part)[:first]]


def paths(keys: Keys, part: Part) -> list[str]:
    """The results files of all paths between networks."""
    return [file for measure in seeds(keys, part)[0].pairs for file in results(keys, part, measure)]
