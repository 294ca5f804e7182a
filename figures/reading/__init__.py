"""Results files as pictures need them: labelled arrays, one entry a checkpoint."""
