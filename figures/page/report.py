"""What is said of a page that was written."""

from __future__ import annotations

from pathlib import Path

from figures.page.compute import Page
from minima.store.command import Report, note
from minima.store.table import render_table


def report(page: Page, out: Path) -> Report:
    """What the command says of a page: its sections, its size, and what would make those that are missing."""
    for words in page.notes:
        note(words)
    sections = [{"name": name, "results": count} for name, count in page.sections.items()]
    summary = {
        "written": str(out),
        "bytes": len(page.html.encode()),
        "data_bytes": page.data_bytes,
        "networks": list(page.networks),
        "sections": sections,
        "missing": page.missing,
        "notes": list(page.notes),
    }
    rows = [[name, count, ""] for name, count in page.sections.items()]
    rows += [[name, 0, command] for name, command in page.missing.items()]
    size = f"{len(page.html.encode()) / 1e6:.1f} MB, of which {page.data_bytes / 1e6:.2f} MB are data"
    table = render_table(["section", "results", "missing: type"], rows)
    return Report(summary, f"{table}\n\n{out}: {size}; opens without a network")
