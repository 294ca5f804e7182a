"""Whether the tensors in one place of a file are those of a network, name by name and shape by shape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from minima.zoo.subject.meaning import dense
from minima.zoo.subject.names import COUNTERS, canonical, last
from minima.zoo.subject.slots import Slots

if TYPE_CHECKING:
    from torch import Tensor

Sources = dict[str, tuple[str, ...]]
"""names of tensors -> the file's name of it, or of an original and its mask"""


@dataclass(frozen=True, eq=False)
class Comparison:
    """How the tensors in one place of a file go into a network."""

    entry: str
    """the place, dotted"""
    prefix: str
    """what was put before their names"""
    rewritten: bool
    """whether names were compared without wrappers, and reparametrisations by what they are"""
    sources: Sources
    """the network's names -> where its tensor lies"""
    masks: dict[str, str]
    """names of parameters -> where a mask of it lies beside it"""
    volatile: dict[str, str]
    """buffers that the network makes itself -> where the file has them as well"""
    missing: list[str] = field(default_factory=list)
    """the network's names that the file lacks"""
    extra: list[str] = field(default_factory=list)
    """the file's names that the network lacks"""
    shapes: list[tuple[str, str]] = field(default_factory=list)
    """the network's and the file's name where shapes differ"""

    @property
    def fits(self) -> bool:
        """Whether every tensor has its place and every place its tensor."""
        return not (self.missing or self.extra or self.shapes)

    @property
    def matches(self) -> int:
        """Tensors whose name and shape are right."""
        return len(self.sources) - len(self.shapes)


def comparisons(tensors: Mapping[str, Tensor], entry: str, slots: Slots) -> Iterator[Comparison]:
    """The ways to read what lies at `entry`: as it is first, then without wrappers, then with a prefix put on.

    What torch's pruning left is read as the pair it is (an original and a mask) only where the network has no such
    tensors of its own.
    """
    start = f"{entry}." if entry else ""
    given: Sources = {name.removeprefix(start): (name,) for name in tensors if name.startswith(start)}
    paired = _paired(given)
    for sources in [given] if paired == given else [given, paired]:
        for prefix in slots.prefixes():
            wanted = slots.below(prefix)
            for rewritten in (False, True):
                compared = _compared(tensors, sources, wanted, slots, _Way(entry, prefix, rewritten))
                if compared is not None:
                    yield compared


@dataclass(frozen=True)
class _Way:
    entry: str
    prefix: str
    rewritten: bool


def _paired(given: Sources) -> Sources:
    """The sources with `NAME_orig` and `NAME_mask` as one under NAME."""
    pairs = {name.removesuffix("_orig") for name in given if name.endswith("_orig")}
    pairs = {name for name in pairs if f"{name}_mask" in given}
    halves = {f"{name}{half}" for name in pairs for half in ("_orig", "_mask")}
    kept = {name: source for name, source in given.items() if name not in halves}
    return kept | {name: (given[f"{name}_orig"][0], given[f"{name}_mask"][0]) for name in sorted(pairs)}


def _compared(
    tensors: Mapping[str, Tensor], given: Sources, wanted: dict[str, str], slots: Slots, way: _Way
) -> Comparison | None:
    """One comparison; None where two names would become one."""
    theirs, ours = dict(zip(given, given, strict=True)), dict(zip(wanted, wanted, strict=True))
    if way.rewritten:
        theirs, ours = canonical(given), canonical(wanted)
        if len(set(theirs.values())) < len(theirs) or len(set(ours.values())) < len(ours):
            return None
        if theirs == dict(zip(given, given, strict=True)) and ours == dict(zip(wanted, wanted, strict=True)):
            return None
    own = {common: wanted[name] for name, common in ours.items()}
    sources: Sources = {}
    found = Comparison(way.entry, way.prefix, way.rewritten, sources, {}, {})
    for name, source in given.items():
        common = theirs[name]
        if common in own:
            sources[own[common]] = source
        elif target := _masked(common, own, slots, tensors[source[0]]):
            found.masks[target] = source[0]
        elif way.prefix + name in slots.volatile:
            found.volatile[way.prefix + name] = source[0]
        elif last(name) not in COUNTERS:
            found.extra.append(source[0])
    found.missing.extend(_missing(slots, sources))
    found.shapes.extend(
        (name, source[0]) for name, source in sources.items() if not _same_shape(tensors, source, slots.tensors[name])
    )
    return found


def _missing(slots: Slots, sources: Sources) -> list[str]:
    """Tensors that the file must hold and lacks: no counters, and one of those that are tied."""
    there = {twin for tie in slots.ties if any(name in sources for name in tie) for twin in tie} | sources.keys()
    return [name for name in slots.tensors if name not in there and last(name) not in COUNTERS]


def _same_shape(tensors: Mapping[str, Tensor], source: tuple[str, ...], own: Tensor) -> bool:
    from torch.nn.parameter import is_lazy

    first = tensors[source[0]]
    return (is_lazy(own) or first.shape == own.shape) and all(tensors[name].shape == first.shape for name in source)


def _masked(name: str, own: Mapping[str, str], slots: Slots, tensor: Tensor) -> str | None:
    """The parameter whose mask a tensor is, by its name and values: `fc.weight_mask`, or `fc.mask` for fc.weight."""
    stem, tail = name.rpartition(".")[0], last(name)
    candidates = [name.removesuffix("_mask")] if tail.endswith("_mask") else []
    candidates += [f"{stem}.weight" if stem else "weight"] if tail in ("mask", "weight_mask") else []
    for candidate in candidates:
        target = own.get(candidate)
        if target in slots.parameters and is_mask(tensor, slots.tensors[target]):
            return target
    return None


def is_mask(tensor: Tensor, parameter: Tensor) -> bool:
    """Whether a tensor has the parameter's shape and holds zeros and ones only."""
    if tensor.shape != parameter.shape or tensor.is_quantized or tensor.is_meta:
        return False
    whole = dense(tensor)
    return bool(((whole == 0) | (whole == 1)).all())
