"""`python -m pruning.criteria`: whether criteria for units rank them alike, and whether they can tell them apart."""
