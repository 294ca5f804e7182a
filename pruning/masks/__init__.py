"""`python -m pruning.masks`: what a mask has left of a network, and how far masks overlap."""
