"""From counts of states to entropies of neurons, pairs and tuples, with their errors."""
