"""Curvature operators: one a file, found by the registry of `landscape.spectrum.operator`."""
