"""A study of kind `claims`: the core paper's claims on one-shot and gradual pruning, judged and pictured."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from figures.study.claims.claims import CLAIMS
from figures.study.claims.gallery import drawing
from figures.study.claims.jobs import making, measuring
from figures.study.claims.keys import Keys
from figures.study.claims.networks import seeds
from figures.study.claims.page import page
from figures.study.claims.views import read_claims
from figures.study.configuration.build import build
from figures.study.configuration.study import Conclusion, Study
from figures.study.configuration.toml_file import file_beside
from figures.study.engine.jobs import Plan, planned
from figures.study.networks.checks import check_folder
from minima.store.command import BadInput


@dataclass(frozen=True)
class ClaimsStudy(Study):
    """Networks pruned at once and gradually, what is measured of them, and the figures."""

    keys: Keys
    claims: Path
    """the file that says what is claimed"""

    @classmethod
    def read(cls, table: Mapping[str, Any], path: Path) -> ClaimsStudy:
        """The study that a file's keys describe."""
        keys = build(Keys, table, str(path))
        keys.check(str(path))
        check_folder(str(path), "figures", keys.figures)
        claims = file_beside(path, keys.claims, "claims", CLAIMS)
        arms = read_claims(claims).arms
        if (arms.one_shot, arms.gradual) != keys.both:
            raise BadInput(
                f"{path}: [compared]: {' and '.join(keys.both)}, but the claims of {claims} are of {arms.one_shot} and "
                f'{arms.gradual}.\nName these, or a file with claims of your own: claims = "FILE.toml"'
            )
        return cls(keys, claims)

    def plan(self) -> Plan:
        """Seed by seed, then the figures."""
        every = [seed for part in self.keys.parts for seed in seeds(self.keys, part)]
        jobs = [job for seed in every for make in (making, measuring) for job in make(seed)]
        pictures = [*drawing(self.keys, self.claims), *page(self.keys)]
        return planned(self.keys.name, [*jobs, *pictures])

    def conclude(self, missing: Set[str], sources: str = "") -> Conclusion:  # noqa: ARG002 (its pages are jobs)
        """Nothing is left to do: the figures are jobs."""
        wanted = [file for job in (*drawing(self.keys, self.claims), *page(self.keys)) for file in job.makes]
        there = [file for file in wanted if file not in missing]
        whole = "the figures are complete" if there == wanted else f"{len(there)} of {len(wanted)} figures' files"
        return Conclusion({"pictures": there}, f"{whole}: {self.keys.figures}/")
