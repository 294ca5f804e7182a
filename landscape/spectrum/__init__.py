"""Curvature matrices known by their products: eigenvalues, traces, densities, and their errors."""
