"""`python -m landscape.successive`: barriers from one level of pruning to the next."""
