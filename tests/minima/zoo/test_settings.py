"""What programs hand over is looked at as flags are: refused by its name before any work."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pytest
import torch

from landscape import loss_surface, measure_sharpness, top_eigenvalues
from landscape.sharpness.measures.sam import Sam
from landscape.sharpness.measures.trace import Trace
from minima.store.command import BadInput
from minima.zoo.settings import chosen
from pruning import prune
from pruning.methods.snip import Snip


@dataclass(frozen=True)
class Inner:
    count: int = 3


@dataclass(frozen=True)
class Outer:
    rate: float = 0.1
    least: int | None = None
    share: float | None = None
    radii: tuple[float, ...] = (0.1, 0.2)
    word: Literal["a", "b"] | None = "a"
    text: str = "x"
    inner: Inner = field(default_factory=Inner)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"rate": 1},
        {"rate": np.float32(0.5), "least": np.int64(4), "inner": Inner(np.int32(2))},
        {"least": None, "share": None, "word": None},
        {"radii": (1, 0.5)},
        {"radii": [0.5]},
        {"radii": ()},
    ],
)
def test_what_flags_could_hold_is_taken(fields):
    settings = Outer(**fields)
    assert chosen(settings) is settings


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"rate": "fast"}, "rate 'fast': expected a number"),
        ({"rate": None}, "rate None: expected a number"),
        ({"rate": True}, "rate True: expected a number"),
        ({"least": 2.5}, "least 2.5: expected a whole number"),
        ({"share": "x"}, "share 'x': expected a number"),
        ({"radii": 0.5}, "radii 0.5: expected a tuple of numbers"),
        ({"radii": ("a",)}, r"radii \('a',\): expected a tuple of numbers"),
        ({"radii": "12"}, "radii '12': expected a tuple of numbers"),
        ({"word": "c"}, "word 'c': known are 'a', 'b', None"),
        ({"inner": Inner(1.5)}, "count 1.5: expected a whole number"),
    ],
)
def test_what_none_could_is_refused_by_its_name(fields, words):
    with pytest.raises(BadInput, match=words):
        chosen(Outer(**fields))


NETWORK = torch.nn.Linear(2, 2)
DATA = (torch.eye(2), torch.tensor([0, 1]))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: measure_sharpness(NETWORK, DATA, measures=[Sam(rho=0.05)]), "rho 0.05: expected a tuple of numbers"),
        (lambda: measure_sharpness(NETWORK, DATA, measures=[Trace(probes=2.5)]), "probes 2.5: expected a whole number"),
        (lambda: measure_sharpness(NETWORK, DATA, measures=Trace), "Trace is a class"),
        (lambda: measure_sharpness(NETWORK, DATA, measures=[Trace]), "Trace is a class"),
        (lambda: top_eigenvalues(NETWORK, DATA, k=1.5), "top 1.5: expected a whole number"),
        (lambda: loss_surface(NETWORK, DATA, grid="3x1", extent="far"), "extent 'far': expected a number"),
        (lambda: loss_surface(NETWORK, DATA, grid="3x1", drawing={"lines": 2.5}), "lines 2.5: expected a whole number"),
        (lambda: prune(NETWORK, DATA, method=Snip), "Snip is a class"),
        (lambda: prune(NETWORK, DATA, recipe={"lr": "fast"}, epochs=1), "lr 'fast': expected a number"),
    ],
)
def test_the_doors_say_so_before_any_work(call, words):
    with pytest.raises(BadInput, match=words):
        call()
