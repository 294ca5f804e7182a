"""Results of `entropy.psp` under any name: each checkpoint's hidden layers, neuron by neuron."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from figures.drawing.networks import network_looks, seed_and_method
from figures.drawing.style import Look, spoken_model
from figures.reading.measurements import measured, stem
from figures.reading.names import parse
from minima.store.command import BadInput

if TYPE_CHECKING:
    from minima.store.hdf5.view import Group

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Layer:
    """A hidden layer's neurons in one checkpoint; entropies in bits."""

    name: str
    summary: dict[str, Any]
    classes: NDArray[np.int64]
    """labels of the classes that occur (class)"""
    counts: NDArray[np.int64]
    """ON states (class, neuron)"""
    observed: NDArray[np.int64]
    """states looked at (class)"""
    entropy: Floats
    """PSP-entropy summed over classes (neuron)"""
    information: Floats
    """I(state; class) (neuron)"""
    activation: Floats | None
    """mean given the class (class, neuron), of `--selectivity`"""
    selectivity: Floats | None
    """selectivity index (neuron), of `--selectivity`; NaN where it means nothing"""
    joint: Floats | None
    """joint entropy of pairs summed over classes (neuron, neuron), of `--order 2`, where it was asked for"""

    @cached_property
    def p_on(self) -> Floats:
        """P(ON | class) (class, neuron)."""
        return self.counts / self.observed[:, None]

    @cached_property
    def dead(self) -> NDArray[np.bool_]:
        """Whether a neuron is on for no example (neurons,)."""
        return self.counts.sum(0) == 0

    @cached_property
    def always_on(self) -> NDArray[np.bool_]:
        """Whether a neuron is on for every example (neurons,)."""
        return self.counts.sum(0) == self.observed.sum()

    @property
    def alive(self) -> NDArray[np.bool_]:
        """Whether a neuron is neither dead nor always on (neurons,)."""
        return ~(self.dead | self.always_on)


@dataclass(frozen=True)
class Network:
    """One checkpoint, or one moment of a trajectory."""

    name: str
    summary: dict[str, Any]
    layers: tuple[Layer, ...]
    """hidden ones, in forward order"""

    def layer(self, name: str) -> Layer:
        """The hidden layer of this name; BadInput if there is none."""
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise BadInput(f"{self.name} has no hidden layer {name}, but {', '.join(each.name for each in self.layers)}")

    @property
    def stem(self) -> str:
        """Its name without an ending, and without the moment."""
        return stem(self.name)

    @property
    def seed_and_method(self) -> tuple[int, str]:
        """The seed and the method that the network's name says."""
        return seed_and_method(self.name)


@dataclass(frozen=True)
class Level:
    """Means over neurons, those of several layers alike; NaN where no neuron is alive."""

    entropy: float
    """PSP-entropy of alive neurons, in bits"""
    dead: float
    """per cent of all neurons"""
    information: float
    """I(state; class) of alive neurons, in bits"""


LEVELS = {
    "entropy": "PSP-entropy of\nalive neurons (bit)",
    "dead": "dead neurons (%)",
    "information": "class information of\nalive neurons (bit)",
}
"""a level's fields as axes name them"""


def level(layers: Sequence[Layer]) -> Level:
    """The means over the neurons of these layers together."""
    alive, dead, entropy, information = (
        np.concatenate([getattr(layer, of) for layer in layers]) for of in ("alive", "dead", "entropy", "information")
    )
    means = [float(values[alive].mean()) if alive.any() else np.nan for values in (entropy, information)]
    return Level(means[0], 100 * float(dead.mean()), means[1])


def beside(networks: Sequence[Network]) -> list[Look]:
    """The look of each of some networks that are drawn beside one another."""
    return network_looks([network.name for network in networks])


def examples(network: Network) -> str:
    """How many of which examples were looked at, in words, and of which network if its name says so."""
    counted = f"{network.summary['samples']:,} {network.summary['split']} examples"
    try:
        return f"{spoken_model(parse(network.name).model)}; {counted}"
    except ValueError:
        return counted


def check_count(networks: Sequence[Network], most: int) -> None:
    """BadInput for more networks than can be told apart in one figure."""
    if len(networks) > most:
        raise BadInput(
            f"{len(networks)} checkpoints, and the figure has room for {most}: choose with --checkpoint NAME ...\n"
            "`python -m minima.results FILE` lists their names"
        )


def read_networks(paths: Iterable[Path], chosen: Sequence[str] = (), pairs_of: str | None = None) -> list[Network]:
    """All checkpoints of these files, or those chosen by name; `pairs_of`: the layer whose joint entropies to read.

    Raises:
        BadInput: a file of something else, a chosen checkpoint that is in none, or a network without hidden layers.
    """
    found = [network for path in paths for network in _read(path, chosen, pairs_of)]
    names = {network.name for network in found}
    for name in chosen:
        if name not in names:
            raise BadInput(f"--checkpoint {name}: not in these files. `python -m minima.results FILE` lists what is")
    return found


def _read(path: Path, chosen: Sequence[str], pairs_of: str | None) -> list[Network]:
    with measured(path, "psp", "entropy") as (file, checkpoints):
        return [
            _network(file, path, name, summary, row, pairs_of)
            for row, (name, summary) in enumerate(checkpoints)
            if not chosen or name in chosen
        ]


def _network(file: Group, path: Path, name: str, summary: dict[str, Any], row: int, pairs_of: str | None) -> Network:
    hidden = [entry for entry in summary["layers"] if not entry["output"]]
    if not hidden:
        raise BadInput(f"{path}: {name} has no hidden layer to draw")
    own = row if len(file.attrs["checkpoint"]) > 1 else ...
    layers = [_layer(file["psp"], entry, own, entry["name"] == pairs_of) for entry in hidden]
    return Network(name, summary, tuple(layers))


def _layer(psp: Group, summary: dict[str, Any], row: Any, with_pairs: bool) -> Layer:
    name = summary["name"]
    group = psp[f"{name}_"] if f"{name}_" in psp else psp[name]  # a layer called `loss` has a _ behind it in the file

    def array(dataset: str) -> Any:
        return group[dataset][row] if dataset in group else None

    return Layer(
        name=name,
        summary=summary,
        classes=psp["class"][()],
        counts=array("counts"),
        observed=array("observed"),
        entropy=array("entropy"),
        information=array("class_information"),
        activation=array("mean_activation"),
        selectivity=array("selectivity_index"),
        joint=array("joint_entropy") if with_pairs else None,
    )
