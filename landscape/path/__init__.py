"""`python -m landscape.path`: loss and error on the way between networks, and the barrier there."""
