"""Sparse checkpoints: every method a composition of a few parts."""
