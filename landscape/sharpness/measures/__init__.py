"""Sharpness measures: one a file, found by the registry of `landscape.sharpness.measure`."""
