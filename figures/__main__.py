"""`python -m figures`: its commands in a line each."""

import sys

from minima.store.listing import tell

if __name__ == "__main__":
    tell("figures", sys.argv[1:])
