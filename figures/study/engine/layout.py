"""The files of a study, as its configuration lays them out: what the Snakefile's rules make and read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SIBLING_ORDER = 1000
"""added to the seed: the order of the examples a sibling sees"""


@dataclass(frozen=True)
class Part:
    """One network's share of a study: its seeds, sparsities, arms, and what is measured on it."""

    study: str
    model: str
    seeds: int
    sparsities: tuple[float, ...]
    arms: tuple[str, ...]
    compared: tuple[str, str]
    """the one-shot and the gradual arm: the two that have siblings, paths and finishing trajectories"""
    path_sparsities: tuple[float, ...]
    curvature_sparsities: tuple[float, ...]
    matched_sparsities: tuple[float, ...]
    """at which curvature is compared at equal training loss, too"""
    transfer_sparsities: tuple[float, ...]
    """at which networks that saw the source classes only are pruned, to be probed on the others"""
    pictured_seeds: int
    """of how many seeds spectra and surfaces are computed (0: none)"""

    @property
    def all_seeds(self) -> range:
        """0, 1, ..."""
        return range(self.seeds)

    def stem(self, seed: int | str, arm: str) -> str:
        """Where the names of a checkpoint and of its results begin."""
        return f"{self.study}-{self.model}-seed{seed}.{arm}"

    def dense(self, seed: int | str) -> str:
        """The parent of all arms."""
        return f"runs/{self.stem(seed, 'dense')}.pt"

    def longer(self, seed: int | str) -> str:
        """The control: dense, trained on for as long as the arms."""
        return f"runs/{self.stem(seed, 'dense-longer')}.pt"

    def pruned(self, seed: int | str, arms: Sequence[str], sparsities: Sequence[float], ending: str = "") -> list[str]:
        """Pruned checkpoints, arm by arm."""
        return [f"runs/{self.stem(seed, arm)}-{sparsity}{ending}.pt" for arm in arms for sparsity in sparsities]

    def siblings(self, seed: int | str) -> list[str]:
        """The compared arms again, with another order of the examples."""
        return self.pruned(seed, self.compared, self.path_sparsities, ".sibling")

    def sources(self, seed: int | str) -> list[str]:
        """Networks that saw the source classes only: dense, then the compared arms."""
        dense = f"runs/{self.stem(seed, 'dense')}.source.pt"
        return [dense, *self.pruned(seed, self.compared, self.transfer_sparsities, ".source")]

    def unfinished(self, seed: int | str) -> list[str]:
        """Everything that goes through the common finish."""
        return [self.longer(seed), *self.pruned(seed, self.arms, self.sparsities), *self.siblings(seed)]

    def everything(self, seed: int | str) -> list[str]:
        """Every checkpoint of a seed but the siblings: what the cheap measures run on."""
        unfinished = [self.longer(seed), *self.pruned(seed, self.arms, self.sparsities)]
        return [self.dense(seed), *unfinished, *map(finished, unfinished)]

    def recoveries(self, seed: int | str, arms: Sequence[str], sparsities: Sequence[float]) -> list[str]:
        """The weights along the arms' own epochs; both compared arms keep some."""
        return [f"{file.removesuffix('.pt')}.trajectory.h5" for file in self.pruned(seed, arms, sparsities)]

    def curved(self, seed: int | str) -> list[str]:
        """What the curvature is measured on: the compared arms after the last cut, the others after the finish."""
        others = [arm for arm in self.arms if arm not in self.compared]
        compared = self.pruned(seed, self.compared, self.curvature_sparsities)
        return [
            *self.recoveries(seed, self.compared[:1], self.matched_sparsities),
            *map(trajectory, compared),
            *map(finished, self.pruned(seed, others, self.curvature_sparsities)),
        ]

    def shown(self, seed: int | str) -> list[str]:
        """What the dear measures run on: dense, one-shot, gradual."""
        return [self.dense(seed), *map(finished, self.pruned(seed, self.compared, self.path_sparsities[-1:]))]

    def pairs(self, seed: int | str) -> dict[str, tuple[str, str]]:
        """The ends of the paths by what they are called."""
        found = {}
        for sparsity in self.path_sparsities:
            one_shot, gradual = map(finished, self.pruned(seed, self.compared, (sparsity,)))
            found[f"between-{sparsity}"] = (one_shot, gradual)
            for arm in self.compared:
                first, second = (
                    finished(self.pruned(seed, (arm,), (sparsity,), ending)[0]) for ending in ("", ".sibling")
                )
                found[f"{arm}-siblings-{sparsity}"] = (first, second)
        return found

    def results(self, measure: str, seeds: Sequence[int] | None = None) -> list[str]:
        """Results of a measure, one file a seed."""
        return [
            f"out/{self.study}-{self.model}-seed{seed}.{measure}.h5"
            for seed in (self.all_seeds if seeds is None else seeds)
        ]

    def paths(self) -> list[str]:
        """Results of all paths."""
        return [file for name in self.pairs(0) for file in self.results(f"path-{name}")]


def finished(checkpoint: str) -> str:
    """The checkpoint after the common finish.

    >>> finished("runs/x.magnitude-0.95.pt"), trajectory("runs/x.magnitude-0.95.pt")
    ('runs/x.magnitude-0.95.finished.pt', 'runs/x.magnitude-0.95.finished.trajectory.h5')
    """
    return f"{checkpoint.removesuffix('.pt')}.finished.pt"


def trajectory(checkpoint: str) -> str:
    """The weights along the common finish."""
    return f"{checkpoint.removesuffix('.pt')}.finished.trajectory.h5"


def parts(config: Mapping[str, Any]) -> dict[str, Part]:
    """The parts of a study by the name of their network."""
    found = {}
    for entry in config["parts"]:
        part = Part(
            study=config["study"],
            model=entry["model"],
            seeds=entry["seeds"],
            sparsities=tuple(entry["sparsities"]),
            arms=tuple(entry["arms"]),
            compared=(config["compared"]["one_shot"], config["compared"]["gradual"]),
            path_sparsities=tuple(entry["path_sparsities"]),
            curvature_sparsities=tuple(entry["curvature_sparsities"]),
            matched_sparsities=tuple(entry["matched_sparsities"]),
            transfer_sparsities=tuple(entry["transfer_sparsities"]),
            pictured_seeds=entry["pictured_seeds"],
        )
        found[part.model] = part
    return found
