"""Torch modules that the registry of networks builds from."""
