"""The formats that networks are written in: one file each."""
