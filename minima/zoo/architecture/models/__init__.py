"""Registry of networks: one frozen dataclass a file (no torch at import)."""
