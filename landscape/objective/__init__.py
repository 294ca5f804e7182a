"""The mean loss over a set of examples as a function of the weights that may move, and its derivatives."""
