"""How networks of any names are drawn beside one another, and the moments of a training after one another."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from figures.drawing.style import Look, looks
from figures.reading.conditions import with_words
from figures.reading.measurements import stem
from figures.reading.names import parse

SEED_OR_SPARSITY = re.compile(r"[-.]?seed\d+|[-.]0\.\d+")
MOMENT = ".trajectory.h5@"
MOMENTS = "cividis"
"""from the first moment, dark, to the last, light"""
LIGHTEST = 0.85


def seed_and_method(name: str) -> tuple[int, str]:
    """What a checkpoint's name says: in the way of a study, else whatever is neither seed nor sparsity.

    >>> seed_and_method("net-seed3.one-shot-0.9.pt")
    (3, 'net.one-shot')
    """
    try:
        found = parse(name)
    except ValueError:
        seed = re.search(r"seed(\d+)", name)
        return int(seed[1]) if seed else 0, SEED_OR_SPARSITY.sub("", stem(name))
    return found.seed, found.arm


def network_looks(names: Sequence[str], told: Sequence[str] = ()) -> list[Look]:
    """A look for each of some checkpoints, in their order.

    It is that of their method, or of their whole name if two share a method; moments of one training go from dark to
    light. Equal names, as two results of one checkpoint have, are told apart by what is told of them, else by a number.

    Args:
        told: behind each name, such as the weights that its result is of; '' for nothing.
    """
    words = told or [""] * len(names)
    if len(names) > 1 and all(MOMENT in name for name in names):
        return _with_words(_moments(names), words)
    methods = [seed_and_method(name)[1] for name in names]
    if len(set(methods)) == len(methods):
        found = looks(sorted(methods))  # whatever the order of the files, one look for one name
        return _with_words([found[method] for method in methods], words)
    labels = _numbered([with_words(stem(name), said) for name, said in zip(names, words, strict=True)])
    found = looks(sorted(labels))
    return [found[label] for label in labels]


def _with_words(found: Sequence[Look], told: Sequence[str]) -> list[Look]:
    return [replace(look, label=with_words(look.label, words)) for look, words in zip(found, told, strict=True)]


def _numbered(labels: Sequence[str]) -> list[str]:
    """Labels of which none is twice.

    >>> _numbered(["a", "b", "a"])
    ['a', 'b', 'a (2)']
    """
    before = [labels[:place].count(label) for place, label in enumerate(labels)]
    return [f"{label} ({count + 1})" if count else label for label, count in zip(labels, before, strict=True)]


def _moments(names: Sequence[str]) -> list[Look]:
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    shades = [LIGHTEST * place / (len(names) - 1) for place in range(len(names))]
    labels = [name.replace(MOMENT, ", moment ") for name in names]
    return [
        Look(label, to_hex(colormaps[MOMENTS](shade)), "o", "-") for label, shade in zip(labels, shades, strict=True)
    ]
