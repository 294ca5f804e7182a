"""`python -m pruning.compare --config FILE.toml`: pruning methods x sparsities x seeds, side by side.

Every network is pruned, its mask checked, its sharpness and PSP-entropy measured, by Snakemake, two or more at a time.
Stopped in any way, it goes on when the same line is typed again; a network that fails does not stop the others.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from store.command import BadInput, Command, Report, note, render_table, run

if TYPE_CHECKING:
    from pruning.comparison import Cell, Comparison
    from store.workflow import Outcome

SNAKEFILE = Path(__file__).with_name("compare.smk")


@dataclass(frozen=True, kw_only=True)
class Compare(Command):
    """Flags of `python -m pruning.compare`."""

    config: str = "digits"
    """what is compared: the name of a bundled comparison, or a TOML file"""
    cores: int = os.cpu_count() or 1
    """networks at a time, of one thread each"""
    dry: bool = False
    """say what would be done"""


def main(arguments: Compare) -> Report:
    """Make and measure what is not there yet, then write the table and draw the figure of all that is."""
    from pruning.comparison import BUNDLED, read_comparison
    from store.workflow import run_snakemake

    known = {path.stem: path for path in sorted(BUNDLED.glob("*.toml"))}
    path = known.get(arguments.config, Path(arguments.config))
    if not path.is_file():
        raise BadInput(
            f"--config {arguments.config}: there is no such comparison. Known: {', '.join(known)}, or a TOML file"
        )
    comparison = read_comparison(path)
    settings, extra = ("--config", f"comparison={path}"), ("--dry-run",) if arguments.dry else ()
    outcome = run_snakemake(SNAKEFILE, comparison.name, arguments.cores, settings, extra)
    if arguments.dry or outcome.error:
        if outcome.error:
            raise BadInput(f"{outcome.explained}\n{outcome.error}")
        return Report({"jobs": 0}, "nothing was run")
    return _conclude(comparison, outcome)


def _conclude(comparison: Comparison, outcome: Outcome) -> Report:
    """Write what there is; BadInput if something is missing."""
    from pruning.comparison_text import as_json, as_markdown, spoken_rows
    from pruning.comparison_values import invariances, rows, values_of
    from store.files import write_atomically

    failed = [cell for cell in comparison.cells() if _failed(cell, outcome)]
    there = [cell for cell in comparison.cells() if not _failed(cell, outcome)]
    found = [(cell, stage, values_of(cell, stage)) for cell, stage in product(there, comparison.stages)]
    summary = list(rows(comparison, found))
    sharpness = invariances(found[0][0]) if found else {}
    table, text = (Path(f"out/{comparison.name}.comparison.{ending}") for ending in ("json", "md"))
    write_atomically(table, as_json(comparison, found, failed, summary, sharpness))
    write_atomically(text, as_markdown(comparison, summary, sharpness))
    pictures = _draw(table, comparison.name) if found else []
    if failed:
        names = "\n".join(f"  {cell.stem}: {cell.log}" for cell in failed)
        raise BadInput(
            f"{len(failed)} of {len(comparison.cells())} networks are missing; what failed says why in its log:\n"
            f"{names}\nThe others are in {text}. The same line typed again tries those that are missing"
        )
    said = render_table(*spoken_rows(summary, sharpness))
    closing = f"{said}\n\nMedians over seeds; with quartiles in {text}, every network in {table}\n" + "\n".join(
        pictures
    )
    made = {"table": str(table), "text": str(text), "pictures": pictures}
    return Report(made | {"jobs": outcome.done, "rows": summary}, closing)


def _failed(cell: Cell, outcome: Outcome) -> bool:
    """Whether its job failed, or its parent's, without which it was not begun."""
    return cell.log in outcome.failed or cell.parent.log in outcome.failed


def _draw(table: Path, name: str) -> list[str]:
    """The figure, by its command: pruning knows nothing of figures. Without one the table is still there."""
    out = Path("fig") / f"{name}-comparison"
    words: Sequence[Any] = [sys.executable, "-m", "figures.comparison", table, "-o", out]
    root = str(Path(__file__).parents[1])
    done = subprocess.run(words, env=os.environ | {"PYTHONPATH": root}, capture_output=True, text=True, check=False)
    if done.returncode:
        note(f"the figure could not be drawn: {done.stderr.strip()}")
    return done.stdout.split()


if __name__ == "__main__":
    run(Compare, main, prog="python -m pruning.compare", description=__doc__ or "")
