"""Which numbers there are of a coded network, with their meaning."""

from __future__ import annotations

POINTS = {
    "bits": ("bit", "of a weight before it is coded; NaN where a step is given"),
    "step": ("1", "the step that all layers share; NaN where each has its own"),
    "nonzero": ("1", "weights that are not 0 once they are quantised"),
    "line_bits": ("bit", "entropy of which rows and columns of the layers' weights are wholly zero"),
    "mask_bits": ("bit", "entropy of which of the other weights are zero"),
    "value_bits": ("bit", "entropy of the values of weights that are not zero"),
    "ideal_bytes": ("byte", "these three, and tensors that are not quantised"),
    "stream_bytes": ("byte", "entropy of the streams that the coder was given, steps, lengths, other tensors"),
    "coded_bytes": ("byte", "of the real code, which was decoded again"),
}
"""what there is of each width or step, with its unit"""

WHOLE = {
    "weights": ("1", "weights of convolutions and linear layers"),
    "other_bytes": ("byte", "tensors that are not quantised: biases, normalisations, buffers"),
    "float_bytes": ("byte", "of the network as it is"),
}
"""what holds for all of them"""
