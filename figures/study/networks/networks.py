"""Networks that are trained, pruned by several arms, and trained on: what a study says of them, and their commands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from figures.reading.names import ARM, Name
from figures.study.configuration.build import BY_NAME, Flags, split_flags
from figures.study.engine.jobs import Step
from figures.study.networks.checks import check_data, check_name, check_sparsities
from minima.store.command import BadInput
from minima.zoo.code import is_code
from minima.zoo.data.classes import split_classes
from minima.zoo.data.labels import split_labels
from minima.zoo.subject.network import must_be_typed
from pruning.composition.layer_method import layer_methods
from pruning.composition.method import methods

DENSE, LONGER = "dense", "dense-longer"
"""arms that are not pruned"""


@dataclass(frozen=True)
class Arm:
    """A pruning method with its flags, as a study compares it."""

    name: str
    method: str
    flags: Flags = ""
    """of `python -m pruning METHOD`, behind those of all arms: the last one of a name counts"""
    sparsities: tuple[float, ...] = ()
    """of this arm (default: the study's)"""
    measure: Literal["sparsity", "units", "flops", "parameters"] = "sparsity"
    """of what they are the shares that go; of a method of whole layers its flags say how many, and they only name it"""


@dataclass(frozen=True, kw_only=True)
class Networks:
    """What all studies of networks say."""

    name: str
    data: str
    arms: Annotated[tuple[Arm, ...], BY_NAME]
    data_root: str = ""
    """folder with the datasets (default: $DATA_ROOT, else data)"""
    dense: Flags = ""
    """of `minima.train` for the parents"""
    prune: Flags = ""
    """of `pruning METHOD` for every arm"""
    finish: Flags = ""
    """of `minima.train --from`, by which every network trains on with its mask frozen"""

    def arm(self, name: str) -> Arm:
        """The arm that has this name."""
        return next(arm for arm in self.arms if arm.name == name)

    def trained(self, network: Name, model: str, data: str | None = None) -> Step:
        """Make a dense network, of these data (default: the study's)."""
        root = ("--data-root", self.data_root) if self.data_root else ()
        given = ("--model", model, "--data", data or self.data, *root, "--seed", f"{network.seed}")
        made = network.checkpoint
        return Step("minima.train", (*given, "-o", made), split_flags(self.dense), (made,), "dense")

    def pruned(
        self,
        arm: Arm,
        parent: Name,
        networks: Sequence[Name],
        *,
        each: bool = True,
        keeps: bool = False,
        order_seed: int | None = None,
        data: str | None = None,
        model: str = "",
    ) -> Step:
        """Make an arm's networks, which differ in their sparsity only, by one command.

        Args:
            model: the network, as it was named to `minima.train`.
            each: say that every one is a run of its own.
            keeps: whether the arm's flags let it keep weights along its training.
            order_seed: another order of the examples, for siblings.
            data: what the parent was trained on (default: the study's data).
        """
        sparsities = [repr(network.sparsity) for network in networks]
        out = networks[0].checkpoint_template if each else networks[0].checkpoint
        target = () if arm.method in layer_methods() else (f"--{arm.measure}", *sparsities)
        out = out.replace("{sparsity}", f"{{{arm.measure}}}")
        given = (arm.method, parent.checkpoint, *target, *(("--each",) if each else ()))
        order = () if order_seed is None else ("--order-seed", f"{order_seed}")
        makes = [network.checkpoint for network in networks] + [network.trajectory for network in networks] * keeps
        return Step(
            "pruning",
            (*given, *order, *repeated_code(data or self.data, model), "-o", out),
            (*split_flags(self.prune), *split_flags(arm.flags)),
            tuple(makes),
            f"[arms.{arm.name}]",
        )

    def trained_on(
        self, start: Sequence[Name], out: str, makes: Sequence[str], flags: str, key: str = "finish", model: str = ""
    ) -> Step:
        """Train networks on, their masks frozen."""
        given = ("--from", *(network.checkpoint for network in start), *repeated_code(self.data, model), "-o", out)
        return Step("minima.train", given, split_flags(flags), tuple(makes), key)

    def measured(
        self,
        module: str,
        files: Sequence[str],
        out: str,
        *,
        flags: str = "",
        key: str = "",
        extra: Sequence[str] = (),
        data: str | None = None,
        model: str = "",
    ) -> Step:
        """Measure checkpoints or trajectories.

        Args:
            model: the network, as it was named to `minima.train`.
            flags: as the configuration has them under its `key`.
            extra: flags that the study itself gives.
            data: what the networks were trained on (default: the study's data).
        """
        return Step(
            module,
            (*files, *extra, *repeated_code(data or self.data, model), "-o", out),
            split_flags(flags),
            (out,),
            key,
        )

    def check(self, where: str) -> None:
        """BadInput for what no study of networks can work with."""
        check_name(where, self.name)
        check_data(where, self.data)
        if self.data_root and not Path(self.data_root).is_dir():
            raise BadInput(f"{where}: data_root = {self.data_root!r}: there is no such folder, seen from {Path.cwd()}")
        if not self.arms:
            raise BadInput(f'{where}: no arm is given. Add for example [arms.magnitude] with method = "magnitude"')
        for arm in self.arms:
            at = f"{where}: [arms.{arm.name}]"
            if not ARM.fullmatch(arm.name) or arm.name in (DENSE, LONGER) or len(arm.name) > 60:
                raise BadInput(f"{at}: small letters, digits and hyphens only, and not {DENSE!r} or {LONGER!r}")
            known = (*methods(), *layer_methods())
            if arm.method not in known:
                raise BadInput(f"{at}: there is no method {arm.method!r}. Known: {', '.join(known)}")
            check_sparsities(at, "sparsities", arm.sparsities)


def repeated_code(data: str, model: str = "") -> tuple[str, ...]:
    """The flags that say again which data and which network, where they are code: no file may ask for code to be run.

    >>> repeated_code("digits", "lenet5"), repeated_code("my.py:images:classes=0-4", "my.py:net")
    ((), ('--data', 'my.py:images:classes=0-4', '--model', 'my.py:net'))
    """
    said = ("--data", data) if is_code(split_classes(split_labels(data)[0])[0]) else ()
    return (*said, "--model", model) if must_be_typed(model) else said
