"""What a person reads of `python -m entropy.layers`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from entropy.layers.estimator import estimators
from entropy.layers.numbers import NUMBERS
from minima.store.hdf5 import record

if TYPE_CHECKING:
    from collections.abc import Sequence


def table(summary: dict[str, Any]) -> str:
    """What a person reads: one line a layer, and what the columns are."""
    estimator = estimators()[summary["estimator"]]
    layers = summary["layers"]
    removable = [entry["name"] for entry in layers if entry["removable"]]
    level = "of the whole data set, whatever the batch size"
    if summary["compat"]:
        level = f"as published: mean over mini-batches of {summary['batch_size']} (depends on --batch-size)"
    text = f"""\
Layer entropies ({estimator.name.upper()}, {estimator.paper}), in bits, {level}.
Over {summary["samples"]:,} examples ({summary["split"]}; the papers use train); a channel is a neuron.

{record.table([number for number in NUMBERS if number.key in layers[0]], layers, named="layer")}

{estimator.meaning}
removable: no channel has potentials of both signs, and the outputs are the same without the rectifier
importance: entropy times mean |weight| over the weights left

can go without changing an output: {_listed(removable)}
{estimator.name.upper()} takes out next: {_listed(summary["remove_next"])}"""
    if summary["zeta"] is None:
        return text
    return f"{text}\nwould lose: weights that EGP's rule takes from the layer when {summary['zeta']:g} of them go"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"
