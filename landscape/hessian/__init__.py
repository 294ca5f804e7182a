"""`python -m landscape.hessian`: eigenvalues, trace and density of the Hessian or of its kin."""
