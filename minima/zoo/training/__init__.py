"""Training that can stop after any step and go on to the same bytes."""
