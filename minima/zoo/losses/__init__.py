"""Losses by name or of the user's own: a sum and a weight for each example, and the score that goes with them."""
