"""`python -m landscape.sharpness`: how sharp a minimum is, by several measures."""
