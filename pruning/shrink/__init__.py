"""`python -m pruning.shrink`: a masked network made physically smaller, computing the same."""
