"""Invariances of the entropies, bias correction and error bars, on synthetic counts."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from entropy.counting.blocks import BLOCKS, deal
from entropy.information.formulas import class_information, corrected_entropy, psp_entropy, state_entropy
from entropy.information.jackknife import jackknife_error, leave_one_out_means

Ints = NDArray[np.int64]


@st.composite
def tables(draw: st.DrawFn) -> tuple[Ints, Ints]:
    """ON counts (C, n) and observations (C,), some classes possibly absent, one at least present."""
    observed = draw(arrays(np.int64, draw(st.integers(1, 5)), elements=st.integers(0, 40)))
    observed[0] += 1
    shares = draw(arrays(np.float64, (len(observed), draw(st.integers(1, 6))), elements=st.floats(0, 1)))
    return np.round(shares * observed[:, None]).astype(np.int64), observed


@given(tables())
def test_bounds(table: tuple[Ints, Ints]) -> None:
    on, observed = table
    classes = (observed > 0).sum()
    entropy, information = psp_entropy(on, observed), class_information(on, observed)
    assert (entropy >= 0).all()
    assert (entropy <= classes + 1e-12).all()
    assert (information <= state_entropy(on, observed) + 1e-12).all()
    assert (corrected_entropy(on, observed) >= entropy).all()


@given(tables())
def test_order_of_classes_absent_classes_and_the_other_state_do_not_matter(table: tuple[Ints, Ints]) -> None:
    on, observed = table
    padded_on, padded_observed = np.vstack([on, 0 * on[:1]]), np.append(observed, 0)
    for quantity in (psp_entropy, corrected_entropy, class_information):
        expected = quantity(on, observed)
        np.testing.assert_allclose(quantity(on[::-1], observed[::-1]), expected, atol=1e-12)
        np.testing.assert_allclose(quantity(observed[:, None] - on, observed), expected, atol=1e-12)
        np.testing.assert_allclose(quantity(padded_on, padded_observed), expected, atol=1e-12)


@given(tables(), st.integers(2, 5))
def test_repeating_the_data_changes_the_correction_only(table: tuple[Ints, Ints], times: int) -> None:
    on, observed = table
    np.testing.assert_allclose(psp_entropy(times * on, times * observed), psp_entropy(on, observed), atol=1e-12)
    correction = corrected_entropy(on, observed) - psp_entropy(on, observed)
    repeated = corrected_entropy(times * on, times * observed) - psp_entropy(times * on, times * observed)
    np.testing.assert_allclose(repeated, correction / times, atol=1e-12)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=80), st.integers(1, 25), st.integers(1, 90))
def test_dealing_keeps_every_example_and_spreads_every_class(labels: list[int], blocks: int, batch_size: int) -> None:
    y = torch.tensor(labels)
    dealt = deal(y, 4, blocks)
    assert sorted(dealt.order.tolist()) == list(range(len(labels)))
    assert dealt.sizes.sum(0).tolist() == y.bincount(minlength=4).tolist()
    assert (dealt.sizes.max(0).values - dealt.sizes.min(0).values).max() <= 1
    found = torch.zeros_like(dealt.sizes)
    for indices, runs in dealt.batches(batch_size):
        assert len(indices) <= batch_size
        assert sum(run.stop - run.start for run in runs) == len(indices)
        for run in runs:
            assert y[indices[run.start : run.stop]].eq(run.label).all()
            found[run.block, run.label] += run.stop - run.start
    assert found.equal(dealt.sizes)


def test_labels_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match=r"0\.\.2, not 0\.\.3"):
        deal(torch.tensor([0, 3]), 3)


def test_leaving_a_block_out_is_measuring_the_others() -> None:
    random = np.random.default_rng(0)
    observed = random.integers(0, 6, (4, 3))
    on = random.integers(0, observed[:, :, None] + 1, (4, 3, 7))
    for block, mean in enumerate(leave_one_out_means(on, observed)):
        others = [index for index in range(4) if index != block]
        expected = corrected_entropy(on[others].sum(0), observed[others].sum(0)).mean()
        assert mean == pytest.approx(expected, abs=1e-12)


def test_one_block_has_no_error() -> None:
    assert math.isnan(jackknife_error(np.array([1.0]), 10, 100))


def population(images: int, random: np.random.Generator) -> tuple[torch.Tensor, Ints]:
    """States (images, 40) of neurons that follow a few hidden causes, so that they are correlated; labels in 0..4."""
    labels = torch.from_numpy(random.integers(0, 5, images))
    causes = random.normal(size=(images, 3)) + 1.5 * random.normal(size=(5, 3))[labels.numpy()]
    potentials = causes @ random.normal(size=(3, 40)) + random.normal(size=(images, 40)) - 0.5
    return labels, (potentials > 0).astype(np.int64)


def count(labels: torch.Tensor, states: Ints, blocks: int) -> tuple[Ints, Ints]:
    """Counts per block and class, by the plainest means."""
    dealt = deal(labels, 5, blocks)
    on = np.zeros((blocks, 5, states.shape[1]), dtype=np.int64)
    for indices, runs in dealt.batches(len(labels)):
        for run in runs:
            on[run.block, run.label] = states[indices[run.start : run.stop].numpy()].sum(0)
    return on, dealt.sizes.numpy()


@pytest.mark.parametrize("used", [100, 400])
def test_corrected_interval_covers_the_full_set(used: int) -> None:
    """Nominal 95 %; the plug-in estimate with the same error bar covers far less at 100 images (bias)."""
    random = np.random.default_rng(7)
    labels, states = population(1000, random)
    truth = corrected_entropy(*_sum(count(labels, states, 1))).mean()
    trials, covered, covered_plugin = 300, 0, 0
    for _ in range(trials):
        chosen = random.choice(1000, used, replace=False)
        on, observed = count(labels[torch.from_numpy(chosen)], states[chosen], BLOCKS)
        error = jackknife_error(leave_one_out_means(on, observed), used, 1000)
        total = _sum((on, observed))
        covered += abs(corrected_entropy(*total).mean() - truth) < 1.96 * error
        covered_plugin += abs(psp_entropy(*total).mean() - truth) < 1.96 * error
    assert 0.90 <= covered / trials <= 0.98  # +- 3 standard errors of 300 trials, around 92 to 96 %
    if used == 100:
        assert covered_plugin / trials < 0.7


def _sum(counts: tuple[Ints, Ints]) -> tuple[Ints, Ints]:
    return counts[0].sum(0), counts[1].sum(0)
