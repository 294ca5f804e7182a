"""What is found at each point of a surface: one a file, found by the registry of `landscape.surface.field`."""
