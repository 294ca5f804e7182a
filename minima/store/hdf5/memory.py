"""HDF5 files in memory. No Python runs inside the library, so that no signal is raised, and lost, in there."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import h5py

NAME = "file in memory"
STEP = 2**16
"""bytes by which it grows"""


def in_memory(image: bytes | None = None) -> h5py.File:
    """A new file that never reaches the disk, or the one with these bytes, to be written."""
    import h5py

    if image is None:
        return h5py.File(NAME, "w", driver="core", backing_store=False, block_size=STEP)
    access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    access.set_fapl_core(STEP, False)
    access.set_file_image(image)
    return h5py.File(h5py.h5f.open(NAME.encode(), h5py.h5f.ACC_RDWR, access))
