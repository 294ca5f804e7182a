"""Downloads on request: torchvision fetches what it publishes, in the layout that minima/zoo/data/datasets reads."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from minima.store.command import BadInput
from minima.zoo.architecture.library import import_library
from minima.zoo.data.classes import split_classes
from minima.zoo.data.dataset import Source, sources
from minima.zoo.data.labels import split_labels


def download(data: Mapping[str, Any]) -> None:
    """Fetch what the data that `resolve_data` described lacks. Where nothing is missing, torchvision need not be there.

    Raises:
        BadInput: torchvision has no such data, cannot be imported, or did not get it.
    """
    base, _ = split_classes(split_labels(data["spec"])[0])
    known = sources()
    source = known.get(base, Source)
    if source.torchvision is None:
        possible = ", ".join(name for name, each in known.items() if each.torchvision)
        raise BadInput(f"--download: {base} is not among the data that torchvision downloads, {possible}. Leave it out")
    root = Path(data["root"])
    if source().complete(root):
        return
    fetch = getattr(import_library("torchvision", "--download").datasets, source.torchvision)
    try:
        with redirect_stdout(sys.stderr):  # it prints, and standard output may be for one JSON object
            fetch(root=str(root), train=True, download=True)  # both splits, whichever is asked for
    except Exception as error:  # of the network, the disk, a checksum
        raise BadInput(
            f"--download: torchvision did not get {base} ({type(error).__name__}: {error}).\n"
            f"Type the same line again where there is a network, or put the files under --data-root (now {root})"
        ) from error
