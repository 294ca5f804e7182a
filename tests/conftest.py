"""One thread for each process: the suite runs in parallel, and more threads than cores only wait for each other."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "agg")


def pytest_collection_modifyitems(items):
    """What takes a minute comes first, so that no process is left with it in the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
