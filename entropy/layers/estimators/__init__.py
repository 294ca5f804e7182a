"""Estimators of layer entropy: one a file, found by the registry of `entropy.layers.estimator`."""
