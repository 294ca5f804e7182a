"""`python -m pruning.transplant`: the mask of one network on the weights of another, as controls of pruning need it."""
