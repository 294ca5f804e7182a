"""`python -m entropy.transfer`: what networks are worth on other data, and whether entropy tells."""
