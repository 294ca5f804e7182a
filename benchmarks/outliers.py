"""`python -m benchmarks.outliers`: how many eigenvalues lie beyond the bulk, on trained, pruned and fooled networks.

Trains, prunes and measures by the suite's own commands, which reuse what is finished: typed again after a stop, it goes
on. Here because only benchmarks may call all packages, and because it is a study of the measure, not of pruning.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from minima.store.command import Command, Report, note, run
from minima.store.files import write_atomically
from minima.store.table import render_markdown

NETWORKS = {"mlp": 3, "lenet300": 3, "lenet5": 1, "resnet20:width=8": 1, "vit": 1}
"""on digits, and of how many seeds: one where a measurement takes most of a minute"""
TRAIN = "--validation 0 --momentum 0.9 --lr 0.05"
LOBSTER = "--validation 0.1 --start parent --strength 1e-3 --tolerance 0.5 --epochs 60"
WAYS = {
    "trained": f"minima.train --model {{model}} --data digits {TRAIN} --epochs 30 --seed {{seed}} -o {{out}}",
    "magnitude-0.95": "pruning magnitude {trained} --sparsity 0.95 --epochs 30 -o {out}",
    "lobster-0.95": f"pruning lobster {{trained}} --sparsity 0.95 {LOBSTER} -o {{out}}",
    "random-labels": (
        f"minima.train --model {{model}} --data digits:labels=random {TRAIN} --epochs 150 --seed {{seed}} -o {{out}}"
    ),
}
"""how a network was made, by the command that makes it"""
OPERATORS = ("hessian", "ggn")
MEASURE = "--samples 300 --density --density-probes 3 --density-steps 30 --trace 45 --trace-estimator hutch++"
CLASSES = 10
READING = f"""The literature (Sagun et al. 2017, Gur-Ari et al. 2018, Papyan 2019, Ghorbani et al. 2019) finds about as
many outliers as classes, C or C - 1, here {CLASSES} or {CLASSES - 1}, and a large part of the trace in them. Here:

"""
PICTURE = """![Densities of a LeNet-300-100, trained, pruned, on random labels](gallery/14-spectral-density.png)

The picture: `python -m figures.spectral_density
out/outliers/lenet300-seed0.{trained,magnitude-0.95,lobster-0.95,random-labels}.hessian.h5 -o fig/spectral-density`.
The count is one at a resolution: the bulk ends at the first gap that a kernel of 1 % of the eigenvalues' range shows,
some 3.3 % of it, so that eigenvalues which go on falling smoothly behind the last gap count as bulk."""
FOLDER, DOCUMENT = Path("out/outliers"), Path("docs/outliers.md")

Summary = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Outliers(Command):
    """Count outliers of the Hessian and the Gauss-Newton matrix; write docs/outliers.md."""

    networks: tuple[str, ...] = tuple(NETWORKS)
    """of the zoo"""
    seeds: int = 3
    """of each network at most"""


@dataclass(frozen=True)
class Case:
    """One checkpoint of the study."""

    network: str
    way: str
    seed: int

    @property
    def checkpoint(self) -> Path:
        """Its file."""
        return FOLDER / f"{self.network.replace(':', '-')}-seed{self.seed}.{self.way}.pt"

    def result(self, operator: str) -> Path:
        """The file of its measurement."""
        return self.checkpoint.with_suffix(f".{operator}.h5")

    def commands(self) -> list[str]:
        """What makes and measures it."""
        trained = Case(self.network, "trained", self.seed).checkpoint
        made = WAYS[self.way].format(model=self.network, seed=self.seed, trained=trained, out=self.checkpoint)
        top = f"--top {CLASSES + 5}"
        measured = [
            f"landscape.hessian {self.checkpoint} --operator {operator} {top} {MEASURE} -o {self.result(operator)}"
            for operator in OPERATORS
        ]
        return [made, *measured]

    def summary(self, operator: str) -> Summary:
        """What was measured."""
        import h5py

        with h5py.File(self.result(operator)) as file:
            return dict(json.loads(file.attrs["summary"])[0])


def main(arguments: Outliers) -> Report:
    """Make, measure, and write the document."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    cases = [
        Case(network, way, seed)
        for network in arguments.networks
        for seed in range(min(arguments.seeds, NETWORKS.get(network, arguments.seeds)))
        for way in WAYS
    ]
    for case in cases:
        note(f"{case.checkpoint.stem}")
        line = [sys.executable, "-m", "figures.study.engine.chain", *case.commands()]
        subprocess.run(line, check=True, stdout=subprocess.DEVNULL, env=os.environ | {"OMP_NUM_THREADS": "1"})
    text = document(cases, " ".join(["python -m benchmarks.outliers", *sys.argv[1:]]))
    write_atomically(DOCUMENT, text.encode())
    each = [
        case.summary(operator)["outliers"] | {"case": case.checkpoint.stem} for case in cases for operator in OPERATORS
    ]
    return Report({"written": str(DOCUMENT), "outliers": each}, text)


def document(cases: Sequence[Case], line: str) -> str:
    """docs/outliers.md: the table, and what it says beside the literature."""
    head = ["network", "made by", "seeds", "removed", "train loss (nat)", "accuracy"]
    head += [f"{operator}: {what}" for operator in OPERATORS for what in ("outliers", "widest gap", "top-10 share")]
    table = render_markdown(head, [_row(group) for group in _groups(cases)])
    return f"""# Outliers of the curvature: how many, and what they carry

Made by `{line}`: {MEASURE.split()[1]} training images of the digits, {CLASSES} classes; median over
the seeds (least to most). Outliers: eigenvalues beyond the edge of the bulk of the density. Widest gap: the rank after
which the largest {CLASSES + 5} eigenvalues fall by the largest factor. Top-{CLASSES} share: of the trace.

{table}
{reading(cases)}

{PICTURE}
"""


def reading(cases: Sequence[Case]) -> str:
    """The paragraph that reads the table against the literature, with numbers from it."""
    said = []
    for way in WAYS:
        for operator in OPERATORS:
            found = [case.summary(operator)["outliers"] for case in cases if case.way == way]
            counts, shares = [entry["count"] for entry in found], [entry["top_share"] for entry in found]
            near = sum(CLASSES - 1 <= count <= CLASSES for count in counts)
            said.append(
                f"- {way}, {operator}: {near} of {len(found)} networks have {CLASSES - 1} or {CLASSES} outliers "
                f"(median {_spread(counts)});\n"
                f"  the {CLASSES} largest eigenvalues carry {_percent(shares)} of the trace."
            )
    return READING + "\n".join(said)


def _groups(cases: Sequence[Case]) -> Iterator[list[Case]]:
    """The seeds of one network made one way."""
    for network, way in dict.fromkeys((case.network, case.way) for case in cases):
        yield [case for case in cases if (case.network, case.way) == (network, way)]


def _row(group: Sequence[Case]) -> list[str]:
    level = [case.summary("hessian") for case in group]
    row = [group[0].network, group[0].way, str(len(group)), _percent([each["sparsity"] for each in level])]
    row += [f"{median(each['loss'] for each in level):.2g}", _percent([each["accuracy"] for each in level])]
    for operator in OPERATORS:
        summaries = [case.summary(operator) for case in group]
        found = [summary["outliers"] for summary in summaries]
        more = "≥ " if not all(entry["complete"] for entry in found) else ""
        row += [
            more + _spread([entry["count"] for entry in found]),
            _spread([_widest(summary["eigenvalues"]) for summary in summaries]),
            _percent([entry["top_share"] for entry in found]),
        ]
    return row


def _widest(eigenvalues: Sequence[float]) -> int:
    """The rank after which positive eigenvalues, descending, fall by the largest factor.

    >>> _widest([8.0, 4.0, 1.0, 0.9])
    2
    """
    falls = [high / low for high, low in pairwise(eigenvalues) if low > 0]
    return 1 + falls.index(max(falls))


def _spread(values: Sequence[float]) -> str:
    """Median, least and most.

    >>> _spread([9, 7, 8]), _spread([9, 9])
    ('8 (7 to 9)', '9')
    """
    middle = f"{median(values):g}"
    return middle if len(set(values)) == 1 else f"{middle} ({min(values):g} to {max(values):g})"


def _percent(shares: Sequence[float]) -> str:
    return _spread([round(100 * share) for share in shares]) + " %"


if __name__ == "__main__":
    run(Outliers, main, prog="python -m benchmarks.outliers")
