"""Counts of neurons' states, gathered batch by batch as a network runs."""
