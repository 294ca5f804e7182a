"""Files that are not what their names say: what stands where weights or arrays should, told by its first bytes."""

from __future__ import annotations

import re

LFS = b"version https://git-lfs.github.com/spec/"
PAGE = re.compile(rb"(\xef\xbb\xbf)?\s*<(!doctype|html|head|\?xml|Error)", re.IGNORECASE)
LOOKED_AT = 512
"""bytes; a pointer has fewer"""


def pretender(content: bytes) -> str | None:
    """What a file is that came in place of another, and what to do about it; None where it is no such thing.

    Args:
        content: its first `LOOKED_AT` bytes, or more.

    >>> print(pretender(LFS + b"v1\\noid sha256:00\\nsize 124229343\\n"))
    is a pointer of Git LFS, not the file of 124,229,343 bytes that it stands for.
    Fetch that in its repository: git lfs pull
    >>> pretender(b"PK rest of a zip file") is None
    True
    """
    if content.startswith(LFS):
        size = re.search(rb"\nsize (\d+)", content[:LOOKED_AT])
        whole = f"file of {int(size[1]):,} bytes" if size else "file"
        return (
            f"is a pointer of Git LFS, not the {whole} that it stands for.\nFetch that in its repository: git lfs pull"
        )
    if PAGE.match(content[:LOOKED_AT]):
        return "is a web page, as servers send where there is no such file, or none without a login. Download it again"
    return None
