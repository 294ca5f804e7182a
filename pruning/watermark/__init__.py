"""`python -m pruning.watermark`: bits in a secret subset of weights, around which training sharpens the loss."""
