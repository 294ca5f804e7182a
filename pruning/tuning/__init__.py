"""`python -m pruning.tuning`: the search of ICE-Pruning for its own settings, on a share of the data."""
