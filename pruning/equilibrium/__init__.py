"""`python -m pruning.equilibrium`: what training with neurons at equilibrium (NEq) left out, beside full training."""
