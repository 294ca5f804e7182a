"""What measurements cost, as ratios within one run."""
