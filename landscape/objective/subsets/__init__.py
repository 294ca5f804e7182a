"""Subsets of single weights that alone may move: drawn at random, or given by a file."""
