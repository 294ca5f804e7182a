"""A fork server for commands: what they import is imported once.

`python -m forks.server DOOR STAND_IN` makes forks for the stand-ins that ask at the door until its input ends. What a
command that came to its end had to import is imported here, for those after it. With `--foreign` only what is not of
this project: forks then find its registries as a file that was put there a moment ago leaves them.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import select
import subprocess
import sys
from pathlib import Path

from forks.jobs import Jobs

FOREIGN = (
    "torch torch._dynamo torch.func torch.nn.functional torch.fx h5py numpy tyro scipy.linalg scipy.optimize "
    "sklearn.datasets"
)
PRELOADED = (
    "minima.store.hdf5.results minima.zoo.subject.subject minima.zoo.training.fit "
    "minima.zoo.measuring.each landscape.objective.objective landscape.spectrum.lanczos pruning.running.run "
    "entropy.information.measurement"
)
OWN = ("minima", "landscape", "entropy", "pruning", "figures", "benchmarks", "tests")


def main() -> None:
    """Serve until the input ends."""
    door, compiled, *foreign = sys.argv[1:]
    preload(FOREIGN if foreign else f"{FOREIGN} {PRELOADED}")
    jobs, listed = Jobs(Path(door), compiled), Path(door).with_name("modules")
    print("ready", flush=True)
    while not select.select([sys.stdin], [], [], 0)[0]:
        jobs.serve(0.005, listed)
        import_too(listed, OWN if foreign else ())
    jobs.end()


def preload(names: str = f"{FOREIGN} {PRELOADED}") -> None:
    """What commands need, and one thread each."""
    for name in names.split():
        importlib.import_module(name)
    import torch

    torch.set_num_threads(1)
    subprocess._USE_VFORK = False  # who waits for such a child cannot be stopped by a recorder: its state is D


def import_too(listed: Path, but: tuple[str, ...] = ()) -> None:
    """The modules of such a list that are not here yet; then all that is here stays as it is, shared with forks.

    Args:
        but: packages that are left out.
    """
    if not listed.exists():
        return
    for name in set(listed.read_text().split()) - set(sys.modules):
        if not name.endswith("__main__") and name.partition(".")[0] not in but:
            with contextlib.suppress(Exception):  # some are made by others, and not to be found by their names
                importlib.import_module(name)
    listed.unlink()
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    main()
