"""Counting takes memory for neurons and classes, not for examples."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import resource, sys, torch
from entropy.information.measurement import measure
from minima.zoo.architecture.architecture import describe, initialise, parse_architecture

model = initialise(describe(parse_architecture("resnet20:width=8"), (3, 32, 32), 10), 0)
images = int(sys.argv[1])
x, y = torch.zeros(images, 3, 32, 32), torch.arange(images) % 10
measure(model, x[:200], y[:200], 10, batch_size=50)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
measure(model, x, y, 10, batch_size=50)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
ALLOWED_KIB = 30_000
"""slack of the allocator: the states of 2,000 images alone would be 189 MB"""


def test_ten_times_the_examples_take_no_more_memory() -> None:
    done = subprocess.run([sys.executable, "-c", CODE, "2000"], capture_output=True, text=True, check=True)
    assert int(done.stdout) < ALLOWED_KIB
