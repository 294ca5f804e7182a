"""Planes to draw a surface on: one kind a file, found by the registry of `landscape.surface.spanning`."""
