"""The TOML files that describe studies: read, inherited, checked against types and against the commands they call."""
