"""What a study of the core paper's claims says in its TOML file, and what is refused of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from figures.reading.names import ARM, model_word
from figures.study.claims.controls import WEIGHTS, Control
from figures.study.claims.views import MATCHED
from figures.study.configuration.build import BY_NAME, Flags, split_flags
from figures.study.networks.checks import check_data, check_model, check_seeds, check_sparsities
from figures.study.networks.networks import DENSE, LONGER, Networks
from minima.store.command import BadInput

OWN_JOBS = ("finish", "curvature", "transfer", "surface", "sharpness")
OWN_MEASURES = ("psp-", "path-", "hessian-")
"""what jobs of a seed are called beside its arms"""


@dataclass(frozen=True)
class Compared:
    """The two arms that have siblings, paths and finishing trajectories."""

    one_shot: str
    gradual: str


@dataclass(frozen=True)
class Transfer:
    """Networks of their own see the source classes only, and are probed on the target classes."""

    source: str
    """behind the data, such as classes=0-4"""
    target: str
    flags: Flags = ""
    """of `entropy.transfer`"""


@dataclass(frozen=True)
class Part:
    """One network's share of a study: its seeds, sparsities, arms, and what is measured on it."""

    model: str
    seeds: int
    sparsities: tuple[float, ...]
    """of the arms that have none of their own"""
    arms: tuple[str, ...]
    controls: tuple[str, ...] = ()
    first_seed: int = 0
    """the seeds count from here"""
    path_sparsities: tuple[float, ...] = ()
    """at which paths join the compared arms and their siblings; the last one is that of the dear measures"""
    curvature_sparsities: tuple[float, ...] = ()
    matched_sparsities: tuple[float, ...] = ()
    """at which curvature is compared at equal training loss, too"""
    transfer_sparsities: tuple[float, ...] = ()
    """at which networks that saw the source classes only are pruned, to be probed on the others"""
    pictured_seeds: int = 0
    """of how many seeds spectra are computed, and of the first one surfaces, all pairs of neurons, all of sharpness"""
    pairs_seeds: int = 0
    """of how many seeds the entropies of sampled pairs of neurons are computed"""


@dataclass(frozen=True, kw_only=True)
class Keys(Networks):
    """All keys of a study of claims."""

    figures: str
    """folder of the pictures"""
    claims: str = ""
    """TOML file beside this one of what is claimed, fixed before the runs (default: the core paper's claims)"""
    compared: Compared
    controls: Annotated[tuple[Control, ...], BY_NAME] = ()
    parts: tuple[Part, ...]
    """the first one is judged, the last one pictured"""
    finish: Flags
    """of `minima.train --from`, by which every network trains on with its mask frozen, kept at some moments"""
    entropy_split: Literal["train", "test"] = "test"
    """whose entropies are compared: with at least 100 images a class"""
    longer: Flags = ""
    """of `minima.train --from`, by which the dense control trains on for as long as the arms (none: no such control)"""
    transfer: Transfer | None = None
    curvature: Flags = ""
    """of `landscape.sharpness` along the finish"""
    entropy: Flags = ""
    """of `entropy.psp`, whatever it is measured on"""
    path: Flags = ""
    """of `landscape.path`"""
    hessian: Flags = ""
    """of `landscape.hessian`"""
    surface: Flags = ""
    """of `landscape.surface`"""
    sharpness: Flags = ""
    """of `landscape.sharpness` with its whole list of measures"""

    def control(self, name: str) -> Control:
        """The control of that name."""
        return next(control for control in self.controls if control.name == name)

    @property
    def both(self) -> tuple[str, str]:
        """The two arms that are compared, one-shot first."""
        return self.compared.one_shot, self.compared.gradual

    def check(self, where: str) -> None:
        """BadInput for what no study of the claims can work with."""
        super().check(where)
        for arm in self.arms:
            if arm.name in OWN_JOBS or arm.name.startswith(OWN_MEASURES):
                raise BadInput(f"{where}: [arms.{arm.name}]: a job of the study itself is called so. Name it otherwise")
        self._check_compared(where)
        self._check_controls(where)
        if not self.parts:
            raise BadInput(f"{where}: no part is given. Add for example [[parts]] with a model, seeds and sparsities")
        words = [model_word(part.model) for part in self.parts]
        for part in self.parts:
            self._check_part(part, f"{where}: [[parts]] of {part.model}")
            if words.count(model_word(part.model)) > 1:
                raise BadInput(
                    f"{where}: [[parts]]: two networks are called {model_word(part.model)} in names of files"
                )

    def _check_compared(self, where: str) -> None:
        """Two arms, followed along their training and along the finish."""
        if len(set(self.both)) < 2:
            raise BadInput(f"{where}: [compared]: both are {self.both[0]!r}, expected two arms")
        for name in self.both:
            _refuse_unknown(f"{where}: [compared]", name, [arm.name for arm in self.arms])
            if _value_of("--keep", f"{self.prune} {self.arm(name).flags}") in ("", "0"):
                raise BadInput(
                    f"{where}: [arms.{name}]: a compared arm keeps some of its weights: add --keep 10 to flags"
                )
        if _value_of("--keep", self.finish) in ("", "0"):
            raise BadInput(f"{where}: finish: the curvature is followed along it: add --keep 10")
        chosen = _value_of("--measures", self.curvature).split(",")
        lacking = [name for name in MATCHED if name not in chosen and chosen != [""]]
        if lacking:
            raise BadInput(f"{where}: curvature: the claims are judged by {lacking[0]}: name it in --measures")

    def _check_controls(self, where: str) -> None:
        arms = [arm.name for arm in self.arms]
        for control in self.controls:
            at = f"{where}: [controls.{control.name}]"
            if not ARM.fullmatch(control.name) or control.name in (*arms, DENSE, LONGER, *OWN_JOBS):
                raise BadInput(f"{at}: small letters, digits and hyphens only, and not what something else is called")
            _refuse_unknown(f"{at}: mask", control.mask, arms)
            _refuse_unknown(f"{at}: weights", control.weights, [*WEIGHTS, *arms])
            check_sparsities(at, "sparsities", control.sparsities)

    def _check_part(self, part: Part, where: str) -> None:
        check_model(where, part.model)
        check_seeds(where, part.seeds)
        check_seeds(where, part.pairs_seeds, fewest=0, key="pairs_seeds", most=part.seeds)
        check_seeds(where, part.pictured_seeds, fewest=0, key="pictured_seeds", most=part.seeds)
        for name in part.arms:
            _refuse_unknown(f"{where}: arms", name, [arm.name for arm in self.arms])
            if part.arms.count(name) > 1:
                raise BadInput(f"{where}: arms: {name} stands there twice")
        for name in self.both:
            _refuse_unknown(f"{where}: a compared arm is missing in arms", name, part.arms)
            if self.arm(name).sparsities:
                raise BadInput(
                    f"{where}: [arms.{name}]: a compared arm has the sparsities of [[parts]]: leave them out"
                )
        for name in part.controls:
            _refuse_unknown(f"{where}: controls", name, [control.name for control in self.controls])
            control = self.control(name)
            for made in {control.mask, control.weights} - {*WEIGHTS}:
                _refuse_unknown(f"{where}: the control {name} needs an arm that is missing in arms", made, part.arms)
                at = f"{where}: [controls.{name}]"
                check_sparsities(at, "sparsities", control.sparsities, self.arm(made).sparsities or part.sparsities)
        check_sparsities(where, "sparsities", part.sparsities)
        for key in ("path_sparsities", "curvature_sparsities", "matched_sparsities"):
            check_sparsities(where, key, getattr(part, key), part.sparsities)
        check_sparsities(where, "transfer_sparsities", part.transfer_sparsities)
        if not part.path_sparsities and (part.pictured_seeds or part.pairs_seeds):
            raise BadInput(f"{where}: path_sparsities = []: its last one is that of what is pictured: name one")
        if part.transfer_sparsities:
            if self.transfer is None:
                raise BadInput(f"{where}: transfer_sparsities: a table [transfer] says to which classes")
            for key in ("source", "target"):
                check_data(where, f"{self.data}:{getattr(self.transfer, key)}", f"[transfer] {key}")


def _refuse_unknown(where: str, name: str, known: tuple[str, ...] | list[str]) -> None:
    if name not in known:
        raise BadInput(f"{where}: there is no arm {name!r}. Known: {', '.join(known)}")


def _value_of(flag: str, flags: str) -> str:
    """What the last flag of this name says; "" where there is none.

    >>> _value_of("--keep", "--keep=5 --epochs 3 --keep 10")
    '10'
    """
    words = [part for word in split_flags(flags) for part in word.split("=", 1)]
    places = [index for index, word in enumerate(words[:-1]) if word == flag]
    return words[places[-1] + 1] if places else ""
