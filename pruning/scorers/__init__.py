"""Scorers: how important each weight is, high = keep."""
