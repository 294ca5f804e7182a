"""What is written down: checkpoints, trajectories, results, and how a command speaks."""
