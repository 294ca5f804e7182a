"""`python -m entropy`: its commands in a line each."""

import sys

from minima.store.listing import tell

if __name__ == "__main__":
    tell("entropy", sys.argv[1:])
