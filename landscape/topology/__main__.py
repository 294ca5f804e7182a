"""Basins, saddles and curvature of a loss surface that was measured: `python -m landscape.topology SURFACE.h5`."""

from __future__ import annotations

from landscape.topology.flags import Topology
from landscape.topology.report import report
from minima.store.command import BadInput, Report, note, run
from minima.store.files import check_distinct, check_writable
from minima.store.hdf5.opening import taken_as_written
from minima.store.reading import sha256, unchanging


@unchanging()
def main(arguments: Topology) -> Report:
    """Find the shape of every surface in the file."""
    with taken_as_written(arguments.surface):
        return _found(arguments)


def _found(arguments: Topology) -> Report:
    from landscape.surface.drawn_surface import read_surfaces
    from landscape.topology.compute import fill
    from minima.store.hdf5.results import Identity, create, find

    if arguments.prominence is not None and not 0 <= arguments.prominence < float("inf"):
        raise BadInput(f"--prominence {arguments.prominence}: expected a loss in nat, at least 0, such as 0.01")
    surfaces, hashes = read_surfaces(arguments.surface)
    target = arguments.out or arguments.surface.with_name(f"{arguments.surface.stem}.topology.h5")
    check_writable(target)
    check_distinct(target, [arguments.surface])
    deciding = {"surface": sha256(arguments.surface), "prominence": arguments.prominence}
    identity = Identity("topology", hashes, deciding)
    stored = find(target, identity, arguments.overwrite)
    reused = stored is not None
    names = [surface.checkpoint for surface in surfaces]
    if stored is None:
        with create(target, identity, names, {}, arguments.overwrite) as results:
            fill(results, surfaces, arguments.prominence)
            stored = results.finish()
    else:
        note(f"{target} holds this result already: reusing it")
    return report(arguments.surface, names, hashes, stored["checkpoints"], {"out": str(target), "reused": reused})


if __name__ == "__main__":
    run(Topology, main, prog="python -m landscape.topology", description=__doc__ or "")
