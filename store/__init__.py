"""What is written down: checkpoints, trajectories, results, and how a command speaks."""

__version__ = "0.1.0"
