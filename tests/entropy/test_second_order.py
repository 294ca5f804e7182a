"""Joint entropies of pairs and tuples equal slow references, whichever way they are counted."""

from __future__ import annotations

import math
from itertools import combinations
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles.psp_networks import data
from oracles.psp_reference import joint_reference
from scipy.stats import chisquare
from torch import Tensor, nn

from entropy.counting.blocks import Run, deal
from entropy.counting.pairs import KeptStates, PairTable
from entropy.counting.states import States
from entropy.counting.tuples import draw_tuples
from entropy.information import pair_entropies
from entropy.information.formulas import joint_entropy
from entropy.information.layer import LayerEntropy, network_mean
from entropy.information.measurement import measure
from entropy.information.panel import leave_one_out_joint_means
from entropy.information.request import Request, Together
from minima.store.command import BadInput

CLASSES = 4
LABELS = torch.tensor([0, 0, 0, 0, 1, 1, 1, 1])
P1_1 = torch.tensor([[1.0, -1], [2, -1], [-1, 0], [3, -2], [1, 1], [-1, -1], [1, 1], [-1, -1]])


def layers_of(model: nn.Module, x: Tensor, y: Tensor, order: int = 2, classes: int = CLASSES, **flags: Any) -> Any:
    together = Together(order, **{key: flags.pop(key) for key in ("tuples", "seed", "pairs") if key in flags})
    return measure(model, x, y, classes, request=Request(together), **flags)[0]


def bare(z: Tensor, y: Tensor, classes: int, order: int = 2, **flags: Any) -> LayerEntropy:
    """The layer whose potentials are `z` (N, n)."""
    return layers_of(nn.Sequential(nn.ReLU(), nn.Linear(z.shape[1], 2)), z, y, order, classes, **flags)[0]


def test_p1_2_joint_and_agreement() -> None:
    joint = bare(P1_1, LABELS, 2).joint
    assert joint is not None
    assert joint.mean == pytest.approx(0.811278 + 1, abs=5e-7)
    assert joint.agreement_mean == pytest.approx(0.811278 + 0, abs=5e-7)
    assert joint.matrix is not None
    assert joint.matrix.tolist() == [pytest.approx([1.811278] * 2, abs=5e-7), pytest.approx([1.811278, 1], abs=5e-7)]


def test_p1_5_nothing_is_nan_where_the_first_upload_was() -> None:
    joint = bare(P1_1[:4], LABELS[:4], 2).joint
    assert joint is not None
    assert joint.mean == pytest.approx(0.811278, abs=5e-7)
    assert joint.agreement_mean == pytest.approx(0.811278, abs=5e-7)


@pytest.mark.parametrize(("copies", "joint", "agreement"), [(False, 2.0, 1.0), (True, 1.0, 0.0)])
def test_fair_bits(copies: bool, joint: float, agreement: float) -> None:
    """Independent fair bits: 2 bits together, 1 bit of agreement. The same bit twice: 1 and 0."""
    z = torch.tensor([[1.0, 1], [1, -1], [-1, 1], [-1, -1]])
    if copies:
        z[:, 1] = z[:, 0]
    found = bare(z, torch.zeros(4).long(), 1).joint
    assert found is not None
    assert (found.mean, found.agreement_mean) == (joint, agreement)


@pytest.mark.parametrize("kind", ["position", "channel"])
@pytest.mark.parametrize("batch_size", [1, 7, 64])
def test_all_pairs_of_every_layer(network: nn.Module, kind: Any, batch_size: int) -> None:
    x, y = data()
    with torch.no_grad():
        potentials = network.eval().potentials(x)
    found = layers_of(network, x, y, neurons=kind, batch_size=batch_size)
    for layer, (_, z) in zip(found, potentials, strict=True):
        pairs = list(combinations(range(layer.entropy.size), 2))
        if len(pairs) > 500:  # the reference is slow: some rows of the table
            rows = [0, layer.entropy.size // 2]
            expected = joint_reference(z, y, CLASSES, [pair for pair in pairs if pair[0] in rows], kind)
            values = np.concatenate([layer.joint.matrix[row, row + 1 :] for row in rows])
            np.testing.assert_allclose(values, [each[0] for each in expected], atol=1e-12)
            continue
        joint, agreement, corrected = np.array(joint_reference(z, y, CLASSES, pairs, kind)).T
        summary = layer.summary()
        matrix = layer.joint.matrix
        np.testing.assert_allclose(matrix[np.triu_indices(len(matrix), 1)], joint, atol=1e-12)
        np.testing.assert_allclose(np.diag(matrix), layer.entropy, atol=1e-12)
        assert np.array_equal(matrix, matrix.T)
        for key, value in (
            ("mean", joint.mean()),
            ("std", joint.std()),
            ("min", joint.min()),
            ("max", joint.max()),
            ("agreement_mean", agreement.mean()),
            ("corrected_mean", corrected.mean()),
            ("multi_information_mean", np.mean([layer.entropy[list(pair)].sum() for pair in pairs]) - joint.mean()),
        ):
            assert summary[key] == pytest.approx(value, abs=1e-12), key
        alive = ~(layer.dead | layer.always_on)
        among = [bits for bits, pair in zip(joint, pairs, strict=True) if alive[list(pair)].all()]
        assert summary["alive_mean"] == pytest.approx(np.mean(among) if among else np.nan, nan_ok=True)
        assert summary["first_order_mean"] == pytest.approx(layer.entropy.mean())
        assert summary["neurons"] == layer.entropy.size
        assert (summary["tuples"], summary["stderr_tuples"]) == (len(pairs), 0.0)


@pytest.mark.parametrize("change", [("TILE", 3), ("TABLE", 0)])
def test_tiles_and_tables_change_nothing(change: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    z, y = torch.randn(40, 11), torch.arange(40) % 3
    z[:, 4], z[:, 5] = -1.0, 1.0  # dead, always on
    z[y == 1, 6] = 1.0  # constant in one class
    before = bare(z, y, 3)
    monkeypatch.setattr(pair_entropies, *change)
    after = bare(z, y, 3)
    assert before.joint is not None
    assert after.joint is not None
    np.testing.assert_allclose(after.joint.matrix, before.joint.matrix, atol=1e-12)
    numbers = [
        {key: value for key, value in layer.summary().items() if isinstance(value, float)} for layer in (before, after)
    ]
    assert numbers[1] == pytest.approx(numbers[0])


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 1000), examples=st.integers(1, 30), neurons=st.integers(1, 6), positions=st.integers(1, 4))
def test_both_ways_of_counting_are_brute_force(seed: int, examples: int, neurons: int, positions: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, 3, (examples,), generator=generator)
    on = torch.randint(0, 2, (examples, neurons, positions), generator=generator).to(torch.uint8)
    blocks = deal(labels, 3, 4)
    ways = [PairTable, KeptStates] if positions == 1 else [PairTable]
    for way in ways:
        counted: Any = None
        for indices, runs in blocks.batches(5):
            states = States("site", on[indices], (neurons,))
            counted = counted or way(states, blocks)
            counted.add(states, runs)
        for label in range(3):
            own = on[labels == label].long().transpose(1, 2).reshape(-1, neurons)
            assert (
                counted.both_on(label, slice(0, neurons), slice(1, neurons)).tolist() == (own.T @ own[:, 1:]).tolist()
            )


def test_a_layer_of_one_neuron_has_no_pairs() -> None:
    model = nn.Sequential(nn.Linear(3, 1), nn.ReLU(), nn.Linear(1, 5), nn.ReLU(), nn.Linear(5, 2))
    torch.manual_seed(0)
    layers = layers_of(model, torch.randn(12, 3), torch.arange(12) % 2, classes=2)
    summary = layers[0].summary()
    assert (summary["tuples"], summary["neurons"]) == (0, 1)
    assert all(math.isnan(summary[key]) for key in ("mean", "std", "alive_mean", "corrected_mean", "stderr"))
    assert network_mean(layers) == layers[1].joint.mean  # the only hidden layer that has pairs


def test_what_a_pair_repeats_is_never_negative_and_the_joint_is_bounded() -> None:
    torch.manual_seed(1)
    layer = bare(torch.randn(30, 9), torch.arange(30) % 3, 3)
    assert layer.joint is not None
    matrix, alone = layer.joint.matrix, layer.entropy
    assert matrix is not None
    assert (alone[:, None] + alone - matrix >= -1e-12)[np.triu_indices(9, 1)].all()
    assert (matrix >= np.maximum(alone[:, None], alone) - 1e-12).all()


def test_leaving_a_block_out_is_brute_force() -> None:
    torch.manual_seed(2)
    z, y = torch.randn(50, 7), torch.arange(50) % 2
    layer = bare(z, y, 2)
    assert layer.joint is not None
    dealt = deal(y, 2)
    cells = torch.repeat_interleave(torch.arange(2 * 20), dealt.sizes.T.flatten())
    for block, replicate in enumerate(layer.joint.replicates):
        kept = dealt.order[cells % 20 != block]
        pairs = list(combinations(range(7), 2))
        expected = np.mean([each[2] for each in joint_reference(z[kept], y[kept], 2, pairs, "position")])
        assert replicate == pytest.approx(expected)


@pytest.mark.parametrize("order", [3, 4])
def test_tuples_are_brute_force(order: int) -> None:
    torch.manual_seed(3)
    z, y = torch.randn(40, 6), torch.arange(40) % 2
    z[:, 0] = -1.0
    found = bare(z, y, 2, order).summary()
    tuples = list(combinations(range(6), order))
    joint, agreement, corrected = np.array(joint_reference(z, y, 2, tuples, "position")).T
    first = bare(z, y, 2, order).entropy
    assert found["tuples"] == found["tuples_existing"] == math.comb(6, order)
    assert found["mean"] == pytest.approx(joint.mean())
    assert found["agreement_mean"] == pytest.approx(agreement.mean())
    assert found["corrected_mean"] == pytest.approx(corrected.mean())
    assert found["alive_mean"] == pytest.approx(joint[[0 not in each for each in tuples]].mean())
    assert found["multi_information_mean"] == pytest.approx(order * first.mean() - joint.mean())


def test_tuples_of_channels_pool_positions() -> None:
    x, y = data()
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 4))
    found = layers_of(model, x, y, 3, neurons="channel", batch_size=7)[0]
    with torch.no_grad():
        z = model[0](x)
    expected = joint_reference(z, y, CLASSES, list(combinations(range(4), 3)), "channel")
    assert found.joint.mean == pytest.approx(np.mean([each[0] for each in expected]))


def test_sampled_pairs_say_how_far_off_they_may_be() -> None:
    torch.manual_seed(4)
    z, y = torch.randn(60, 40) + torch.linspace(-2, 2, 40), torch.arange(60) % 3
    exact = bare(z, y, 3).joint
    assert exact is not None
    within = []
    for seed in range(100):
        sampled = bare(z, y, 3, pairs="sampled", tuples=60, seed=seed).joint
        assert sampled is not None
        assert (sampled.looked_at, sampled.existing) == (60, 780)
        within.append(abs(sampled.mean - exact.mean) <= 1.96 * sampled.sampling_error)
    assert 88 <= sum(within) <= 100


def test_a_sample_is_uniform_and_without_repeats() -> None:
    pairs = [tuple(map(int, pair)) for seed in range(600) for pair in draw_tuples(6, 2, 5, seed)]
    assert all(len({tuple(pair) for pair in draw_tuples(6, 2, 5, seed)}) == 5 for seed in range(20))
    counts = [pairs.count(pair) for pair in combinations(range(6), 2)]
    assert sum(counts) == 3000
    assert chisquare(counts).pvalue > 1e-4


def test_order_one_of_the_general_formula_is_the_first_order() -> None:
    counts = np.array([[[3, 5], [8, 0]], [[2, 2], [1, 3]]])
    layer_entropy = joint_entropy(counts)
    assert layer_entropy.tolist() == pytest.approx([0.954434 + 1, 0 + 0.811278], abs=1e-6)
    assert leave_one_out_joint_means(np.stack([counts, counts])).tolist() == pytest.approx(
        [joint_entropy(counts, corrected=True).mean()] * 2
    )


@pytest.mark.parametrize("flags", [{"order": 0}, {"order": 9}, {"tuples": 1}])
def test_bad_requests(flags: dict[str, int]) -> None:
    with pytest.raises(BadInput, match=f"--{next(iter(flags))}"):
        Together(**flags)


def test_run_is_a_slice_of_a_batch() -> None:
    on = torch.arange(12).view(3, 2, 2).to(torch.uint8)
    assert States("s", on, (2,)).rows(1, 3).tolist() == [[4, 6], [5, 7], [8, 10], [9, 11]]
    assert Run(0, 3, 0, 0).stop == 3
