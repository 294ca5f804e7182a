"""Which numbers there are of a layer and of its channels, with their meaning."""

from __future__ import annotations

from minima.store.hdf5.record import Number

NUMBERS = [
    Number(name, units, meaning, ("layer",), column, kind=str if name == "weight" else float)
    for name, units, meaning, column in (
        ("neurons", "1", "channels", "channels"),
        ("entropy", "bit", "layer entropy", "entropy"),
        ("always_on", "1", "channels that are ON for every example", "always on"),
        ("always_off", "1", "channels that are never ON", "always off"),
        ("removable", "1", "1 if the outputs are the same without the activation", "removable"),
        (
            "max_output_change",
            "1",
            "largest change of a logit without the activation; NaN where it is needed",
            "output change",
        ),
        ("weight", "1", "name of the weight", "weight"),
        ("weights_left", "1", "weights that are not zero; NaN where there is no single weight tensor", "left"),
        ("importance", "bit", "entropy times mean magnitude of the weights left", "importance"),
        ("budget", "1", "weights the layer would lose by EGP's rule", "would lose"),
    )
]
"""of each layer; the last where a budget was asked for"""
CHANNELS = [
    Number("p_on", "1", "frequency of ON", ("neuron",)),
    *(
        Number(sign, "1", f"number of {sign} potentials, positions pooled", ("neuron",))
        for sign in ("negative", "zero", "positive")
    ),
]
"""of each channel of a layer"""
