"""Checkpoints and trajectories: a network's weights and masks on disk."""
