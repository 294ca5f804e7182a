"""Statistics of pairs, orders and ranks over seeds."""
