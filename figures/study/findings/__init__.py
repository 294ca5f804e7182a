"""Statements of the literature on pruning methods, and what a study says of them."""
