"""What derivatives take is told before the first; of fewer examples at once where memory is short, or not at all."""

from __future__ import annotations

import re

import pytest
import torch
from torch import nn

from landscape import hessian_trace, top_eigenvalues
from landscape.objective.objective import Objective
from landscape.objective.room import Needs
from minima.store.command import BadInput
from minima.store.memory import GIB, OVERHEAD, SLACK


def wide(width: int) -> tuple[nn.Module, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    return (
        nn.Sequential(nn.Linear(8, width), nn.Tanh(), nn.Linear(width, 3)),
        torch.randn(600, 8),
        torch.arange(600) % 3,
    )


def test_short_memory_takes_fewer_examples_at_once_for_the_same_products(capsys: pytest.CaptureFixture[str]) -> None:
    model, x, y = wide(20000)  # 240,000 weights, and 2 MB for each example in two graphs
    ample, short = (Objective(model, x, y, batch_size=600, memory=int(0.75 * gib * GIB)) for gib in (4, 0.26))
    vector = torch.randn(ample.dimension, dtype=torch.float64)
    one, other = ample.hvp(vector), short.hvp(vector)
    assert ample.room.at_once(ample) == 600
    assert 100 < short.room.at_once(short) < 600
    assert len(ample.keeper.kept) == 1
    torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-6)


def test_what_does_not_fit_is_refused_with_the_amount_to_type() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(3000, 3000), nn.ReLU(), nn.Linear(3000, 2))
    x, y = torch.randn(4, 3000), torch.arange(4) % 2
    with pytest.raises(BadInput, match=r"derivatives takes up to .* --memory is 0.5.\nType --memory") as gradient:
        hessian_trace(model, (x, y), memory=0.5)
    with pytest.raises(BadInput, match=r"derivatives and 7 vectors in float32 takes") as vectors:
        top_eigenvalues(model, (x, y), k=1, memory=0.8)
    least, more = (float(re.search(r"Type --memory ([\d.]+)", str(said.value))[1]) for said in (gradient, vectors))  # type: ignore[index]
    assert 60 * 9e6 / GIB < least < 1.5
    beyond = 20 + 3 * 4 + 2 * 8 + 7 * 4 - 60  # of a product, with g and H g and the vectors, than of the check
    assert more - least == pytest.approx(SLACK * beyond * 9e6 / GIB, abs=0.1)


def test_needs_grow_with_the_examples_and_fit_what_there_is() -> None:
    needs = Needs.measured(1000, lambda count: 5000 + 70 * count, 100)
    assert needs.of(10) == 60 * 1000 + 2.25 * (5000 + 70 * 10)
    assert needs.of(needs.fitting(200_000)) <= 200_000 < needs.of(needs.fitting(200_000) + 1)
    assert needs.fitting(0) == 1
    assert OVERHEAD < GIB / 4
