"""Plotly's script, as it is installed with the `report` extra: embedded once, compressed, never fetched."""

from __future__ import annotations

import base64
import gzip
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from minima.store.messages import BadInput

SCRIPT = "package_data/plotly.min.js"


@cache
def script() -> str:
    """The text of plotly.min.js.

    Raises:
        BadInput: Plotly is not installed.
    """
    spec = find_spec("plotly")
    folders = list(spec.submodule_search_locations or []) if spec else []
    for folder in folders:
        path = Path(folder) / SCRIPT
        if path.is_file():
            return path.read_text(encoding="utf-8")
    raise BadInput("the page draws with Plotly, which is not installed. Type: pip install 'plotly>=5.20'")


@cache
def packed() -> str:
    """The same, gzipped, as base64: a third of its size; the same bytes each time."""
    return base64.b64encode(gzip.compress(script().encode(), 9, mtime=0)).decode()
