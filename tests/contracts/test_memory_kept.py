"""What a command says that it takes at most is what it takes, on networks of several kinds: the system's own count."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
NETWORKS = """
import torch
from torch import nn
from torch.nn import functional as F


def double(before, after):
    layers = nn.Conv2d(before, after, 3, 1, 1), nn.GroupNorm(4, after), nn.SiLU(), nn.Conv2d(after, after, 1), nn.SiLU()
    return nn.Sequential(*layers)


class UNet(nn.Module):
    def __init__(self, w=12):
        super().__init__()
        self.down, self.low, self.up = double(3, w), double(w, 2 * w), nn.ConvTranspose2d(2 * w, w, 2, 2)
        self.join, self.out = double(2 * w, w), nn.Conv2d(w, 4, 1)

    def forward(self, x):
        high = self.down(x)
        return self.out(self.join(torch.cat([self.up(self.low(F.max_pool2d(high, 2))), high], 1)))


class Attending(nn.Module):
    def __init__(self, d=48):
        super().__init__()
        self.patch = nn.Conv2d(3, d, 4, 4)
        layer = nn.TransformerEncoderLayer(d, 4, 4 * d, dropout=0.0, batch_first=True, activation="gelu")
        self.layers, self.out = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False), nn.Linear(d, 4)

    def forward(self, x):
        return self.out(self.layers(self.patch(x).flatten(2).transpose(1, 2)).mean(1))


class Bottlenecks(nn.Module):
    def __init__(self, w=8):
        super().__init__()
        self.stem, self.out = nn.Conv2d(3, 4 * w, 3, 1, 1), nn.Linear(4 * w, 4)
        self.blocks = nn.ModuleList([self.block(w) for _ in range(3)])

    def block(self, w):
        def normed(*layer, **more):
            return [nn.Conv2d(*layer, bias=False, **more), nn.BatchNorm2d(layer[1])]

        first, last = normed(4 * w, w, 1), normed(w, 4 * w, 1)
        return nn.Sequential(*first, nn.ReLU(), *normed(w, w, 3, 1, 1, groups=w), nn.ReLU(), *last)

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = F.relu(x + block(x))
        return self.out(x.mean((2, 3)))


class Dense(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(3 * 64 * 64, 256), nn.Tanh(), nn.Linear(256, 4))

    def forward(self, x):
        return self.layers(x)
"""
CHILD = '''
import contextlib, importlib, json, os, re, runpy, sys
from pathlib import Path

for name in ("torch.func", "h5py", "scipy.sparse.linalg", "minima.zoo.measuring.each", "landscape.surface.compute",
             "landscape.surface.planner", "landscape.surface.preparing", "landscape.hessian.eigenvalues",
             "landscape.objective.room", "entropy.information.measurement"):
    importlib.import_module(name)
import torch
from minima.store import memory

torch.set_num_threads(1)


def resident(field):
    return 1024 * int(re.search(field + r":\\s+(\\d+)", Path("/proc/self/status").read_text())[1])


def measured(line):
    """Bytes that were promised, and taken beyond what was there before the work."""
    promised, before, own, watched = [0.0], [], memory.require_room, memory.watched_peak

    def require_room(needed, limit, what, otherwise, kept=0.0):
        promised.append(memory.SLACK * (needed + kept) + memory.OVERHEAD)
        own(needed, limit, what, otherwise, kept)

    @contextlib.contextmanager
    def watched_peak():
        with watched() as peak:
            before.append(resident("VmRSS"))
            yield peak
        before.append(resident("VmHWM"))

    for module in list(sys.modules.values()):
        for wrapped in (require_room, watched_peak):
            if getattr(module, wrapped.__name__, None) in (own, watched):
                setattr(module, wrapped.__name__, wrapped)
    sys.argv = line
    try:
        runpy.run_module(line[0], run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        assert not ended.code, ended.code
    return max(promised), before[-1] - before[0]


for line in json.loads(sys.argv[1]):
    reading, writing = os.pipe()
    if not (pid := os.fork()):
        os.dup2(2, 1)
        os.write(writing, json.dumps(measured(line)).encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(pid, 0)
    print(os.read(reading, 1000).decode(), flush=True)
'''
COMMANDS = {
    "landscape.hessian": ("--top", "1", "--tolerance", "0.9"),
    "landscape.surface": ("--grid", "2", "--compile", "off"),
    "landscape.sharpness": ("--measures", "sam", "--samples", "4"),
    "entropy.psp": ("--split", "train"),
}
GIB = 2**30
TOLD, OVERHEAD = 0.25 * GIB, 2**27
"""below which nothing is said, and what is allowed beside what can be foreseen"""
ABSURD = 3
"""times as much as it takes is said at most"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the system does not count peaks")
@pytest.mark.parametrize(("network", "images"), [("UNet", 10), ("Attending", 24), ("Bottlenecks", 12), ("Dense", 12)])
def test_what_is_taken_is_what_was_said(network: str, images: int, tmp_path: Path) -> None:
    (tmp_path / "nets.py").write_text(NETWORKS)
    draws, pixels = np.random.default_rng(0), network == "UNet"
    y = draws.integers(0, 4, (images, 64, 64) if pixels else images)
    np.savez(tmp_path / "data.npz", x_train=draws.normal(size=(images, 3, 64, 64)).astype("f4"), y_train=y)
    made = f"import nets, torch; torch.manual_seed(0); torch.save(nets.{network}().state_dict(), 'n.pt')"
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}", "OMP_NUM_THREADS": "1"}
    of = ("n.pt", "--model", f"nets.py:{network}", "--data", "npz:data.npz", "--memory", "4")
    lines = [[command, *of, *flags] for command, flags in COMMANDS.items()]
    for words in (["-c", made], ["-c", CHILD, json.dumps(lines)]):
        done = subprocess.run(
            [sys.executable, *words], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    found = dict(zip(COMMANDS, map(json.loads, done.stdout.splitlines()), strict=True))
    print({command: [round(each / GIB, 3) for each in both] for command, both in found.items()})
    for command, (promised, taken) in found.items():
        assert taken <= max(promised, TOLD), command
        assert promised - OVERHEAD <= ABSURD * max(taken, OVERHEAD / ABSURD), command
    assert max(promised for promised, _ in found.values()) > TOLD  # so that something was said
