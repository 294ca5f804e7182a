"""What a network is made of: its neurons, who makes them, which are one, and what lies on a path."""
