"""What of a network is static: on examples, or for all inputs within bounds."""
