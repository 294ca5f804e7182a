"""Losses: one a file, found by the registry of `minima.zoo.losses.loss`."""
