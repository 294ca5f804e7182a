"""Every neuron's numbers in the results file, under /psp/LAYER."""

from __future__ import annotations

from typing import TYPE_CHECKING

from entropy.counting.responses import selectivity_index
from entropy.information.permutations import permutation_p
from minima.store.hdf5.record import Number, write

if TYPE_CHECKING:
    from entropy.information.layer import LayerEntropy
    from minima.store.hdf5.results import Place

TAKEN = ("class", "loss", "accuracy", "sparsity")
"""names in /psp that are no layers: a layer of such a name gets a _ behind it in the file"""
NEURON, CELL = ("neuron",), ("class", "neuron")
NUMBERS = (
    Number("entropy", "bit", "first-order PSP-entropy, summed over classes", NEURON),
    Number("corrected_entropy", "bit", "PSP-entropy with the Miller-Madow correction, summed over classes", NEURON),
    Number("class_information", "bit", "mutual information of state and class", NEURON),
    Number("normalised_mutual_information", "1", "2 I(state; class) / (H(state) + H(class))", NEURON),
    Number("selectivity_index", "1", "(mu_max - mu_rest) / (mu_max + mu_rest) of activations", NEURON),
    Number("mean_activation", "1", "given the class", CELL),
    Number("permutation_p", "1", "chance of so much class information were the labels random", NEURON),
    Number("p_on", "1", "frequency of ON given the class", CELL),
    Number("counts", "1", "number of ON states", CELL),
    Number("observed", "1", "number of states looked at", ("class",)),
    Number(
        "joint_entropy",
        "bit",
        "joint entropy of the pair's states, summed over classes; on the diagonal the neuron's own",
        ("neuron", "other"),
    ),
)
"""of a layer, as far as they are asked for"""


def group_of(layer: str) -> str:
    """The group of a layer's arrays."""
    return f"psp/{layer}" + ("_" if layer in TAKEN else "")


def write_layer(layer: LayerEntropy, place: Place, tables: bool = True) -> None:
    """Write what was measured of a layer's neurons; `tables`: and of every class and neuron."""
    group = group_of(layer.name)
    neurons = list(range(layer.entropy.size))
    place.scale(f"{group}/neuron", neurons, "1", "neuron, in row-major order of `shape`")
    found = {
        "entropy": layer.entropy,
        "corrected_entropy": layer.corrected,
        "class_information": layer.information,
        "normalised_mutual_information": layer.neurons.normalised,
        "observed": layer.observed,
    }
    if tables:
        found |= {"p_on": layer.p_on, "counts": layer.counts}
    if layer.responses is not None:
        found["selectivity_index"] = selectivity_index(layer.responses)
        if tables:
            found["mean_activation"] = layer.responses
    if layer.permuted is not None:
        found["permutation_p"] = permutation_p(layer.information, layer.permuted)
    if layer.joint is not None and layer.joint.matrix is not None:
        place.scale(f"{group}/other", neurons, "1", "the other neuron of a pair")
        found["joint_entropy"] = layer.joint.matrix
    write(place, group, [number for number in NUMBERS if number.key in found], found)
    place.attributes(group, shape=list(layer.shape), output=layer.output)
