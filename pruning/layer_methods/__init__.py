"""Methods that take whole layers out of a network: one a file, found by `pruning.composition.layer_method`."""
