"""`make bench`: curvature beside other tools, in one process and run (in .venv-peers, which has them).

The same trained network, the same images in the same chunks, data type, threads and memory settings;
contestants in turn. The check of their own that curvlinops makes is left out, ours is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from benchmarks.kept import keep
from benchmarks.known import check
from benchmarks.networks import BUNDLED, FOLDER, NETWORKS
from benchmarks.row import EIGENVALUES, Extent
from minima.store.command import BadInput, Command, Report, note, render_table, run

OUT = FOLDER / "peers.json"
PEERS = ("PyHessian", "curvlinops-for-pytorch", "hessian-eigenthings")
COLUMNS = ("network", "work", "tool", "method, setting", "products", "error", "s", "fb", "x ours", "MiB")
NOTE = """fb: plain forward+backward passes over the same images. error: of the worst of five eigenvalues, relative.
*: products counted by the tool's own solver on Q T Q^T of 60 steps of Lanczos, times its time of one product.
A setting beyond the usual one is the cheapest tried that reaches 1e-3, which only the reference can tell.
MiB: peak memory above network and data, in a process of its own."""


@dataclass(frozen=True, kw_only=True)
class Peers(Command):
    """Curvature beside PyHessian, curvlinops and hessian-eigenthings."""

    quick: bool = False
    """few images and a single round: that everything works; the numbers then say little"""
    networks: tuple[str, ...] = BUNDLED
    """of those in benchmarks/networks.py (default: those whose data are bundled)"""
    images: int | None = None
    """how many, a multiple of 64 (default: 1,024)"""
    rounds: int = 5
    """how often each product is timed, in turn"""
    solves: int = 3
    """how often eigenvalues are computed, in turn, where that is done for real"""
    threads: int = 1
    """of torch"""
    tools: tuple[str, ...] = ()
    """the contestants by their names in the table (default: all)"""
    probes: int = 8
    """of the trace; 0: none"""


def main(arguments: Peers) -> Report:
    """Compare on every network; write the JSON, and the table as Markdown, after each; return the table."""
    check("--networks", arguments.networks, NETWORKS)
    try:
        versions = {peer: version(peer) for peer in PEERS}
    except ModuleNotFoundError as error:
        raise BadInput(
            f"{error.name} is not installed here: type `make bench`, or run .venv-peers/bin/python"
        ) from error
    import torch

    from benchmarks.comparison import compare

    torch.set_num_threads(arguments.threads)
    settings = {key: getattr(arguments, key) for key in ("quick", "rounds", "solves", "threads")}
    summary: dict[str, Any] = settings | {"torch": torch.__version__, "versions": versions, "networks": {}}
    rows: list[list[Any]] = []
    for name in arguments.networks:
        note(f"{name}: training, a reference, products, eigenvalues, memory")
        found = summary["networks"][name] = compare(name, _extent(name, arguments), arguments.tools)
        rows += [_cells(name, row) for row in found["rows"]]
        keep(OUT, summary, COLUMNS, rows)
    return Report(summary, f"{render_table(COLUMNS, rows)}\n\n{NOTE}\nWritten to {OUT} and .md")


def _extent(name: str, arguments: Peers) -> Extent:
    if arguments.quick:
        return Extent(arguments.images or NETWORKS[name].few, rounds=1, solves=1, probes=2, seeds=1)
    images = arguments.images or NETWORKS[name].images
    return Extent(images, rounds=arguments.rounds, solves=arguments.solves, probes=arguments.probes, seeds=3)


def _cells(network: str, row: dict[str, Any]) -> list[Any]:
    how = ", ".join(part for part in (row["method"], row["setting"]) if part)
    products = None if row["work"] != EIGENVALUES else f"{row['products']:g}{'*' * row['counted']}"
    memory = row["memory"] and round(row["memory"] / 2**20)
    times = [row["seconds"], row["passes"], row["relative"]]
    return [network, row["work"], row["tool"], how, products, row["error"], *times, memory]


if __name__ == "__main__":
    run(Peers, main, prog="python -m benchmarks.peers")
