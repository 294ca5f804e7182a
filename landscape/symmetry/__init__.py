"""Other weights that compute the same function: permuted and rescaled units."""
