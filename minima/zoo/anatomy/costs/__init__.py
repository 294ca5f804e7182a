"""What units and layers cost, and how long the way through a network is."""
