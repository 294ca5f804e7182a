"""Recoveries: what happens right after a cut."""
