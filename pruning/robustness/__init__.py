"""`python -m pruning.robustness`: what perturbed inputs and perturbed weights leave of a network's loss and score."""
