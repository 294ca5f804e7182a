"""A network's outputs, computed in the fastest form that agrees with the network itself."""
