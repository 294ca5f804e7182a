"""Spaces: what can be removed as one."""
