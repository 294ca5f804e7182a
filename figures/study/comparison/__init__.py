"""Pruning methods compared: networks by method, sparsity and seed, and their table."""
