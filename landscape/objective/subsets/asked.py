"""The subset of single weights that flags ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from landscape.objective.subsets.drawn import drawn_subset
from landscape.objective.subsets.given import read_subset
from minima.store.command import BadInput

if TYPE_CHECKING:
    from torch import Tensor

    from landscape.objective.region import Subset
    from minima.zoo.subject.subject import Subject


def subset_of(subject: Subject, asked: Subset) -> dict[str, Tensor] | None:
    """The weights of a subject's network that may move, bool by parameter name; None where no subset is asked for.

    Raises:
        BadInput: it is asked for twice, is empty, or does not fit the network.
    """
    if asked.subset is not None and asked.subset_file is not None:
        raise BadInput("--subset and --subset-file both say which weights may move: name one")
    if asked.subset_file is not None:
        return read_subset(asked.subset_file, subject.model)
    if asked.subset is None:
        return None
    try:
        return drawn_subset(subject.model, subject.masks, asked.subset, asked.subset_seed)
    except BadInput as error:
        raise BadInput(f"--subset {asked.subset}: {error}") from error
