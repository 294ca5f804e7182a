"""Memory that is freed stays with the process.

glibc gives the top of the heap back to the kernel whenever enough of it is free, which is after each layer of a
convolutional network, and the next layer's pages come back one fault at a time: by chance a pass takes 1.6 times as
long. Commands set this for their own process; nothing is set by importing.
"""

from __future__ import annotations

import ctypes
import sys

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""parameters of glibc's mallopt(3)"""
NEVER = 2**31 - 1
LARGEST = 2**25
"""bytes from which a block is mapped by itself: as many as mallopt allows"""


def keep_freed_memory() -> bool:
    """Whether the C library could be told; other ones than glibc are left as they are."""
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and bool(mallopt(TRIM_THRESHOLD, NEVER)) and bool(mallopt(MMAP_THRESHOLD, LARGEST))
