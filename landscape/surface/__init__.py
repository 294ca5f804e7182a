"""`python -m landscape.surface`: loss and accuracy on lines and planes through a network."""
