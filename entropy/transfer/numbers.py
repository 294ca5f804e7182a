"""Which numbers there are of a network on other data, with their meaning."""

from __future__ import annotations

from minima.store.hdf5.record import Number

NUMBERS = (
    Number("entropy", "bit", "mean PSP-entropy of the hidden neurons on the target, summed over its classes"),
    Number("entropy_alive", "bit", "the same over the neurons that are neither dead nor always on"),
    Number("entropy_last_hidden", "bit", "the same over all neurons of the last hidden layer"),
    Number("probe_accuracy", "1", "accuracy of a linear probe on the target's test split"),
    Number("probe_strength", "1", "the probe's penalty: factor of |w|^2 / 2 beside the mean cross-entropy"),
    Number("fine_tuned_accuracy", "1", "accuracy of the fine-tuned network on the target's test split"),
)
INTERVALS = (
    Number("probe_interval", "1", "95 % interval (Wilson) of the probe's accuracy", ("end",)),
    Number("fine_tuned_interval", "1", "95 % interval (Wilson) of the fine-tuned accuracy", ("end",)),
)
