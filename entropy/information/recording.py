"""Every neuron's numbers in the results file, under /psp/LAYER."""

from __future__ import annotations

from typing import TYPE_CHECKING

from entropy.counting.responses import selectivity_index
from entropy.information.permutations import permutation_p

if TYPE_CHECKING:
    from entropy.information.layer import LayerEntropy
    from minima.store.hdf5.results import Place

TAKEN = ("class", "loss", "accuracy", "sparsity")
"""names in /psp that are no layers: a layer of such a name gets a _ behind it in the file"""


def group_of(layer: str) -> str:
    """The group of a layer's arrays."""
    return f"psp/{layer}" + ("_" if layer in TAKEN else "")


def write_layer(layer: LayerEntropy, place: Place, tables: bool = True) -> None:
    """Write what was measured of a layer's neurons; `tables`: and of every class and neuron."""
    group = group_of(layer.name)
    neurons = list(range(layer.entropy.size))
    place.scale(f"{group}/neuron", neurons, "1", "neuron, in row-major order of `shape`")
    per_neuron = {
        "entropy": (layer.entropy, "bit", "first-order PSP-entropy, summed over classes"),
        "corrected_entropy": (
            layer.corrected,
            "bit",
            "PSP-entropy with the Miller-Madow correction, summed over classes",
        ),
        "class_information": (layer.information, "bit", "mutual information of state and class"),
        "normalised_mutual_information": (
            layer.neurons.normalised,
            "1",
            "2 I(state; class) / (H(state) + H(class))",
        ),
    }
    if layer.responses is not None:
        selectivity = selectivity_index(layer.responses)
        per_neuron["selectivity_index"] = (selectivity, "1", "(mu_max - mu_rest) / (mu_max + mu_rest) of activations")
        if tables:
            place.write(f"{group}/mean_activation", layer.responses, ("class", "neuron"), "1", "given the class")
    if layer.permuted is not None:
        p = permutation_p(layer.information, layer.permuted)
        per_neuron["permutation_p"] = (p, "1", "chance of so much class information were the labels random")
    for name, (values, units, meaning) in per_neuron.items():
        place.write(f"{group}/{name}", values, ("neuron",), units, meaning)
    if tables:
        place.write(f"{group}/p_on", layer.p_on, ("class", "neuron"), "1", "frequency of ON given the class")
        place.write(f"{group}/counts", layer.counts, ("class", "neuron"), "1", "number of ON states")
    place.write(f"{group}/observed", layer.observed, ("class",), "1", "number of states looked at")
    if layer.joint is not None and layer.joint.matrix is not None:
        place.scale(f"{group}/other", neurons, "1", "the other neuron of a pair")
        place.write(f"{group}/joint_entropy", layer.joint.matrix, ("neuron", "other"), "bit", PAIRS)
    place.attributes(group, shape=list(layer.shape), output=layer.output)


PAIRS = "joint entropy of the pair's states, summed over classes; on the diagonal the neuron's own"
