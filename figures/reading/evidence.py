"""What the results say of each checkpoint, by seed, arm, sparsity and stage: the raw material of figures and claims."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from figures.reading.names import Name, parse_path_measure
from figures.reading.study_results import Results

Floats = NDArray[np.float64]


@dataclass(frozen=True, order=True)
class Key:
    """Which network: the stage is `unfinished` (as its method left it), `finished`, or a moment between them.

    Networks that saw the source classes only, as their method left them, are of the stage `source`.
    """

    arm: str
    sparsity: float
    seed: int
    stage: str


@dataclass(frozen=True)
class Neurons:
    """All hidden neurons of a network, layer after layer; entropies in bits."""

    entropy: Floats
    """PSP-entropy with the Miller-Madow correction, summed over classes"""
    share: Floats
    """I(state; class) / H(state); NaN where the state never changes"""
    alive: NDArray[np.bool_]
    """neither on for every example nor off for every example"""


def key_of(name: Name, last_epoch: int | None = None) -> Key:
    """The key of a checkpoint; of a moment of a finishing trajectory, given its last one."""
    if name.source:
        stage = "source"
    elif name.epoch is None:
        stage = "finished" if name.finished else "unfinished"
    elif not name.finished:
        stage = f"fine-tuning epoch {name.epoch}"
    else:
        stage = {0: "unfinished", last_epoch: "finished"}.get(name.epoch, f"epoch {name.epoch}")
    return Key(name.arm, name.sparsity, name.seed, stage)


def errors(results: Iterable[Results]) -> dict[Key, float]:
    """Error in per cent of every checkpoint of `entropy.psp` results."""
    found = {}
    for result in results:
        for name, accuracy in zip(result.names, result.array("psp/accuracy"), strict=True):
            found[key_of(name)] = 100 * (1 - float(accuracy))
    return found


def probe_accuracies(results: Iterable[Results]) -> dict[Key, float]:
    """Accuracy in per cent of a linear probe on the target classes, of `entropy.transfer` results."""
    found = {}
    for result in results:
        for name, accuracy in zip(result.names, result.array("transfer/probe_accuracy"), strict=True):
            found[key_of(name)] = 100 * float(accuracy)
    return found


def pair_entropies(results: Iterable[Results]) -> dict[Key, float]:
    """Mean joint entropy of the pairs of hidden neurons in bits, of `entropy.psp --order 2` results."""
    return {
        key_of(name): float(summary["network_mean"])
        for result in results
        for name, summary in zip(result.names, result.summaries(), strict=True)
    }


def reached(results: Iterable[Results]) -> dict[tuple[str, float, int], float]:
    """The sparsity that pruned networks really have, by arm, sparsity asked for and seed."""
    found = {}
    for result in results:
        if result.has(f"{result.measure}/sparsity"):
            for name, sparsity in zip(result.names, result.array(f"{result.measure}/sparsity"), strict=True):
                found[name.arm, name.sparsity, name.seed] = float(sparsity)
    return found


def neurons(results: Iterable[Results]) -> dict[Key, Neurons]:
    """All hidden neurons of every checkpoint of `entropy.psp` results."""
    found = {}
    for result in results:
        layers = [_layer(result, layer) for layer in result.hidden_layers()]
        for index, name in enumerate(result.names):
            entropy, share, alive = (
                np.concatenate(parts) for parts in zip(*(row[index] for row in layers), strict=True)
            )
            found[key_of(name)] = Neurons(entropy, share, alive)
    return found


def _layer(result: Results, layer: str) -> list[tuple[Floats, Floats, NDArray[np.bool_]]]:
    """(corrected entropy, I/H, alive) of a layer's neurons, one triple a checkpoint."""
    group = f"psp/{layer}"
    on = result.array(f"{group}/counts").sum(axis=1)  # (checkpoint, class, neuron) -> (checkpoint, neuron)
    observed = result.array(f"{group}/observed").sum(axis=1)[:, None]
    frequency = on / observed
    with np.errstate(divide="ignore", invalid="ignore"):
        state = -np.nan_to_num(frequency * np.log2(frequency)) - np.nan_to_num((1 - frequency) * np.log2(1 - frequency))
        share = result.array(f"{group}/class_information") / state
    alive = (on > 0) & (on < observed)
    share[~alive] = np.nan
    return list(zip(result.array(f"{group}/corrected_entropy"), share, alive, strict=True))


@dataclass(frozen=True)
class LayerStates:
    """One layer's neurons, of one arm and all seeds together; entropies in bits."""

    entropy: Floats
    dead: NDArray[np.bool_]
    alive: NDArray[np.bool_]
    classes: int


def layer_states(results: Iterable[Results], layer: str, arm: str) -> LayerStates:
    """The neurons of a layer of an arm's networks: finished ones where the arm was pruned."""
    entropy, on, observed = [], [], []
    classes = 0
    for result in results:
        counts = result.array(f"psp/{layer}/counts")
        classes = counts.shape[1]
        for index, name in enumerate(result.names):
            if name.arm == arm and (name.finished or not name.sparsity):
                entropy.append(result.array(f"psp/{layer}/entropy")[index])
                on.append(counts[index].sum(axis=0))
                observed.append(np.full(on[-1].shape, result.array(f"psp/{layer}/observed")[index].sum()))
    total, every = np.concatenate(on), np.concatenate(observed)
    return LayerStates(np.concatenate(entropy), total == 0, (total > 0) & (total < every), classes)


@dataclass(frozen=True)
class Curve:
    """One network in training after its last cut: training loss and sharpness at each kept moment."""

    loss: Floats
    value: Floats


def sharpness(results: Iterable[Results], measure: str) -> dict[Key, float]:
    """A sharpness measure of every checkpoint, moments of trajectories included."""
    found = {}
    for result in results:
        last = max((name.epoch for name in result.names if name.epoch is not None and name.finished), default=None)
        for name, value in zip(result.names, result.array(f"sharpness/{measure}"), strict=True):
            found[key_of(name, last)] = float(value)
    return found


def finishing(results: Iterable[Results], measure: str) -> dict[tuple[str, float, int], Curve]:
    """Training loss and a sharpness measure after the last cut of each arm, by arm, sparsity and seed.

    A fine-tuning's moment 0 is before the cut.
    """
    points: dict[tuple[str, float, int], list[tuple[float, float]]] = {}
    for result in results:
        values = zip(result.names, result.array("sharpness/loss"), result.array(f"sharpness/{measure}"), strict=True)
        for name, loss, value in values:
            if name.epoch is not None and (name.finished or name.epoch > 0):
                points.setdefault((name.arm, name.sparsity, name.seed), []).append((loss, value))
    return {key: Curve(*np.array(rows, dtype=float).T) for key, rows in points.items()}


@dataclass(frozen=True, order=True)
class LineKey:
    """Which line: `between` one-shot and gradual, or the arm whose siblings it joins."""

    model: str
    seed: int
    sparsity: float
    kind: str


@dataclass(frozen=True)
class Line:
    """Loss (nat) and error (%) along the line between two networks."""

    t: Floats
    loss: Floats
    error: Floats
    loss_barrier: float
    """largest rise over the chord between the ends, in nat"""
    error_barrier: float
    """likewise, in percentage points"""


def lines(results: Iterable[Results]) -> dict[LineKey, Line]:
    """The lines of `landscape.path` results; the study's name for a file says which it is."""
    found = {}
    for result in results:
        kind, sparsity = parse_path_measure(result.called)
        key = LineKey(result.model, result.seed, sparsity, kind)
        loss, accuracy = result.array("path/loss")[0], result.array("path/accuracy")[0]
        rise, error_rise = (float(result.array(f"path/barrier_{of}")[0]) for of in ("loss", "error"))
        found[key] = Line(result.labels("path/t"), loss, 100 * (1 - accuracy), rise, 100 * error_rise)
    return found
