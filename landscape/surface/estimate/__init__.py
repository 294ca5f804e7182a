"""A surface to a given error, from few of its points and of the examples."""
