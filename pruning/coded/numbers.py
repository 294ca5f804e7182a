"""Which numbers there are of a coded network, with their meaning."""

from __future__ import annotations

from minima.store.hdf5.record import Number

POINT = ("point",)
POINTS = (
    Number("bits", "bit", "of a weight before it is coded; NaN where a step is given", POINT),
    Number("step", "1", "the step that all layers share; NaN where each has its own", POINT),
    Number("nonzero", "1", "weights that are not 0 once they are quantised", POINT),
    Number("line_bits", "bit", "entropy of which rows and columns of the layers' weights are wholly zero", POINT),
    Number("mask_bits", "bit", "entropy of which of the other weights are zero", POINT),
    Number("value_bits", "bit", "entropy of the values of weights that are not zero", POINT),
    Number("ideal_bytes", "byte", "these three, and tensors that are not quantised", POINT),
    Number(
        "stream_bytes",
        "byte",
        "entropy of the streams that the coder was given, steps, lengths, other tensors",
        POINT,
    ),
    Number("coded_bytes", "byte", "of the real code, which was decoded again", POINT),
    Number("coded_loss", "nat", "loss after decoding", POINT, key="loss"),
)
"""what there is of each width or step"""

WHOLE = (
    Number("weights", "1", "weights of convolutions and linear layers"),
    Number("other_bytes", "byte", "tensors that are not quantised: biases, normalisations, buffers"),
    Number("float_bytes", "byte", "of the network as it is"),
)
"""what holds for all of them"""


def score(name: str | None) -> list[Number]:
    """The score of this name after decoding; none where the loss has none."""
    return [] if name is None else [Number("coded_score", "1", f"{name} after decoding", POINT, key="score")]
