"""What `python -m entropy.psp` prints for a person."""

from __future__ import annotations

from typing import Any

from minima.store.table import format_cell, render_table

FIRST_ORDER = {
    "layer": lambda layer, _: layer["name"] + (" (output)" if layer["output"] else ""),
    "neurons": lambda layer, _: layer["neurons"],
    "mean": lambda layer, _: layer["mean"],
    "of max": lambda layer, bits: None if layer["mean"] is None else f"{layer['mean'] / bits:.0%}",
    "std": lambda layer, _: layer["std"],
    "dead": lambda layer, _: layer["dead"],
    "always on": lambda layer, _: layer["always_on"],
    "alive mean": lambda layer, _: layer["alive_mean"],
    "corrected": lambda layer, _: layer["corrected_mean"],
    "±": lambda layer, _: layer["stderr_new_images"],
    "info": lambda layer, _: layer["class_information_mean"],
}
"""columns: what they show of a layer whose largest entropy is so many bits"""

ON_REQUEST = {
    "agreement": ("agreement_mean", "entropy of whether the neurons of a tuple agree"),
    "repeated": (
        "multi_information_mean",
        "multi-information: what the neurons of a tuple repeat of each other, in bits",
    ),
    "tuples": ("tuples", "how many were looked at"),
    "± tuples": ("stderr_tuples", "standard error of the mean for the tuples that were not looked at"),
    "shared alive": ("shared_alive_mean", "first order over the neurons that are alive in every checkpoint"),
    "NMI": ("normalised_mutual_information_mean", "normalised mutual information of state and group"),
    "p": ("permutation_p", "chance of so much information were the labels random"),
    "ties": ("ties", "potentials that are zero to rounding: another machine may find them on the other side"),
    "selectivity": ("selectivity_mean", "mean selectivity index: 0 answers all classes alike, 1 a single one"),
}
"""columns for what was asked for: the key, and what it is"""


def table(summary: dict[str, Any]) -> str:
    """One line a layer, and what the columns are."""
    order, layers = summary["order"], summary["layers"]
    classes = summary["classes"] - len(summary["absent_classes"])
    bits = classes * order
    kind, kinds = ("group", "groups") if summary["grouped_by"] else ("class", "classes")
    counted = f"{classes} {kind if classes == 1 else kinds}"
    shown = {
        head: entry
        for head, entry in ON_REQUEST.items()
        if any(entry[0] in layer for layer in layers) and (head != "NMI" or summary["grouped_by"])
    }
    rows = [
        [cell(layer, bits) for cell in FIRST_ORDER.values()] + [layer.get(key) for key, _ in shown.values()]
        for layer in layers
    ]
    explained = "".join(f"\n{head}: {meaning}" for head, (_, meaning) in shown.items())
    return f"""\
PSP-entropy, {_ORDERS.get(order, f"order {order}")}, in bits summed over {counted}: {bits} at most, \
a fair coin for each neuron and {kind}.
Over {summary["samples"]:,} examples ({summary["split"]}); a {summary["neurons"]} is a neuron.

{render_table([*FIRST_ORDER, *shown], rows)}

mean over all hidden {"neurons" if order == 1 else "tuples"}: {format_cell(summary["network_mean"])} bit
dead: never on; alive mean: over the neurons that are neither dead nor always on
corrected: mean without the bias of few examples; ±: its standard error, had the images been others
info: what a neuron's state tells of the {kind}, in bits \
(a dead neuron tells nothing){explained}"""


_ORDERS = {1: "first order", 2: "second order (joint, of pairs)"}
