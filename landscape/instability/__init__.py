"""`python -m landscape.instability`: barriers between siblings, by the epochs that they share."""
