"""HDF5 results drawn into pictures; never imports torch."""
