"""Drop rules: which of the kept weights make room for others."""
