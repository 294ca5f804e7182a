"""What operations with weights, and whole attentions, say of units: parts of the table in `unit_rules`."""
