"""Updates: what is done around each step of the optimiser."""
