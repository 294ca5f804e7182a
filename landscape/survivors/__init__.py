"""`python -m landscape.survivors`: a pruned network's curvature beside its dense parent's."""
