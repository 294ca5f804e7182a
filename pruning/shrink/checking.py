"""Whether two networks return the same: in float64 and in float32, on real and on random inputs, of several sizes."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from minima.store.command import BadInput
from minima.zoo.examples.evaluation import evaluating
from minima.zoo.examples.inputs import Inputs, called, floats_to, mapped
from minima.zoo.examples.outputs import describe, tensors_of
from pruning.shrink.sights import Sight, batch_of, other_sizes
from pruning.shrink.whole import Whole

SOME = 64
"""real examples on which outputs are compared, and as many random ones"""
AT_ONCE = 256
"""examples that are run at once where all are"""
MOST = 1025
"""examples, or entries along an axis, that are run at most to go beyond a width"""
FEW = 3
"""examples of other sizes"""
ALLOWED = {"float64": 1e-10, "float32": 1e-5}
"""largest difference of an entry, times max(1, |entry|, median |entry| of its tensor)"""


def differences(
    wide: nn.Module, small: nn.Module, exact: nn.Module, x: Inputs, changed: Mapping[str, int]
) -> dict[str, float]:
    """The largest difference of an output between the networks, in eval mode, by data type.

    In float64 another number of examples is run as well, and inputs of another size, where the wide network takes them;
    attention of torch with gradients too, since without them it takes another path, which makes no number of a row that
    sees nothing: there what is computed with gradients counts.

    Args:
        wide: the network that was made smaller, and `small`, as they run.
        exact: the smaller one as it was found, in float64.
        x: (N, ...) real inputs, of which the first are run, and random ones like them.
        changed: attributes of the network's own code that were changed with its width, and what they were: sizes
            beyond those are run.

    Raises:
        BadInput: a difference is larger than allowed, or the networks return no tensors.
    """
    real = x[:SOME]
    found = {}
    for kind, other in (("float64", exact), ("float32", small)):
        dtype = getattr(torch, kind)
        ours, theirs = (copy.deepcopy(model).to(dtype) for model in (wide, other))
        inputs = floats_to(real, dtype)
        sights = [Sight(inputs, "the examples"), Sight(random_like(inputs), "random inputs")]
        if kind == "float64":
            beyond = min(max(changed.values(), default=0) + 1, MOST)
            many = max(2 * SOME + 1, beyond)
            sights.append(Sight(batch_of(inputs, many), f"{many} examples at once"))
            sights += other_sizes(copy.deepcopy(ours), batch_of(inputs, FEW), beyond)
        comparing = _Comparing(ours, theirs, kind, list(changed))
        found[kind] = max(comparing.difference(sight, must=sight is sights[0]) for sight in sights)
    return found


def apart(wide: nn.Module, other: nn.Module, x: Inputs, held_out: Inputs | None) -> dict[str, float]:
    """The largest difference of an output between two networks, in float64 and eval mode, over all of the examples x,
    and over `held_out` ones.

    Raises:
        BadInput: on x it is more than rounding.
    """
    found: dict[str, float] = {}
    ours, theirs = (copy.deepcopy(model).double() for model in (wide, other))
    for name, given in (("examples", x), ("held_out", held_out)):
        if given is None or not len(given):
            continue
        chunks = floats_to(given, torch.float64).split(AT_ONCE)
        each = [_largest(outputs(ours, chunk, True), outputs(theirs, chunk, True)) for chunk in chunks]
        found[name] = max(difference for difference, _ in each)
        if name == "examples" and not all(excess <= 1 for _, excess in each):
            raise BadInput(
                f"outputs on the examples themselves would differ by {found[name]:.3g}: nothing is written. What is "
                "static there cannot be taken out of this network"
            )
    return found


def is_same(one: nn.Module, other: nn.Module, x: Inputs) -> bool:
    """Whether the outputs of two networks over the examples x are the same but for rounding, in float64."""
    chunks = x.split(AT_ONCE)
    return all(_largest(outputs(one, chunk, True), outputs(other, chunk, True))[1] <= 1 for chunk in chunks)


def _largest(one: list[Tensor], other: list[Tensor]) -> tuple[float, float]:
    """The largest difference of an entry, and the largest as a multiple of what rounding is allowed."""
    pairs = list(zip(one, other, strict=True))
    plain = [float((first - second).abs().nan_to_num(nan=0.0).max()) for first, second in pairs if first.numel()]
    return max(plain, default=0.0), max(_apart(first, second, "float64")[1] for first, second in pairs)


def random_like(x: Inputs) -> Inputs:
    """Inputs of the same shape and kind: normal with each tensor's mean and deviation, or its integers shuffled."""
    draws = torch.Generator().manual_seed(0)

    def drawn(tensor: Tensor) -> Tensor:
        if not tensor.is_floating_point():
            order = torch.randperm(tensor.numel(), generator=draws).to(tensor.device)
            return tensor.flatten()[order].view(tensor.shape)
        normal = torch.randn(tensor.shape, generator=draws, dtype=torch.float64).to(tensor)
        return normal * tensor.std(correction=0) + tensor.mean()

    return mapped(x, drawn)


def outputs(model: nn.Module, x: Inputs, whole: bool = False, gradients: bool = False) -> list[Tensor]:
    """The tensors that a network returns, wherever in it they are.

    Args:
        whole: nothing is rounded to less than float64 on the way, whatever the network's code says.
        gradients: the network runs as where gradients are wanted.

    Raises:
        BadInput: it does not run, or there are none.
    """
    with evaluating(model), torch.set_grad_enabled(gradients):
        if whole:
            with Whole():
                returned = called(model, x)
        else:
            returned = called(model, x)
    found = tensors_of(returned)
    if not found:
        raise BadInput(
            f"the network returns {describe(returned)}, in which there is no tensor: whether a smaller one returns the "
            "same cannot be checked. Return the tensors, or an object that has them as attributes"
        )
    return [tensor.detach().clone() for tensor in found]


class _Comparing:
    def __init__(self, ours: nn.Module, theirs: nn.Module, kind: str, changed: Sequence[str]) -> None:
        self.ours, self.theirs, self.kind, self.changed = ours, theirs, kind, changed
        self.fused = any(isinstance(module, nn.MultiheadAttention) for module in ours.modules())
        for parameter in (*ours.parameters(), *theirs.parameters()) if self.fused else ():
            parameter.requires_grad_(parameter.is_floating_point() or parameter.is_complex())

    def difference(self, sight: Sight, must: bool) -> float:
        """The largest of the outputs' entries; 0 where the wide network does not run, unless it `must`."""
        largest = 0.0
        try:
            wide = self._outputs(self.ours, sight)
        except BadInput:
            if must:
                raise
            return largest
        try:
            small = self._outputs(self.theirs, sight)
        except BadInput as error:
            raise self._other(sight, str(error)) from error
        shapes, narrow = ([tuple(each.shape) for each in own] for own in (wide, small))
        if shapes != narrow:
            raise self._other(sight, f"outputs of shape {_listed(narrow)}, not {_listed(shapes)}")
        wide, small = self._with_gradients(sight, wide, small)
        for one, other in zip(wide, small, strict=True):
            apart, excess = _apart(one, other, self.kind)
            if not excess <= 1:
                raise self._other(
                    sight, f"outputs differ by {apart:.3g} in {self.kind}, of {apart / excess:.3g} allowed"
                )
            largest = max(largest, apart)
        return largest

    def _with_gradients(
        self, sight: Sight, wide: list[Tensor], small: list[Tensor]
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Outputs, and those that are computed with gradients, which stand for what is no number without."""
        if not self.fused:
            return wide, small
        try:
            graded = self._outputs(self.ours, sight, gradients=True)
        except BadInput:
            return wide, small
        pairs = list(zip(wide, graded, strict=True))
        wide = [torch.where(one.isnan(), other, one) if one.shape == other.shape else one for one, other in pairs]
        return wide + graded, small + self._outputs(self.theirs, sight, gradients=True)

    def _outputs(self, model: nn.Module, sight: Sight, gradients: bool = False) -> list[Tensor]:
        return outputs(model, sight.x, self.kind == "float64", gradients)

    def _other(self, sight: Sight, found: str) -> BadInput:
        why = ""
        if self._draws(sight):
            why = " The network itself returns something else each time that it runs on the same inputs."
        elif self.changed:
            why = f" Changed with the width, and perhaps of another meaning too: {', '.join(self.changed)}."
        return BadInput(
            f"the smaller network returns something else: {found}, for {sight.said}: nothing is written.{why}"
        )

    def _draws(self, sight: Sight) -> bool:
        first, second = (self._outputs(self.ours, sight) for _ in range(2))
        return any(
            one.shape != other.shape or not torch.equal(one.nan_to_num(), other.nan_to_num())
            for one, other in zip(first, second, strict=True)
        )


def _apart(one: Tensor, other: Tensor, kind: str) -> tuple[float, float]:
    """Of the entry that is furthest beyond what is allowed: the difference, and that over what is allowed."""
    if not (one.is_floating_point() or one.is_complex()):
        differ = kind == "float64" and not torch.equal(one, other)
        return (1.0, torch.inf) if differ else (0.0, 0.0)
    wide = torch.complex128 if one.is_complex() else torch.float64
    one, other = one.to(wide).flatten(), other.to(wide).flatten()
    alike = (one == other) | (one.isnan() & other.isnan())
    apart = (one - other).abs()[~alike]
    if not len(apart):
        return 0.0, 0.0
    usual = one.abs().nan_to_num(posinf=0.0).median()
    excess = apart / (ALLOWED[kind] * one.abs()[~alike].clamp(min=max(1.0, float(usual))))
    excess = torch.where(apart.isfinite(), excess, torch.inf)
    worst = int(excess.argmax())
    return float(apart[worst] if excess.max() > 1 else apart.max()), float(excess[worst])


def _listed(shapes: list[tuple[int, ...]]) -> str:
    return ", ".join(map(str, shapes))
