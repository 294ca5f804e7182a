"""What all studies of trained and pruned networks share: their arms, and the commands that make the networks."""
