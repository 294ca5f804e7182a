"""`python -m landscape.topology`: basins, saddles and curvature of a measured surface."""
