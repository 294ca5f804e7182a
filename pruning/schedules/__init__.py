"""Schedules: when to cut, and to which sparsity."""
