"""`python -m pruning.coded`: how many bytes a network takes, quantised and coded, and what that costs in error."""
