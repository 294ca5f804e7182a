"""Units that are always on and linear combinations of others that are: others take their place (Serra et al. 2020).

Where z = w u + b of a unit is handed on as it is, and w_d = sum_k K_k w_k over other such units of its layer, then
z_d = sum_k K_k z_k + c with c = b_d - sum_k K_k b_k. What reads the unit can read the others in its place,
W[:, k] += K_k W[:, d], and c goes into the reader's bias. Where zeros are put beside what is read, or there is no bias,
c has to be 0.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from scipy.linalg import qr, solve_triangular
from torch import Tensor, nn

from minima.zoo.anatomy.following import Step
from minima.zoo.anatomy.operations import ACTIVATIONS, CLAMPS, SHAPE_ONLY
from minima.zoo.anatomy.removable import Removable, removable
from minima.zoo.anatomy.unit_groups import UnitGroup
from minima.zoo.examples.inputs import Inputs
from pruning.shrink.columns import Columns, bias_of, columns_of
from pruning.shrink.static.examples import Static
from pruning.shrink.whole import Whole

WEIGHTED = frozenset(("linear", "conv1d", "conv2d", "conv3d"))
POOLS = frozenset(f"{kind}avg_pool{axes}d" for kind in ("", "adaptive_") for axes in (1, 2, 3))
LINEAR = SHAPE_ONLY | WEIGHTED | POOLS | {"batch_norm", "mean", "cat", "concat", "concatenate"}
"""operations that do the same to each unit, and that linearly"""
RANK = 1e-12
"""of a row's length: what may be left of it beside a combination of others"""
LARGEST = 1e3
"""entry of a combination: beyond it rounding would be felt"""


@dataclass(frozen=True)
class Rows:
    """What makes the units of a group: z = w u + b."""

    weights: Tensor
    """(units, d) without those that meet nothing but zeros"""
    biases: Tensor
    """(units,)"""
    empty: Tensor
    """(units,) whether all weights are zero"""


@dataclass(frozen=True)
class Met:
    """A step of the pass."""

    step: Step
    classes: list[Tensor]
    """of the entries that it made"""
    units: frozenset[int]
    """all of these"""


def take_in(
    model: nn.Module, x: Inputs, static: Static, same: Callable[[nn.Module, nn.Module], bool]
) -> dict[str, int]:
    """Let other units take the place of those that depend on them, in place, so that nothing reads these any more.

    Args:
        model: in float64.
        x: (1, ...) what its units are followed with.
        static: what is on, and what is zero.
        same: whether two networks return the same; what would change that is taken back.

    Returns:
        how many units of each layer are read no more.
    """
    with Whole():
        found = removable(model, x)
    tied = {name for names in found.following.names.values() if len(names) > 1 for name in names}
    taken: dict[str, int] = {}
    met = _met(found)
    for group in found.groups:
        rows, on = _rows(model, found, group, static, tied), _on(found, group, met, static)
        columns = columns_of(group, dict(static.zeros), tied)
        if rows is None or on is None or any(each.reading is None or each.reading.groups > 1 for each in columns):
            continue
        used = torch.stack([each.used(model.get_parameter(each.name).detach()) for each in columns]).any(0)
        units = (on & used & ~rows.empty).nonzero()[:, 0]
        if len(units) < 2:
            continue
        before = copy.deepcopy(model)
        gone = _replace(model, rows, units, columns, _takes_constants(model, found, group, met, columns))
        if gone and same(before, model):
            taken[group.name] = gone
        elif gone:
            model.load_state_dict(before.state_dict())
    return taken


def _rows(model: nn.Module, found: Removable, group: UnitGroup, static: Static, tied: set[str]) -> Rows | None:
    """Of units that one linear layer or convolution makes, applied once, perhaps with a batch norm behind it."""
    parameters = dict(model.named_parameters())
    makers = [name for name, _ in group.made if name in parameters and parameters[name].ndim > 1]
    owners = {name.rpartition(".")[0] for name, _ in group.made}
    if len(makers) != 1 or makers[0] in tied or (makers[0], 0) not in group.made:
        return None
    layer = model.get_submodule(makers[0].rpartition(".")[0])
    norms = [model.get_submodule(name) for name in owners - {makers[0].rpartition(".")[0]}]
    uses = Counter(name for key, _ in found.following.demands.uses for name in found.following.names[key])
    plain = isinstance(layer, nn.Linear) or (isinstance(layer, nn.modules.conv._ConvNd) and layer.groups == 1)
    if not plain or uses[makers[0]] != 1 or len(norms) > 1 or any(not _is_plain(norm) for norm in norms):
        return None
    places = torch.from_numpy(group.made[makers[0], 0])[:, 0]
    weight, bias = parameters[makers[0]].detach(), bias_of(model, makers[0])
    zero = static.zeros[makers[0]][0].constant if static.zeros.get(makers[0]) else torch.zeros(weight.shape[1]) > 0
    rows, empty = weight[places][:, ~zero].flatten(1), ~weight[places].flatten(1).any(1)
    biases = torch.zeros(len(rows), dtype=rows.dtype) if bias is None else bias.detach()[places]
    for norm in norms:
        scale, shift = _affine(norm, group)
        rows, biases = rows * scale[:, None], biases * scale + shift
    return Rows(rows, biases, empty)


def _is_plain(norm: nn.Module) -> bool:
    return isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d) and norm.running_mean is not None


def _affine(norm: nn.Module, group: UnitGroup) -> tuple[Tensor, Tensor]:
    """What a batch norm does to the units of a group in eval mode: a scale and a shift for each."""
    assert isinstance(norm, nn.modules.batchnorm._BatchNorm)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = (norm.running_var + norm.eps).rsqrt() * (1 if norm.weight is None else norm.weight.detach())
    shift = (0 if norm.bias is None else norm.bias.detach()) - norm.running_mean * scale
    places = next(each[:, 0] for (name, _), each in group.made.items() if name.endswith("running_mean"))
    return scale[torch.from_numpy(places)], shift[torch.from_numpy(places)]


def _met(found: Removable) -> list[Met]:
    """The steps of the pass with what they made."""
    met = []
    for step in found.following.steps:
        classes = [found.following.classes.of(own) for own in step.numbers]
        met.append(Met(step, classes, frozenset(unit for own in classes for unit in own.unique().tolist())))
    return met


def _on(found: Removable, group: UnitGroup, met: Sequence[Met], static: Static) -> Tensor | None:
    """(units,) whether a unit is handed on as it is by all activations; None where it meets something else."""
    units = found.classes[group.name]
    every = frozenset[int]().union(*units)
    owner = torch.zeros(found.following.classes.count + 1, dtype=torch.int64)  # the last for what is nothing
    for place, unit in enumerate(units, start=1):
        owner[[*unit]] = place
    on = torch.ones(len(units), dtype=torch.bool)
    seen: Counter[str] = Counter()
    clamped = {each.step.caller for each in met if each.step.name in CLAMPS}
    for each in met:
        name, caller = each.step.name, each.step.caller
        place = seen[caller]
        seen[caller] += name in ACTIVATIONS
        if name in LINEAR or every.isdisjoint(each.units):
            continue
        known = static.on.get(caller, [])
        fits = name in ACTIVATIONS and caller not in clamped and place < len(known)
        if not fits or known[place].shape != each.classes[0].shape[1:]:
            return None
        owners, same = owner[each.classes[0][0]].flatten(), known[place].flatten().long()
        on &= torch.ones(len(units) + 1).long().scatter_reduce(0, owners, same, "amin")[1:].bool()
    return on


def _takes_constants(
    model: nn.Module, found: Removable, group: UnitGroup, met: Sequence[Met], columns: Sequence[Columns]
) -> bool:
    """Whether a constant beside what is read is the same everywhere, and there is a bias for it."""
    every = frozenset[int]().union(*found.classes[group.name])
    pools = [each for each in met if each.step.name in POOLS and not each.step.name.startswith("adaptive")]
    padded = any(each.reading is not None and each.reading.padded for each in columns)
    biases = [bias_of(model, each.name) for each in columns]
    return (
        all(every.isdisjoint(each.units) for each in pools) and not padded and all(bias is not None for bias in biases)
    )


def _replace(model: nn.Module, rows: Rows, units: Tensor, columns: Sequence[Columns], shiftable: bool) -> int:
    """Let the others of these units take the place of those that depend on them, and say of how many."""
    given = rows.weights if shiftable else torch.cat([rows.weights, rows.biases[:, None]], 1)
    gone = 0
    with torch.no_grad():
        for unit, row in _combinations(given[units]):
            others, depending, shares = units[row.nonzero()[:, 0]], units[unit], row[row != 0]
            constant = float(rows.biases[depending] - shares @ rows.biases[others]) if shiftable else 0.0
            for each in columns:
                weight = model.get_parameter(each.name)
                read = weight.movedim(each.axis, 0)
                own = read[each.places[depending]].clone()
                for other, share in zip(others.tolist(), shares.tolist(), strict=True):
                    read[each.places[other]] += share * own
                bias = bias_of(model, each.name)
                if bias is not None and constant:
                    bias += constant * own.flatten(2).sum((0, 2)) if own.ndim > 2 else constant * own.sum(0)
                each.clear(weight, depending[None])
            gone += 1
    return gone


def _combinations(rows: Tensor) -> list[tuple[int, Tensor]]:
    """Rows (n, d) that are combinations of others, which are none themselves: each with its (n,) shares of those.

    >>> (each,) = _combinations(torch.tensor([[1.0, 0], [1, 1], [3, 1]], dtype=torch.float64))
    >>> each[0], each[1].round(decimals=9).tolist()
    (0, [0.0, -0.5, 0.5])
    """
    if len(rows) < 2 or not rows.any():
        return []
    _, upper, order = qr(rows.T.numpy(), mode="economic", pivoting=True)
    diagonal = abs(upper.diagonal())
    rank = int((diagonal > RANK * diagonal[0]).sum())
    shares = solve_triangular(upper[:rank, :rank], upper[:rank, rank:])
    found = []
    for place, row in enumerate(order[rank:]):
        own = torch.zeros(len(rows), dtype=torch.float64)
        own[torch.from_numpy(order[:rank].copy()).long()] = torch.from_numpy(shares[:, place].copy())
        own[own.abs() <= RANK] = 0
        left = (own @ rows - rows[row]).norm()
        if left <= 100 * RANK * rows[row].norm() and float(own.abs().max()) <= LARGEST:
            found.append((int(row), own))
    return found
