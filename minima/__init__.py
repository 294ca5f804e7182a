"""An instrument for looking at minima: the common ground of its packages, and the door to its commands."""

from minima.store import __version__ as __version__
