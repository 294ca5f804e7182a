"""Scopes: within which tensors scores compete."""
