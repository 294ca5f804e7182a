"""`python -m figures.study ship`, `redraw`, `trace`, `convert` and `reproduce`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path

from figures.study.claims.forest import draw as forest
from figures.study.claims.forest import effects_of
from figures.study.configuration.toml_file import bundled, find_study
from figures.study.kinds import read_study
from figures.study.questions.write import write_pages
from figures.study.shipping.archive import RESULTS, convert_archive, results_of
from figures.study.shipping.flags import Convert, Redraw, Reproduce, Ship, Trace
from figures.study.shipping.index import index
from figures.study.shipping.redraw import redraw
from figures.study.shipping.reproduce import Again, reproduce
from figures.study.shipping.ship import processor, ship
from figures.study.shipping.store import has_results, progress, shipped_jobs
from figures.study.shipping.trace import chosen, places_on, told
from figures.study.verdicts.places import as_json
from minima.store.command import BadInput, Report, note, render_table
from minima.store.files import write_atomically

DIFFERING_SHOWN = 20


def ship_studies(arguments: Ship) -> Report:
    """Ship what is whole."""
    written, lines, folder = [], [], RESULTS
    for name in arguments.studies:
        plan, folder = read_study(find_study(name)).plan(), arguments.results or results_of(name)
        found = ship(plan, folder)
        written += found
        lines.append(f"{name}: {len(found)} jobs shipped now; {progress(plan, shipped_jobs(plan, folder)).said}")
    size = _size(folder.rglob("*.zip"))
    text = "\n".join([*lines, f"{folder}: {size / 1e6:.1f} MB"])
    return Report({"shipped": [str(path) for path in written], "bytes": size}, text)


def redraw_studies(arguments: Redraw) -> Report:
    """Draw what is shipped, and write the page that leads to it."""
    folder = arguments.results or (results_of(arguments.studies[0]) if arguments.studies else RESULTS)
    names = arguments.studies or [name for name, path in bundled().items() if _is_shipped(path, folder)]
    if not names:
        raise BadInput(f"{folder}: no results are shipped. Run a study, then type python -m figures.study ship NAME")
    if arguments.cores < 1:
        raise BadInput(f"--cores {arguments.cores}: expected 1 or more")
    typed = {Path(name).stem: name for name in names}
    plans = {stem: read_study(find_study(name)).plan() for stem, name in typed.items()}
    sizes = {stem: len(plan.jobs) for stem, plan in plans.items() if arguments.studies or has_results(plan, folder)}
    written = _drawn({typed[stem]: size for stem, size in sizes.items()}, folder, arguments.out, arguments.cores)
    tables = [path for path in written if path.name in ("claims.json", "findings.json")]
    claims = [path for path in tables if path.name == "claims.json"]
    written += forest(claims, arguments.out / "forest") if effects_of(claims) else []
    pages, questions = write_pages(tables, arguments.out)
    page = arguments.out / "README.md"
    write_atomically(page, index(plans, folder, arguments.out, questions).encode())
    written += pages
    return Report({"written": [str(path) for path in (*written, page)]}, "\n".join(map(str, (*written, page))))


def _drawn(studies: Mapping[str, int], folder: Path, out: Path, cores: int) -> list[Path]:
    """Draw each study, the largest first, in a process of its own: one that concludes makes its folder the current."""
    with ProcessPoolExecutor(cores, get_context("spawn")) as pool:
        largest_first = sorted(studies, key=lambda study: studies[study], reverse=True)
        tasks = {study: pool.submit(_redrawn, study, folder, out / Path(study).stem) for study in largest_first}
        return [path for study in studies for path in tasks[study].result()]


def _redrawn(study: str, folder: Path, out: Path) -> list[Path]:
    return redraw(read_study(find_study(study)), folder, out, Path(study).stem)


def trace_number(arguments: Trace) -> Report:
    """Follow a number to its sources."""
    folder, path = arguments.results or results_of(arguments.study), find_study(arguments.study)
    pages = arguments.pages / path.stem
    places = places_on(pages)
    if not places:
        raise BadInput(
            f"{pages}: no redrawn pages of {path.stem}. Type python -m figures.study redraw {arguments.study}"
        )
    found = chosen(places, arguments.asked)
    if not found:
        sections = ", ".join(dict.fromkeys(place.section for place in places))
        raise BadInput(
            f"{pages}: there is no number {arguments.asked}, nor a claim or table called so. There are {sections}"
        )
    plan = read_study(path).plan()
    shipped = shipped_jobs(plan, folder)
    lines = [line for place in found for line in told(place, plan.name, shipped, folder)]
    return Report({"places": as_json(found), "lines": lines}, "\n".join(lines))


def convert_shipped(arguments: Convert) -> Report:
    """Give every file of a folder today's form."""
    folder = arguments.results or RESULTS
    paths = sorted(folder.rglob("*.zip"))
    if not paths:
        raise BadInput(f"{folder}: no results are shipped there. Name another folder with --results")
    before, done = _size(paths), []
    for path in paths:
        if convert_archive(path):
            done.append(path)
            note(f"{path}: converted")
    after, left = _size(paths), len(paths) - len(done)
    size = f"{before / 1e6:.1f} MB before, {after / 1e6:.1f} MB now"
    text = f"{folder}: {len(done)} files converted, {left} had today's form; {size}"
    return Report({"converted": [str(path) for path in done], "bytes_before": before, "bytes": after}, text)


def reproduce_seed(arguments: Reproduce) -> Report:
    """Make a seed again from scratch and say what came out otherwise."""
    if arguments.cores < 1:
        raise BadInput(f"--cores {arguments.cores}: expected 1 or more")
    folder = arguments.results or results_of(arguments.study)
    plan = read_study(find_study(arguments.study)).plan()
    found = reproduce(plan, folder, arguments.seed, arguments.out, arguments.cores)
    records = shipped_jobs(plan, folder)
    there = sorted({records[each.job].processor for each in found})
    text = [f"{plan.name}, seed {arguments.seed}, made again in {arguments.out}", *_in_words(found)]
    text += [f"processor: here {processor()}; shipped from {', '.join(there)}"]
    made = {"seed": arguments.seed, "equal": all(each.equal for each in found), "files": [*map(asdict, found)]}
    return Report(made | {"processor": processor(), "shipped_from": there}, "\n".join(text))


def _in_words(found: Sequence[Again]) -> Iterator[str]:
    for kind, of_it in (("networks", True), ("results", False)):
        files = [each for each in found if each.is_network is of_it]
        yield f"{kind}: {sum(each.equal for each in files)} of {len(files)} equal"
    numbers, within = (sum(getattr(each, key) for each in found) for key in ("numbers", "within"))
    if numbers:
        yield f"numbers in summaries that came out otherwise: {numbers}, {within} of them within what the seeds span"
    differing = [each for each in found if not each.equal]
    rows = [[each.file, each.arrays[0] if each.arrays else "", len(each.arrays), each.numbers] for each in differing]
    if rows:
        yield render_table(["differs", "in", "arrays", "numbers of its summary"], rows[:DIFFERING_SHOWN])
        yield from [f"and {len(rows) - DIFFERING_SHOWN} more"] * (len(rows) > DIFFERING_SHOWN)


def _size(paths: Iterable[Path]) -> int:
    return sum(path.stat().st_size for path in paths)


def _is_shipped(path: Path, folder: Path) -> bool:
    """Whether anything is shipped of the study in a file."""
    return any((folder / read_study(path).plan().name).glob("*.zip"))
