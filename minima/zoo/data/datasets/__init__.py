"""Registry of datasets: one frozen dataclass a file (no torch at import)."""
