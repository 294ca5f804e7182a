"""Packages of the npm registry, known by their hash: data and tools that their own sites may not give."""

from __future__ import annotations

import hashlib
import urllib.request
from base64 import b64encode

from minima.store.command import BadInput


def fetch_pinned(address: str, sha512: str) -> bytes:
    """The package, whole.

    Args:
        sha512: what the registry states of it, in base 64.

    Raises:
        BadInput: it cannot be reached, or is another one.
    """
    try:
        with urllib.request.urlopen(address, timeout=60) as answer:
            content: bytes = answer.read()
    except OSError as error:
        raise BadInput(f"{address} was not fetched ({error}). Type the same line where there is a network") from error
    found = b64encode(hashlib.sha512(content).digest()).decode()
    if found != sha512:
        raise BadInput(f"{address} has the SHA-512 {found}, expected {sha512}. Nothing was written: fetch it again")
    return content
