"""Contestants that evaluate a loss surface; each module adapts one of them, and leaves what it does as it is."""
