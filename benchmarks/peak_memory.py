"""`python -m benchmarks.peak_memory THREADS NETWORK IMAGES TOOL`: of one product.

A process of its own for each, since memory once taken shows for ever: the peak of the resident set (VmHWM, Linux) above
what the process holds with the network, the data and the tool loaded. Prints bytes.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def peak_memory(*arguments: object) -> int | None:
    """Of a fresh process; None where the system does not say."""
    if not Path("/proc/self/status").is_file():
        return None
    import torch

    line = [sys.executable, "-m", "benchmarks.peak_memory", *map(str, (torch.get_num_threads(), *arguments))]
    done = subprocess.run(line, check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(line)}\n{done.stderr}")
    return int(done.stdout)


def _resident(key: str) -> int:
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return 1024 * int(status[key].split()[0])


def _main(threads: str, network: str, images: str, tool: str) -> None:
    import torch

    from benchmarks.contestants import BUILDERS
    from benchmarks.networks import subject
    from minima.store.allocator import keep_freed_memory

    keep_freed_memory()
    torch.set_num_threads(int(threads))
    looked_at = subject(network, int(images))
    dimension = sum(parameter.numel() for parameter in looked_at.model.parameters())
    before = _resident("VmRSS")
    product = BUILDERS[tool](looked_at).product
    product(torch.randn(dimension))
    print(_resident("VmHWM") - before)


if __name__ == "__main__":
    _main(*sys.argv[1:])
