"""Triggers: whether a scheduled cut takes place."""
