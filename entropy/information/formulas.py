"""Entropies of binary neuron states from integer counts: float64, bits, no torch.

A neuron is ON for an example when its post-synaptic potential is positive. All functions take `on`, the number of
ON states per class and neuron (C, n), and `observed`, the number of states looked at per class (C,). A class that
was never observed contributes nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.integer]


def binary_entropy(p: ArrayLike) -> Floats:
    """h(p) = -p log2 p - (1 - p) log2 (1 - p) in bits, elementwise; h(0) = h(1) = 0.

    >>> [round(float(h), 6) for h in binary_entropy([0, 0.25, 0.5, 1])]
    [0.0, 0.811278, 1.0, 0.0]
    """
    p = np.asarray(p, dtype=np.float64)
    return _plog2p(p) + _plog2p(1 - p)


def frequencies(on: Counts, observed: Counts) -> Floats:
    """The frequency P(ON | class) = on / observed of each class and neuron, (C, n).

    `on` (C, n) counts the examples of a class at which a neuron is on, `observed` (C,) all of the class. A class that
    was not observed has a row of NaN.
    """
    with np.errstate(invalid="ignore"):
        return np.asarray(on / observed[:, None], dtype=np.float64)


def psp_entropy(on: Counts, observed: Counts, clamp: float = 0.0) -> Floats:
    """First-order PSP-entropy of each neuron (n,): sum over classes of h(P(ON | class)), between 0 and C bits.

    Tartaglione, Bragagnolo and Grangetto, ICANN 2020 (arXiv 2004.14765). The authors' code keeps both frequencies
    within `clamp` = 1e-4 and 1 - 1e-4, so that a constant neuron has 0.00147 bit a class; the definition has none.
    Two neurons, two classes of four examples:

    >>> on = np.array([[3, 0], [2, 2]])
    >>> [round(float(bits), 6) for bits in psp_entropy(on, np.array([4, 4]))]
    [1.811278, 1.0]
    """
    present = observed > 0
    p = frequencies(on[present], observed[present])
    return binary_entropy(np.clip(p, clamp, 1 - clamp)).sum(0)


def corrected_entropy(on: Counts, observed: Counts) -> Floats:
    """`psp_entropy` with the Miller-Madow correction, in bits (n,).

    The plug-in estimate is too low by about (m - 1) / (2 M ln 2) bit per class, m being the number of states observed
    and M the number of observations. A neuron with one state in a class (a dead one, say) gets nothing added there.

    >>> float(corrected_entropy(np.array([[0]]), np.array([8]))[0])
    0.0
    >>> round(float(corrected_entropy(np.array([[4]]), np.array([8]))[0]) - 1, 6)
    0.090168
    """
    present = observed > 0
    on, observed = on[present], observed[present]
    both_states = (on > 0) & (on < observed[:, None])
    return psp_entropy(on, observed) + (both_states / (2 * np.log(2) * observed[:, None])).sum(0)


def state_entropy(on: Counts, observed: Counts) -> Floats:
    """Entropy of a neuron's state over all examples, whatever their class, in bits (n,): at most 1."""
    return binary_entropy(on.sum(0) / observed.sum())


def class_information(on: Counts, observed: Counts) -> Floats:
    """I(state; class) = h(sum_c pi_c p_c) - sum_c pi_c h(p_c) in bits (n,); pi_c is the class's share of the data.

    It tells a class-specific neuron (information) from a dead one (none), which both have a low PSP-entropy.

    >>> round(float(class_information(np.array([[3], [2]]), np.array([4, 4]))[0]), 6)
    0.048795
    """
    present = observed > 0
    shares = observed[present] / observed.sum()
    within = shares @ binary_entropy(frequencies(on[present], observed[present]))
    return np.maximum(state_entropy(on, observed) - within, 0.0)  # rounding may leave -1e-17


def normalised_information(on: Counts, observed: Counts) -> Floats:
    """Normalised mutual information 2 I(state; class) / (H(state) + H(class)) (n,), between 0 and 1.

    0 where both are constant. The arithmetic normalisation, as scikit-learn's `normalized_mutual_info_score`.

    >>> float(normalised_information(np.array([[4], [0]]), np.array([4, 4]))[0])
    1.0
    """
    shares = observed / observed.sum()
    total = state_entropy(on, observed) + _plog2p(shares).sum()
    information = 2 * class_information(on, observed)
    return np.divide(information, total, out=np.zeros_like(information), where=total > 0)


def joint_entropy(counts: Counts, *, corrected: bool = False) -> Floats:
    """Joint entropy of tuples of neurons in bits (K,), summed over classes: between 0 and n C for tuples of n.

    H_n = -sum over the 2^n joint states of p log2 p, for each class; `counts` (C, K, 2^n) says how often each joint
    state occurred. With n = 1 it is `psp_entropy`. `corrected` adds Miller and Madow's (m - 1) / (2 M ln 2) a class.
    Case P1-2 of two neurons, which agree in four of eight examples:

    >>> counts = np.array([[[1, 3, 0, 0]], [[2, 0, 0, 2]]])
    >>> round(float(joint_entropy(counts)[0]), 6)
    1.811278
    """
    observed = counts.sum(-1, keepdims=True)
    p = counts / np.maximum(observed, 1)
    entropy = _plog2p(p).sum(-1)
    if corrected:
        states = (counts > 0).sum(-1)
        entropy = entropy + np.maximum(states - 1, 0) / (2 * np.log(2) * np.maximum(observed[..., 0], 1))
    return np.asarray(entropy.sum(0), dtype=np.float64)


def _plog2p(p: Floats) -> Floats:
    logarithm = np.zeros_like(p)
    np.log2(p, out=logarithm, where=p > 0)
    return -p * logarithm + 0.0  # + 0.0 turns -0.0 into 0.0
