"""The objective of a network and data that a program holds, for the functions that are called from Python."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from landscape.objective.flags import located
from landscape.objective.region import Region
from minima.store.command import BadInput
from minima.store.messages import listening
from minima.zoo.settings import chosen
from minima.zoo.subject.handed import LossLike, subject_of

if TYPE_CHECKING:
    from torch import Tensor, nn

    from landscape.objective.objective import Objective
    from minima.zoo.subject.handed import Masks
    from minima.zoo.subject.subject import Subject


class Where(TypedDict, total=False):
    """Keywords that say which weights may move and how the loss is looked at, the same for all functions that take
    `**where`: masks, subspace, parameters, moving, output, temperature, logits, memory, batch_size.
    """

    masks: Masks
    """bool tensors by parameter name, True = kept; "zeros": exact zeros are removed weights (default: those of
    torch.nn.utils.prune, if there are any)"""
    subspace: Literal["survivors", "full"]
    """which weights may move: those that the masks keep (default), or the removed ones too"""
    parameters: Sequence[str] | None
    """only these may move: names of layers, of modules that hold several, or of parameters (default: all)"""
    moving: Mapping[str, Tensor] | None
    """only these single weights may move: bool by parameter name (`landscape.objective.subsets.drawn.drawn_subset`)"""
    output: str | None
    """which of several outputs is measured: a name, or a place counted from 0"""
    temperature: float
    """that logits are divided by (default 1)"""
    logits: Literal["raw", "normalised"]
    """normalised: each example's logits centred and of norm 1"""
    memory: float
    """GiB for graphs and vectors that are kept from product to product (default 4)"""
    batch_size: int | None
    """examples at once; results depend on it by rounding only"""


@dataclass(frozen=True)
class Position:
    """Where a network sits: its loss, the norms of its gradient and weights, how many weights may move, and notes."""

    loss: float
    """of the examples, in the loss' own unit"""
    gradient_norm: float
    weight_norm: float
    """of the weights that may move"""
    dimension: int
    """how many weights may move"""
    notes: tuple[str, ...]
    """what was assumed of the network and the data"""


@dataclass(frozen=True)
class Handed:
    """A network that a program handed over, with its objective, ready to be measured."""

    subject: Subject
    region: Region
    objective: Objective
    where: dict[str, Any]
    known: tuple[Tensor, Tensor]
    """the gradient g, and H g"""
    heard: list[str]
    """notes so far"""

    @property
    def position(self) -> dict[str, Any]:
        """The values of the fields of `Position`: where the network lies, and the notes made on the way."""
        own = {key: self.where[key] for key in ("loss", "gradient_norm", "weight_norm", "dimension")}
        return own | {"notes": tuple(self.heard)}


def region_of(where: Where) -> Region:
    """The part of the keywords that says where the loss is looked at."""
    parameters = where.get("parameters")
    region = Region(
        subspace=where.get("subspace", "survivors"),
        parameters=None if parameters is None else tuple(parameters),
        temperature=where.get("temperature", 1.0),
        logits=where.get("logits", "raw"),
        memory=where.get("memory", 4.0),
    )
    chosen(region)
    return region


def subject_at(model: nn.Module, data: Any, loss: LossLike, where: Where) -> Subject:
    """A network and its data; the keywords' other part.

    Raises:
        BadInput: a keyword that there is not, or what does not fit together.
    """
    if unknown := sorted(where.keys() - Where.__annotations__.keys()):
        raise BadInput(f"{', '.join(unknown)}: there is no such keyword. There are {', '.join(Where.__annotations__)}")
    output, size = where.get("output"), where.get("batch_size")
    return subject_of(model, data, loss, masks=where.get("masks"), output=output, batch_size=size)


@contextmanager
def handed(model: nn.Module, data: Any, loss: LossLike, where: Where) -> Iterator[Handed]:
    """A network with its objective, while which nothing is printed; keywords as in `Where`."""
    with listening() as heard:
        subject, region = subject_at(model, data, loss, where), region_of(where)
        yield Handed(subject, region, *located(subject, region, moving=where.get("moving")), heard)
