"""What a person reads of `python -m entropy.layers`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from entropy.layers.estimator import estimators
from minima.store.table import render_table

if TYPE_CHECKING:
    from collections.abc import Sequence


COLUMNS = {
    "name": "layer",
    "neurons": "channels",
    "entropy": "entropy",
    "always_on": "always on",
    "always_off": "always off",
    "removable": "removable",
    "max_output_change": "output change",
    "weight": "weight",
    "weights_left": "left",
    "importance": "importance",
    "budget": "would lose",
}


def table(summary: dict[str, Any]) -> str:
    """What a person reads: one line a layer, and what the columns are."""
    estimator = estimators()[summary["estimator"]]
    keys = [key for key in COLUMNS if key in summary["layers"][0]]
    rows = [[entry[key] for key in keys] for entry in summary["layers"]]
    removable = [entry["name"] for entry in summary["layers"] if entry["removable"]]
    level = "of the whole data set, whatever the batch size"
    if summary["compat"]:
        level = f"as published: mean over mini-batches of {summary['batch_size']} (depends on --batch-size)"
    text = f"""\
Layer entropies ({estimator.name.upper()}, {estimator.paper}), in bits, {level}.
Over {summary["samples"]:,} examples ({summary["split"]}; the papers use train); a channel is a neuron.

{render_table([COLUMNS[key] for key in keys], rows)}

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
