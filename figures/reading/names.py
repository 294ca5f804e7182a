"""The names of a study's files, made and read here only: what is written in them is how one is known from another."""

from __future__ import annotations

import re
from dataclasses import dataclass

RUNS, OUT, LOGS = "runs", "out", "out/logs"
"""the folders of checkpoints, of results, and of what the commands said"""

OF_SEED = r"(?P<study>[a-z0-9]+)-(?P<model>[a-z0-9]+)-seed(?P<seed>\d+)"
CHECKPOINT = re.compile(
    OF_SEED + r"\.(?P<arm>[a-z][a-z0-9-]*?)(-(?P<sparsity>0\.\d+))?"
    r"(?P<sibling>\.sibling)?(?P<source>\.source)?(?P<finished>\.finished)?(?:\.(?P<begin>fresh|start))?"
    r"(\.pt|\.trajectory\.h5@(?P<epoch>\d+))?"
)
RESULT = re.compile(OF_SEED + r"\.(?P<measure>.+)\.h5")
PATH = re.compile(r"path-(?P<kind>.+)-(?P<sparsity>0\.\d+)")
WORD = re.compile("[a-z0-9]+")
"""the name of a study or of a model, as it stands in names of files"""
ARM = re.compile("[a-z][a-z0-9]*(-[a-z0-9]+)*")
SMALLEST = 1e-4
"""of the sparsities that can stand in a name"""


@dataclass(frozen=True, order=True)
class Name:
    """What a checkpoint's file name says, as studies name their files."""

    study: str
    model: str
    seed: int
    arm: str
    """how it was made: dense, dense-longer, or a pruning method and where it started"""
    sparsity: float = 0.0
    """fraction of prunable weights asked to be removed; 0 for dense"""
    sibling: bool = False
    """same start, same method, another order of the examples"""
    source: bool = False
    """of a network that saw the source classes only, to be probed on the others"""
    finished: bool = False
    """after the common finish with the mask frozen"""
    begin: str = ""
    """of what a control begins with: `fresh`, weights of another seed; `start`, weights under its mask, untrained"""
    epoch: int | None = None
    """moment of a trajectory"""

    @property
    def stem(self) -> str:
        """The part that is common to all files of this network.

        >>> Name("digits", "lenet300", 3, "gmp", 0.95, finished=True).stem
        'digits-lenet300-seed3.gmp-0.95.finished'
        """
        return self._stem(repr(self.sparsity))

    @property
    def checkpoint(self) -> str:
        """The path of the network's checkpoint."""
        return f"{RUNS}/{self.stem}.pt"

    @property
    def checkpoint_template(self) -> str:
        """The path of the checkpoint with `{sparsity}` in the place of the sparsity, which a command that makes several
        fills in.

        >>> Name("digits", "lenet300", 3, "gmp", 0.95, sibling=True).checkpoint_template
        'runs/digits-lenet300-seed3.gmp-{sparsity}.sibling.pt'
        """
        return f"{RUNS}/{self._stem('{sparsity}')}.pt"

    @property
    def trajectory(self) -> str:
        """The file of the weights along the training that led to this network."""
        return f"{RUNS}/{self.stem}.trajectory.h5"

    def result(self, measure: str) -> str:
        """The file of a measure of this network alone."""
        return f"{OUT}/{self.stem}.{measure}.h5"

    def _stem(self, sparsity: str) -> str:
        marks = {".sibling": self.sibling, ".source": self.source, ".finished": self.finished}
        removed = f"-{sparsity}" if self.sparsity else ""
        ending = removed + "".join(mark for mark, given in marks.items() if given)
        ending += f".{self.begin}" if self.begin else ""
        return f"{self.study}-{self.model}-seed{self.seed}.{self.arm}{ending}"


@dataclass(frozen=True)
class ResultName:
    """What the name of a results file of several networks of one seed says."""

    study: str
    model: str
    seed: int
    measure: str
    """what the study calls it: psp-test, curvature, path-between-0.97, ..."""

    @property
    def stem(self) -> str:
        """The name without its ending, which is that of the log as well.

        >>> ResultName("digits", "lenet5", 0, "surface").file
        'out/digits-lenet5-seed0.surface.h5'
        """
        return f"{self.study}-{self.model}-seed{self.seed}.{self.measure}"

    @property
    def file(self) -> str:
        """The path of the results file."""
        return f"{OUT}/{self.stem}.h5"


def parse(name: str) -> Name:
    """Read what the file name of a study's checkpoint says of it.

    >>> parse("digits-lenet300-seed3.iterative-magnitude-0.95.finished.pt")
    Name(study='digits', model='lenet300', seed=3, arm='iterative-magnitude', sparsity=0.95, sibling=False,
         source=False, finished=True, begin='', epoch=None)
    >>> parse("digits-lenet5-seed0.dense-longer.pt").arm
    'dense-longer'
    >>> parse("digits-lenet300-seed0.lobster-0.99.finished.trajectory.h5@4").epoch
    4
    """
    found = CHECKPOINT.fullmatch(name)
    if not found:
        raise ValueError(f"{name}: not a checkpoint's name of a study (STUDY-MODEL-seedN.ARM[-SPARSITY]...)")
    epoch = found["epoch"]
    return Name(
        study=found["study"],
        model=found["model"],
        seed=int(found["seed"]),
        arm=found["arm"],
        sparsity=float(found["sparsity"] or 0),
        sibling=found["sibling"] is not None,
        source=found["source"] is not None,
        finished=found["finished"] is not None,
        begin=found["begin"] or "",
        epoch=None if epoch is None else int(epoch),
    )


def parse_result(name: str) -> ResultName:
    """Read the file name of results of several networks of one seed.

    >>> parse_result("digits-lenet5-seed2.path-between-0.97.h5").measure
    'path-between-0.97'
    """
    found = RESULT.fullmatch(name)
    if not found:
        raise ValueError(f"{name}: not a results file of a study (STUDY-MODEL-seedN.MEASURE.h5)")
    return ResultName(found["study"], found["model"], int(found["seed"]), found["measure"])


def seed_of(name: str) -> int | None:
    """The seed in the name of anything of a study, a job, a checkpoint, a result; None where it is of no single one.

    >>> seed_of("mnist-lenet300-seed7.curvature"), seed_of("findings-lenet300.collapse.h5")
    (7, None)
    """
    found = re.match(OF_SEED, name)
    return int(found["seed"]) if found else None


def with_seed(name: str, seed: int | None) -> str:
    """What is called so of another seed.

    >>> with_seed("mnist-lenet300-seed7.curvature.h5", 12)
    'mnist-lenet300-seed12.curvature.h5'
    """
    return name if seed is None else re.sub(r"-seed\d+", f"-seed{seed}", name, count=1)


def path_measure(kind: str, sparsity: float) -> str:
    """What a study calls the measure of a path: `between` the compared arms, or between siblings of the arm `kind`.

    >>> path_measure("between", 0.97), path_measure("gmp", 0.97)
    ('path-between-0.97', 'path-gmp-siblings-0.97')
    """
    return f"path-{kind}-{sparsity!r}" if kind == "between" else f"path-{kind}-siblings-{sparsity!r}"


def parse_path_measure(measure: str) -> tuple[str, float]:
    """The kind and the sparsity that `path_measure` was given.

    >>> parse_path_measure("path-gmp-siblings-0.97")
    ('gmp', 0.97)
    """
    found = PATH.fullmatch(measure)
    if not found:
        raise ValueError(f"{measure}: not a path of a study (path-KIND-SPARSITY)")
    return found["kind"].removesuffix("-siblings"), float(found["sparsity"])


def model_word(spec: str) -> str:
    """What stands for a network in names of files, of what is typed behind --model.

    >>> model_word("mlp:hidden=12"), model_word("nets/My_Net.py:build"), model_word("timm:resnet18")
    ('mlp', 'mynet', 'resnet18')
    """
    before, _, behind = spec.partition(":")
    word = behind if before in ("timm", "torchvision", "hf") else before
    return re.sub("[^a-z0-9]", "", word.rpartition("/")[2].removesuffix(".py").lower())


def collapse_result(study: str, model: str) -> str:
    """The results file of `pruning.collapse` of all seeds of a network.

    >>> collapse_result("findings", "lenet300")
    'out/findings-lenet300.collapse.h5'
    """
    return f"{OUT}/{study}-{model}.collapse.h5"
