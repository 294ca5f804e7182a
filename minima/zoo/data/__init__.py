"""Data by name: from files on disk to normalised tensors with their labels."""
