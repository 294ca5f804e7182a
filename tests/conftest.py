"""One thread for each process: the suite runs in parallel, and more threads than cores only wait for each other."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "agg")
