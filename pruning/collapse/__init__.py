"""`python -m pruning.collapse`: how far methods cut before a layer is left without a weight."""
