"""Curves between two networks: one a file, found by the registry of `landscape.path.curve`."""
