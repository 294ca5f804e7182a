"""Tiny data sets in the layouts in which MNIST and CIFAR are published."""

import gzip
import pickle
import struct

import numpy as np

LAYOUT = {
    "cifar10": ("cifar-10-batches-py", b"labels", [*(f"data_batch_{index}" for index in range(1, 6)), "test_batch"]),
    "cifar100": ("cifar-100-python", b"fine_labels", ["train", "test"]),
}


def write_mnist(root, folder="MNIST", packed=False):
    """A tiny dataset in torchvision's layout; returns its arrays."""
    rng = np.random.default_rng(0)
    raw = root / folder / "raw"
    raw.mkdir(parents=True)
    arrays = {}
    for prefix, count in (("train", 6), ("t10k", 4)):
        images = rng.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        labels = np.arange(count, dtype=np.uint8) % 3
        for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
            header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
            content = header + array.tobytes()
            path = raw / f"{prefix}-{kind}-ubyte{'.gz' if packed else ''}"
            path.write_bytes(gzip.compress(content) if packed else content)
            arrays[prefix, kind] = array
    return arrays


def write_cifar(root, name, protocol=2):
    """A few random images in the published layout; the arrays of each file by its name."""
    folder, labels, files = LAYOUT[name]
    (root / folder).mkdir()
    rng = np.random.default_rng(0)
    written = {}
    for index, file in enumerate(files):
        images = rng.integers(0, 256, (3 + index, 3072), dtype=np.uint8)
        batch = {b"batch_label": b"some", labels: [index, 1, 9, *range(index)], b"data": images, b"filenames": [b"a"]}
        (root / folder / file).write_bytes(pickle.dumps(batch, protocol=protocol))
        written[file] = batch
    return written
