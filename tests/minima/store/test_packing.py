"""Packed tensors come back bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from minima.store.checkpoints.packing import pack, pack_bits, unpack, unpack_bits

SHAPES = array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5)
DTYPES = st.sampled_from([np.float32, np.float64, np.float16, np.int64])


@given(st.data(), SHAPES, DTYPES)
def test_pack_then_unpack_is_the_identity(data: st.DataObject, shape: tuple[int, ...], dtype: type) -> None:
    mask = torch.as_tensor(data.draw(arrays(bool, shape)))
    values = torch.as_tensor(data.draw(arrays(dtype, shape)))
    tensor = torch.where(mask, values, torch.zeros((), dtype=values.dtype))
    back, back_mask = unpack(pack(tensor, mask))
    assert back.dtype == tensor.dtype
    assert back_mask.dtype == torch.bool
    assert torch.equal(back_mask, mask)
    assert back.numpy().tobytes() == tensor.numpy().tobytes()  # NaN and -0.0 among the survivors too


@given(arrays(bool, SHAPES))
def test_bits_take_an_eighth_of_a_byte(mask: np.ndarray) -> None:
    bits = pack_bits(torch.as_tensor(mask))
    assert bits.numel() == (mask.size + 7) // 8
    assert np.array_equal(unpack_bits(bits, mask.shape).numpy(), mask)


def test_a_tensor_with_strides_of_its_own_is_packed_by_its_elements() -> None:
    tensor = torch.arange(1.0, 7).reshape(2, 3).T
    assert torch.equal(unpack(pack(tensor, torch.ones(3, 2, dtype=torch.bool)))[0], tensor)


def test_a_removed_weight_that_is_not_zero_is_not_lost_silently() -> None:
    with pytest.raises(ValueError, match="1 removed weights are not 0"):
        pack(torch.tensor([1.0, 2.0]), torch.tensor([True, False]))


def test_a_mask_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="shape"):
        pack(torch.zeros(4), torch.ones(2, 2, dtype=torch.bool))


@pytest.mark.parametrize(
    "damage",
    [
        {"mask": torch.zeros(3, dtype=torch.uint8)},
        {"values": torch.zeros(5)},
        {"mask": torch.zeros(1)},
    ],
)
def test_parts_that_do_not_fit_each_other_are_refused(damage: dict[str, object]) -> None:
    packed = pack(torch.tensor([0.0, 2.0]), torch.tensor([False, True]))
    with pytest.raises(ValueError, match=r"mask|survivors"):
        unpack(packed | damage)
