"""PSP-entropy by loops over neurons, classes and examples: slow, and obvious."""

from __future__ import annotations

import math
from collections import Counter

from torch import Tensor


def entropy_of(probabilities: list[float]) -> float:
    """Shannon entropy in bits."""
    return sum(-p * math.log2(p) for p in probabilities if p > 0)


def states(potentials: Tensor, neuron: int, labels: Tensor, label: int) -> list[bool]:
    """ON or OFF of one neuron for every example of a class; potentials are (N, ...), flattened per example."""
    rows = potentials.flatten(1).tolist()
    return [row[neuron] > 0 for row, its_label in zip(rows, labels.tolist(), strict=True) if its_label == label]


def channel_states(potentials: Tensor, channel: int, labels: Tensor, label: int) -> list[bool]:
    """States of all positions of one channel for every example of a class; potentials are (N, channels, ...)."""
    rows = potentials[:, channel].reshape(len(potentials), -1).tolist()
    return [
        value > 0 for row, its_label in zip(rows, labels.tolist(), strict=True) if its_label == label for value in row
    ]


def class_entropy(on_and_off: list[bool]) -> float:
    """h(P(ON)) of the states of one class."""
    p = sum(on_and_off) / len(on_and_off)
    return entropy_of([p, 1 - p])


def correction(on_and_off: list[bool]) -> float:
    """Miller-Madow: (observed states - 1) / (2 M ln 2)."""
    return (len(set(on_and_off)) - 1) / (2 * len(on_and_off) * math.log(2))


def neuron_reference(by_class: list[list[bool]]) -> dict[str, float]:
    """All numbers of one neuron from its states, class by class; classes without examples are left out."""
    present = [one_class for one_class in by_class if one_class]
    pooled = [state for one_class in present for state in one_class]
    within = sum(len(one_class) / len(pooled) * class_entropy(one_class) for one_class in present)
    return {
        "entropy": sum(class_entropy(one_class) for one_class in present),
        "corrected": sum(class_entropy(one_class) + correction(one_class) for one_class in present),
        "information": class_entropy(pooled) - within,
        "dead": not any(pooled),
        "always_on": all(pooled),
    }


def layer_reference(potentials: Tensor, labels: Tensor, classes: int, kind: str = "position") -> list[dict[str, float]]:
    """`neuron_reference` of every neuron of a layer."""
    pick, neurons = (states, potentials[0].numel()) if kind == "position" else (channel_states, potentials.shape[1])
    return [
        neuron_reference([pick(potentials, neuron, labels, label) for label in range(classes)])
        for neuron in range(neurons)
    ]


def joint_reference(potentials: Tensor, labels: Tensor, classes: int, tuples: list[tuple[int, ...]], kind: str) -> list:
    """Joint, agreement and corrected joint entropy of each tuple, summed over the classes that have examples."""
    pick = states if kind == "position" else channel_states
    found = []
    for members in tuples:
        joint = agreement = corrected = 0.0
        for label in range(classes):
            each = [pick(potentials, neuron, labels, label) for neuron in members]
            together = list(zip(*each, strict=True))
            if not together:
                continue
            counts = Counter(together)
            bits = entropy_of([count / len(together) for count in counts.values()])
            agree = sum(len(set(states_)) == 1 for states_ in together) / len(together)
            joint += bits
            agreement += entropy_of([agree, 1 - agree])
            corrected += bits + (len(counts) - 1) / (2 * len(together) * math.log(2))
        found.append((joint, agreement, corrected))
    return found
