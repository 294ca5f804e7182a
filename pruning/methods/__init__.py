"""Registry of pruning methods: one frozen dataclass a file (no torch at import)."""
