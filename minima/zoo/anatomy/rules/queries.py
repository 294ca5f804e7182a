"""Grouped queries: several heads of queries that share a key and a value.

They can lose whole groups, a key and a value with all queries that look at them, or equally many queries of each group:
the k-th of every one. What repeats keys for the queries makes copies, and the k-th copy belongs to the k-th queries.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from minima.zoo.anatomy.rules.follower import Follower, Numbers, Shared
from minima.zoo.anatomy.tape import is_tensor
from minima.zoo.anatomy.union_find import UNKNOWN, Classes


@dataclass(frozen=True)
class Grid:
    """Heads of queries by the key that they look at and their rank among those that look at it."""

    keys: tuple[int, ...]
    """the class of each key and value"""
    ranks: tuple[int, ...]
    """the class of the copies of each rank"""
    cells: Mapping[tuple[int, int], frozenset[int]]
    """(key, rank) -> the classes of the queries there"""

    @property
    def groups(self) -> list[frozenset[int]]:
        """The classes of each key with all queries that look at it."""
        return [frozenset([key]).union(*(self.cells[key, rank] for rank in self.ranks)) for key in self.keys]

    @property
    def queries(self) -> list[frozenset[int]]:
        """The classes of the queries of each rank, one of each group."""
        return [frozenset([rank]).union(*(self.cells[key, rank] for key in self.keys)) for rank in self.ranks]

    def holds(self) -> bool:
        """Whether each query is in one place, all places are alike, and every one of them may go."""
        parts = [self.keys, self.ranks, *self.cells.values()]
        every = [each for part in parts for each in part]
        sizes = {len(cell) for cell in self.cells.values()}
        several = len(self.ranks) > 1 and len(self.cells) == len(self.keys) * len(self.ranks)
        return several and len(sizes) == 1 and len(set(every)) == len(every) and min(every) > UNKNOWN


def carry_copies(call: Follower, found: Numbers) -> None:
    """Copies go where the entries go; entries that an operation repeats are copies from then on."""
    source = call.args[0]
    if call.copies is None or not is_tensor(source):
        return
    before = call.copies.get(source)
    if before is not None and [each.shape for each in found] == [leaf.shape for leaf in call.made]:
        call.copies.update(zip(call.made, call.on(before.clone()), strict=True))
    elif before is None and len(found) == 1 and found[0].numel() > source.numel() > 0:
        places = torch.arange(source.numel()).view(source.shape)
        ranks = _occurrence(call.on(places)[0])
        if ranks is not None:
            call.copies[call.made[0]] = call.classes.new(int(ranks.max()) + 1)[ranks]


def keep_copies(call: Follower) -> None:
    """An operation entry by entry leaves copies where they are."""
    own = None if call.copies is None or not is_tensor(call.args[0]) else call.copies.get(call.args[0])
    if own is not None and call.copies is not None and own.shape == call.made[0].shape:
        call.copies[call.made[0]] = own


def copies_of_heads(call: Follower, tensor: Tensor) -> Tensor | None:
    """(..., 1, 1) of which copy each matrix of an activation is."""
    own = None if call.copies is None else call.copies.get(tensor)
    if own is None:
        return None
    highest = own.amax((-2, -1), keepdim=True)
    return highest if bool((own == highest).all()) else None


def look_at(call: Follower, queries: Tensor, keys: Tensor, copies: Tensor | None) -> None:
    """Heads of queries look at keys or values, all (..., heads, 1, 1): they are one, or remembered as sharing them.

    Args:
        keys: may have one head where there are several of queries.
        copies: of which copy each of the keys is; None where they are no copies, or it is not known.
    """
    single = queries.ndim > 2 and keys.shape[-3] == 1 < queries.shape[-3]
    if call.copies is not None and copies is None and single:
        copies = call.classes.new(queries.shape[-3]).view(-1, 1, 1)
    keys = keys.expand(queries.shape)
    if copies is None:
        call.classes.join(queries, keys, call.where)
    else:
        copies = copies.expand(queries.shape)
        call.demands.shared.append(Shared(queries.flatten(), keys.flatten(), copies.flatten()))


def grids(classes: Classes, shared: Sequence[Shared]) -> list[Grid]:
    """The grids of all grouped queries; where queries do not lie in one, all that share a key are made one with it."""
    while True:
        found = _assembled(classes, shared)
        lost = {key for each in found if not each.holds() for key in each.keys}
        if not lost:
            return found
        left = []
        for each in shared:
            there = torch.tensor([key in lost for key in classes.of(each.keys).tolist()])
            classes.join(each.queries[there], each.keys[there], "grouped queries")
            left.append(Shared(each.queries[~there], each.keys[~there], each.copies[~there]))
        shared = [each for each in left if len(each.keys)]


def _assembled(classes: Classes, shared: Sequence[Shared]) -> list[Grid]:
    """Queries look at one key and one value, which are one, with one rank."""
    while True:
        places: dict[int, tuple[int, int]] = {}
        apart: list[tuple[int, int]] = []
        for each in shared:
            rows = (classes.of(part).tolist() for part in (each.queries, each.keys, each.copies))
            for query, key, copy in zip(*rows, strict=True):
                known = places.setdefault(query, (key, copy))
                apart += [pair for pair in zip(known, (key, copy), strict=True) if pair[0] != pair[1]]
        if not apart:
            break
        before = classes.of(torch.arange(classes.count))
        first, second = torch.tensor(apart).unbind(1)
        classes.join(first, second, "grouped queries")
        if torch.equal(before, classes.of(torch.arange(classes.count))):
            break
    cells: dict[tuple[int, int], set[int]] = defaultdict(set)
    ranks: dict[int, dict[int, None]] = defaultdict(dict)
    for query, (key, rank) in places.items():
        cells[key, rank].add(query)
        ranks[key][rank] = None
    tables: dict[frozenset[int], list[int]] = defaultdict(list)
    for key, own in ranks.items():
        tables[frozenset(own)].append(key)
    return [
        Grid(
            tuple(keys),
            tuple(ranks[keys[0]]),
            {(key, rank): frozenset(cells[key, rank]) for key in keys for rank in ranks[key]},
        )
        for keys in tables.values()
    ]


def _occurrence(places: Tensor) -> Tensor | None:
    """For each entry how often what stands there came before; None where not all come equally often."""
    flat = places.flatten()
    order = flat.argsort(stable=True)
    counts = flat.bincount()
    counts = counts[counts > 0]
    if len(counts.unique()) != 1:
        return None
    ranks = torch.empty_like(flat)
    ranks[order] = torch.arange(len(flat)) % int(counts[0])
    return ranks.view(places.shape)
