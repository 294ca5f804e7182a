"""Which weights and units lie on a path from input to output, and the marks by which that is found."""
