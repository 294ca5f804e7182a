"""The zip file around a checkpoint or arrays: every record whole, by its checksum, no larger than what is there."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from pathlib import Path

from minima.store.messages import BadInput, brief
from minima.store.room import check_room

ZIP = b"PK\x03\x04"
BROKEN_ZIP = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
    LookupError,
    OverflowError,
)
"""what zipfile raises, depending on where the damage is"""
PIECE = 2**22
"""bytes that are inflated at once"""
ADVICE = "Make it again, or copy it again"


def check_archive(content: bytes, path: Path) -> bool:
    """See that a zip file is whole before anything in it is looked at.

    What is stored must be there; what is compressed is inflated in pieces, at most to the size that the file says, and
    refused where that is more than --memory. torch itself looks at no checksum.

    Returns:
        whether there were checksums: False of a file of another kind, and of one that torch wrote without them.

    Raises:
        BadInput: a record is damaged, missing in part, or there twice.
    """
    if not content.startswith(ZIP):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            records = archive.infolist()
            check_sizes(records, len(content), path)
            summed = any(record.CRC for record in records)
            for record in records if summed else ():
                with archive.open(record) as file:
                    while file.read(PIECE):
                        pass
            return summed
    except BROKEN_ZIP as error:
        raise BadInput(
            f"{path} is truncated or damaged: {len(content):,} bytes are there, but no whole file ({brief(error)}).\n"
            f"{ADVICE}"
        ) from error


def check_sizes(records: list[zipfile.ZipInfo], there: int, path: Path) -> None:
    """Refuse records of one name, stored ones that are not there, and compressed ones that take more than --memory."""
    names = [record.filename for record in records]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise BadInput(f"{path} is damaged: it has two records {twice!r}. {ADVICE}")
    stored = sum(record.file_size for record in records if record.compress_type == zipfile.ZIP_STORED)
    if stored > there:
        raise BadInput(f"{path} is truncated: {stored:,} bytes announced, {there:,} found. {ADVICE}")
    check_room(sum(record.file_size for record in records) - stored, str(path))
