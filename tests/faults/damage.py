"""Damage to files of the suite: none is ever taken for whole, hangs its reader or ends it.

`python -m tests.faults.damage --count 500 --seed 1` damages each kind of file so many times and prints a row of what
came of it: `refused` with a message, or `equal`, where the damage lies in bytes that no content depends on.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from minima.store.checkpoints.checkpoint import Checkpoint, load, save
from minima.store.checkpoints.trajectory import load_step, read_steps
from minima.store.checkpoints.trajectory_writer import TrajectoryWriter
from minima.store.hdf5.opening import opened
from minima.store.hdf5.results import Identity, create
from minima.store.messages import BadInput
from minima.verify import verify

LONGEST = 60.0
"""seconds for a file, on a machine that does other things: the processor works at most two of them in vain"""


def checkpoint(masked: bool) -> Checkpoint:
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(30, 40, generator=generator)
    masks = {"fc.weight": torch.rand(30, 40, generator=generator) > 0.8} if masked else {}
    return Checkpoint(
        model={"name": "mlp", "arguments": {"hidden": [30]}, "input_shape": [1, 8, 5], "classes": 10},
        data={"spec": "digits", "root": None, "mean": [0.0], "std": [1.0]},
        state={"fc.weight": weight * masks.get("fc.weight", 1), "fc.bias": torch.arange(30.0)},
        masks=masks,
        weights_at={0: {"fc.weight": weight, "fc.bias": torch.zeros(30)}},
        training={"epochs": 2},
    )


def write_dense(path: Path) -> None:
    save(checkpoint(masked=False), path)


def write_pruned(path: Path) -> None:
    save(checkpoint(masked=True), path)


def write_trajectory(path: Path) -> None:
    start = checkpoint(masked=True)
    writer = TrajectoryWriter(path, start, "step")
    for step in (0, 4, 7):
        writer.append(step, {name: value * (1 + step) for name, value in start.state.items()}, {}, {"lr": 0.1 * step})
    writer.finish()


def write_results(path: Path) -> None:
    numbers = np.random.default_rng(0)
    with create(path, Identity("surface", ["aa", "bb"], {"grid": 9}), ["a.pt", "b.pt"], {"seed": 0}) as results:
        for index in (0, 1):
            place = results.place(index)
            for axis in ("alpha", "beta"):
                place.scale(f"surface/{axis}", np.linspace(-1, 1, 9), "1", "coordinate")
            place.scale("surface/direction", ["first", "second"], "1", "direction")
            place.write("surface/loss", numbers.random((9, 9)), ("alpha", "beta"), "nat", "loss")
            place.write("surface/direction_norm", numbers.random(2), ("direction",), "1", "length")
            place.write("surface/count", 81, (), "1", "points")
            place.attributes("surface", normalise="filter", extent=1.0)
            results.mark_done(index, {"loss": 0.5, "samples": 100, "seconds": 1.0})
        results.finish()


def read_arrays(path: Path) -> list[Any]:
    """Everything in an HDF5 file."""
    with opened(path) as file:
        found: list[Any] = [(group.name, attributes(group)) for group in (file, *file.groups())]
        for each in file.arrays():
            values = np.asarray(each[()])
            content = values.tolist() if values.dtype.kind == "O" else values.tobytes()
            found.append((each.name, attributes(each), str(each.dtype), each.shape, each.dims, each.is_scale, content))
    return found


def attributes(item: Any) -> list[tuple[str, str]]:
    return [(key, repr(np.asarray(value).tolist())) for key, value in sorted(item.attrs.items())]


def read_moments(path: Path) -> list[Any]:
    return [read_tensors(load_step(path, step)) for step in read_steps(path)] + read_arrays(path)


def read_checkpoint(path: Path) -> list[Any]:
    return read_tensors(load(path))


def read_tensors(found: Checkpoint) -> list[Any]:
    groups = {"state": found.state, "masks": found.masks} | {str(key): each for key, each in found.weights_at.items()}
    tensors = [
        (group, name, each.dtype, each.shape, each.numpy().tobytes())
        for group in groups
        for name, each in groups[group].items()
    ]
    return [tensors, found.model, found.data, found.training, found.seed, found.metrics, found.parent, found.versions]


KINDS: dict[str, tuple[str, Callable[[Path], None], Callable[[Path], list[Any]]]] = {
    "results": ("x.surface.h5", write_results, read_arrays),
    "trajectory": ("x.trajectory.h5", write_trajectory, read_moments),
    "dense checkpoint": ("x.pt", write_dense, read_checkpoint),
    "pruned checkpoint": ("x.pt", write_pruned, read_checkpoint),
}
"""what it is called, how it is made, and all that is read of it"""


def damaged(content: bytes, dice: random.Random) -> tuple[str, bytes]:
    """One damage as disks and transfers do it, and what it is called."""
    changed, size = bytearray(content), len(content)
    block = dice.choice([8, 64, 512, 4096])
    first, second = (dice.randrange(size) for _ in range(2))
    kind = dice.choice(["bit", "bits", "zeros", "ones", "swap", "repeat", "cut", "lost", "byte"])
    if kind == "bit":
        changed[first] ^= 1 << dice.randrange(8)
    elif kind == "bits":
        for _ in range(dice.randrange(2, 12)):
            changed[dice.randrange(size)] ^= 1 << dice.randrange(8)
    elif kind in ("zeros", "ones", "byte"):
        length = len(changed[first : first + block])
        changed[first : first + block] = {"zeros": b"\0", "ones": b"\xff"}.get(kind, dice.randbytes(1)) * length
    elif kind == "swap":
        length = min(block, size - max(first, second))
        one, other = changed[first : first + length], changed[second : second + length]
        changed[first : first + length], changed[second : second + length] = other, one
    elif kind == "repeat":
        changed[second : second + block] = changed[first : first + block]
    elif kind == "cut":
        del changed[first:]
    else:
        del changed[first : first + block]
    return kind, bytes(changed)


def outcome(path: Path, read: Callable[[Path], list[Any]], whole: list[Any]) -> str:
    """`refused`, `equal`, or what must not be: `altered`, `slow`, `unverified`, or the class of an error."""
    began = time.monotonic()
    try:
        found = "equal" if read(path) == whole else "altered"
    except BadInput as message:
        found = "refused" if len(str(message)) < 1000 and str(path) in str(message) else f"said badly: {message}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    if time.monotonic() - began > LONGEST:
        return "slow"
    try:
        verify(path)
    except BadInput:
        return found if found == "refused" else f"{found}, but not verified"
    return found if found == "equal" else f"{found}, but verified"


def campaign(kind: str, count: int, seed: int, folder: Path) -> Iterator[tuple[int, str, str]]:
    """The number, the damage and the outcome of each."""
    name, write, read = KINDS[kind]
    path = folder / name
    write(path)
    content, whole = path.read_bytes(), read(path)
    for number in range(count):
        damage, changed = damaged(content, random.Random(f"{kind} {seed} {number}"))
        path.unlink()
        path.write_bytes(changed)
        found = "equal" if changed == content else outcome(path, read, whole)
        yield number, damage, found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    flags = parser.parse_args()
    bad = 0
    for kind in KINDS:
        with tempfile.TemporaryDirectory() as folder:
            rows = list(campaign(kind, flags.count, flags.seed, Path(folder)))
        print(f"{kind}: {dict(Counter(found for _, _, found in rows))}", flush=True)
        for number, damage, found in rows:
            if found not in ("refused", "equal"):
                bad += 1
                print(f"  {number} {damage}: {found}")
    raise SystemExit(bool(bad))


if __name__ == "__main__":
    main()
