"""`python -m entropy.psp`: how class-specific a network's neurons are (PSP-entropy)."""
