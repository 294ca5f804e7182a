"""A page of some results: its networks, its sections, and the document that shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from figures.page.content.missing import missing_command
from figures.page.content.networks import Networks, networks_of
from figures.page.content.results import Result, read_results
from figures.page.content.section import Section
from figures.page.document import Shown, document
from figures.page.inputs import Given, given
from minima.store.hdf5.opening import taken_as_written
from minima.store.messages import BadInput
from minima.store.registry import members

SECTIONS = "figures.page.sections"


@dataclass(frozen=True)
class Page:
    """A page as one HTML text, and what is on it."""

    html: str
    data_bytes: int
    networks: tuple[str, ...]
    sections: dict[str, int]
    """results shown in each section that is there"""
    missing: dict[str, str]
    """the command that would make each section that is not"""
    notes: tuple[str, ...]


def sections() -> list[Section]:
    """Every kind of section, in the order of the page."""
    found = [kind() for kind in members(SECTIONS, Section).values()]  # type: ignore[type-abstract]
    return sorted(found, key=lambda section: section.place)


def compute(inputs: Sequence[Path], title: str = "") -> Page:
    """The page of some results files, folders of them, or checkpoints.

    Args:
        inputs: results files, folders, or checkpoints, beside which the results STEM.MEASURE.h5 are looked for.
        title: what the page is called; by default the networks' names.

    Raises:
        BadInput: an input cannot be read, or there are no results at all.
    """
    there = given(inputs)
    with taken_as_written(*there.results):
        return _page(there, title)


def _page(there: Given, title: str) -> Page:
    every = sections()
    wanted = {section.measure: section.arrays for section in every}
    read = [each for path in there.results for each in read_results(path, wanted)]
    results = [each for each in read if there.shows(each.path, each.sha256)]
    if not results:
        raise BadInput(_nothing(there))
    networks = networks_of(results)
    shown, missing = [], {}
    for section in every:
        here = [each for each in results if each.measure == section.measure]
        if here:
            shown.append(Shown(section, here, section.view(_in_order(here, networks), networks)))
        else:
            missing[section.name] = missing_command(section.command, there.checkpoints, results)
    titled = {section.title: missing[section.name] for section in every if section.name in missing}
    html, size = document(title or _title(networks), networks, shown, titled)
    known = {section.measure for section in every}
    unknown = tuple(f"{each.path}: no section shows {each.measure}" for each in results if each.measure not in known)
    counts = {each.section.name: len(each.results) for each in shown}
    labels = tuple(network.label for network in networks.every)
    return Page(html, size, labels, counts, missing, there.notes + tuple(dict.fromkeys(unknown)))


def _in_order(results: Sequence[Result], networks: Networks) -> list[Result]:
    """By their networks' places; of several at once as they came."""
    return sorted(results, key=lambda each: 0 if each.together else networks.place(each))


def _title(networks: Networks) -> str:
    labels = [network.label for network in networks.every]
    if not labels:
        return "Results"
    return ", ".join(labels[:3]) + (f" and {len(labels) - 3} more networks" if len(labels) > 3 else "")


def _nothing(there: Given) -> str:
    if not there.checkpoints:
        return "there are no results in what was named: type results files (.h5) or checkpoints"
    first = there.checkpoints[0]
    return (
        f"no results stand beside {first}: none is called {first.stem}.MEASURE.h5 and is of this very file.\n"
        f"Make one first: python -m landscape.sharpness {first}"
    )
