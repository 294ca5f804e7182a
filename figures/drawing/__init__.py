"""The look and the command line that all figures share."""
