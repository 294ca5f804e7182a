"""HDF5 files in memory. No Python runs inside the library, so that no signal is raised, and lost, in there."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import h5py

NUMBERS = count(1)
"""of the files: HDF5 takes two in memory for one if they have one name"""
STEP = 2**16
"""bytes by which it grows"""


def in_memory(image: bytes | None = None) -> h5py.File:
    """A new file that never reaches the disk, or the one with these bytes, to be written."""
    import h5py

    name = f"file {next(NUMBERS)} in memory"
    if image is None:
        return h5py.File(name, "w", driver="core", backing_store=False, block_size=STEP)
    access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    access.set_fapl_core(STEP, False)
    access.set_file_image(image)
    return h5py.File(h5py.h5f.open(name.encode(), h5py.h5f.ACC_RDWR, access))
