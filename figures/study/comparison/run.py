"""`python -m figures.study.comparison.run --config FILE.toml`: pruning methods x sparsities x seeds, side by side.

Every network is pruned, its mask checked, its sharpness and PSP-entropy measured, by Snakemake, two or more at a time.
Stopped in any way, it goes on when the same line is typed again; a network that fails does not stop the others.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minima.store.command import BadInput, Command, Report, note, render_table, run

if TYPE_CHECKING:
    from figures.study.comparison.comparison import Comparison
    from figures.study.engine.engine import Outcome

SNAKEFILE = Path(__file__).parents[1] / "engine" / "compare.smk"


@dataclass(frozen=True, kw_only=True)
class Compare(Command):
    """Flags of `python -m figures.study.comparison.run`."""

    config: str = "digits"
    """what is compared: the name of a bundled comparison, or a TOML file"""
    cores: int = os.cpu_count() or 1
    """networks at a time, of one thread each"""
    dry: bool = False
    """say what would be done"""
    overwrite: bool = False
    """make networks again that a comparison of this name made otherwise"""


def main(arguments: Compare) -> Report:
    """Make and measure what is not there yet, then write the table and draw the figure of all that is."""
    from figures.study.comparison.comparison import BUNDLED, read_comparison
    from figures.study.engine.engine import run_snakemake

    known = {path.stem: path for path in sorted(BUNDLED.glob("*.toml"))}
    path = known.get(arguments.config, Path(arguments.config))
    if not path.is_file():
        raise BadInput(
            f"--config {arguments.config}: there is no such comparison. Known: {', '.join(known)}, or a TOML file"
        )
    comparison = read_comparison(path)
    if not arguments.overwrite:
        _check_earlier(comparison)
    settings, extra = ("--config", f"comparison={path}"), ("--dry-run",) if arguments.dry else ()
    outcome = run_snakemake(SNAKEFILE, comparison.name, arguments.cores, settings, extra)
    if arguments.dry or outcome.error:
        if outcome.error:
            raise BadInput(f"{outcome.explained}\n{outcome.error}")
        return Report({"jobs": 0}, "nothing was run")
    return _conclude(comparison, outcome)


def _conclude(comparison: Comparison, outcome: Outcome) -> Report:
    """Write what there is; BadInput if something is missing."""
    from figures.study.comparison.text import as_json, as_markdown, spoken_rows
    from figures.study.comparison.values import invariances, rows, values_of
    from minima.store.files import write_atomically

    failed = [cell for cell in comparison.cells() if cell.log in outcome.failed]
    waiting = [cell for cell in comparison.cells() if cell.parent in failed and cell not in failed]
    there = [cell for cell in comparison.cells() if cell not in failed + waiting]
    found = [(cell, stage, values_of(cell, stage)) for cell, stage in product(there, comparison.stages)]
    summary = list(rows(comparison, found))
    sharpness = invariances(found[0][0]) if found else {}
    table, text = (comparison.table.with_suffix(ending) for ending in (".json", ".md"))
    write_atomically(table, as_json(comparison, found, failed + waiting, summary, sharpness))
    write_atomically(text, as_markdown(comparison, summary, sharpness))
    pictures = _draw(table, comparison.name) if found else []
    said = render_table(*spoken_rows([row for row in summary if row["seeds"]], sharpness))
    closing = f"{said}\n\nMedians over seeds; with quartiles in {text}, every network in {table}\n" + "\n".join(
        pictures
    )
    if failed:
        note(closing if found else "nothing is finished")
        names = "\n".join(f"  {cell.stem}: {cell.log}" for cell in failed)
        behind = f"\n{len(waiting)} more wait for their parent" if waiting else ""
        raise BadInput(
            f"{len(failed)} of {len(comparison.cells())} networks failed; each says why in its log:\n"
            f"{names}{behind}\nThe same line typed again tries those that are missing"
        )
    made = {"table": str(table), "text": str(text), "pictures": pictures}
    return Report(made | {"jobs": outcome.done, "rows": summary}, closing)


def _check_earlier(comparison: Comparison) -> None:
    """Refuse to replace what a comparison of this name made by other flags."""
    if not comparison.table.is_file():
        return
    stored = json.loads(comparison.table.read_text())
    finished = {cell["arm"] for cell in stored["cells"]}
    then, now = stored["comparison"], json.loads(json.dumps(asdict(comparison)))
    for table in (then, now):
        table |= {
            f"[arms.{arm['name']}]": arm | {"sparsities": None} for arm in table["arms"] if arm["name"] in finished
        }
    again = [key for key in then if key not in ("arms", "seeds", "sparsities") and key in now and then[key] != now[key]]
    if again:
        raise BadInput(
            f"{comparison.table} has networks of a comparison {comparison.name!r} with another {again[0]}:\n"
            f"  there {then[again[0]]}\n  here  {now[again[0]]}\n"
            "Give this one another name, or replace those with --overwrite"
        )


def _draw(table: Path, name: str) -> list[str]:
    """The figure, by its command: pruning knows nothing of figures. Without one the table is still there."""
    out = Path("fig") / f"{name}-comparison"
    words: Sequence[Any] = [sys.executable, "-m", "figures.comparison", table, "-o", out]
    root = str(Path(__file__).parents[3])
    done = subprocess.run(words, env=os.environ | {"PYTHONPATH": root}, capture_output=True, text=True, check=False)
    if done.returncode:
        note(f"the figure could not be drawn: {done.stderr.strip()}")
    return done.stdout.split()


if __name__ == "__main__":
    run(Compare, main, prog="python -m figures.study.comparison.run", description=__doc__ or "")
