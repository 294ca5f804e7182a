"""What networks are put to, one trial a file."""
