"""What a benchmark leaves behind: its numbers as JSON and, if it has one for a document, its table as Markdown."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from minima.store.files import write_atomically
from minima.store.table import render_markdown


def keep(
    out: Path, summary: Mapping[str, Any], columns: Sequence[str] = (), rows: Sequence[Sequence[Any]] = ()
) -> None:
    """Write the summary to `out`, in a folder that need not be there yet, and a table with columns beside it (.md)."""
    out.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(out, json.dumps(summary, indent=1).encode())
    if columns:
        write_atomically(out.with_suffix(".md"), render_markdown(columns, rows).encode())
