"""Networks with fewer units: what is left of each tensor, and the module made narrower by it."""
