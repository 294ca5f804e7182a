"""`python -m entropy.layers`: the entropy of each layer's rectifier, and which of them could go."""
