"""Regrow: which removed weights come back."""
