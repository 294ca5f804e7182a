"""A pruning method as a composition of parts, and the registry of methods."""
