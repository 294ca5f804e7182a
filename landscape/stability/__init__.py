"""`python -m landscape.stability`: curvature over a training beside what the optimiser bears."""
