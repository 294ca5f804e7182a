"""A loss of the user's own: each example's, sums with weights, or a mean over examples that proves to be one."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from minima.store.command import BadInput, note
from minima.zoo.losses.loss import Loss, Terms
from minima.zoo.losses.score import NoScore, OwnScore

if TYPE_CHECKING:
    from torch import Tensor

    from minima.zoo.losses.score import Score

Form = Literal["each", "sums and weights", "mean"]
TOLERANCE = 1e-6
"""relative, of a mean over examples beside the size-weighted mean of its parts, in float64"""
SPLITS = 4
ROUNDED = "the loss takes no outputs in float64, so they are rounded to float32 for it: values hold to about 7 digits"
RETURN = (
    "Return each example's loss, shape (n,), or a pair (sums, weights) of two such, of which the loss is "
    "sum(sums) / sum(weights)"
)


@dataclass(frozen=True)
class OwnLoss(Loss):
    """`function(outputs, targets)` -> (n,), each example's loss; a pair of sums (n,) and weights (n,); or one number.

    One number is taken as the mean over the examples if it proves to be one on parts of many sizes; a weighted mean, a
    sum, or a loss between the examples of a batch is refused, since it would depend on how they are put into chunks.
    """

    name: ClassVar[str] = "own"
    summary: ClassVar[str] = "a function of outputs and targets"

    function: Callable[[Any, Any], Any]
    called: str = "own"
    """what is said of it in results"""
    scorer: Callable[[Any, Any], Any] | None = None
    _form: dict[str, Form] = field(default_factory=dict, compare=False, repr=False)
    _told: set[str] = field(default_factory=set, compare=False, repr=False)

    def check(self, outputs: Any, targets: Any) -> None:
        """Find out what the function returns for these examples: outputs (n, ...) and their targets (n, ...).

        Raises:
            BadInput: none of the three forms.
        """
        count = len(targets)
        found = self._call(outputs, targets)
        if isinstance(found, tuple | list) and len(found) == 2:
            shapes = [tuple(each.shape) for each in found]
            if shapes != [(count,)] * 2:
                raise BadInput(f"the loss returned a pair of the shapes {shapes[0]} and {shapes[1]}. {RETURN}")
            self._form["is"] = "sums and weights"
        elif tuple(found.shape) == (count,) and (count > 1 or found.ndim == 1):
            self._form["is"] = "each"
        elif tuple(found.shape) == ():
            self._form["is"] = "mean"
            self._check_mean(outputs, targets)
        else:
            raise BadInput(
                f"the loss of {count} examples has the shape {tuple(found.shape)}: "
                f"expected one number for each, ({count},), or their mean, ().\n{RETURN}"
            )

    def terms(self, outputs: Any, targets: Any) -> Terms:
        """The sums s_i (n,) and weights w_i (n,) that the user's function gives these examples."""
        form = self._form.get("is", "each")
        found = self._call(outputs, targets)
        if form == "sums and weights":
            sums, weights = found
            return Terms(sums.double(), weights.detach().double())
        if form == "mean":
            return Terms(self._each(outputs, targets, found), None)
        if tuple(found.shape) != (len(targets),):
            raise BadInput(f"the loss of {len(targets)} examples has the shape {tuple(found.shape)}. {RETURN}")
        return Terms(found.double(), None)

    def mean(self, outputs: Any, targets: Any) -> Tensor:
        """The mean over the examples: of a function that returns a mean, what it returns."""
        if self._form.get("is") == "mean":
            return self._call(outputs, targets)
        return super().mean(outputs, targets)

    @property
    def weighs(self) -> bool:
        """Whether it returns weights, which only a pass over the examples tells."""
        return self._form.get("is") == "sums and weights"

    def score(self, targets: Any) -> Score:
        """The user's, if there is one beside the loss."""
        return NoScore() if self.scorer is None else OwnScore(self.scorer)

    def _call(self, outputs: Any, targets: Any) -> Any:
        import torch

        found = self._called(outputs, targets)
        if torch.is_tensor(found) or isinstance(found, tuple | list):
            return found
        raise BadInput(f"the loss returned a {type(found).__name__}, expected a tensor. {RETURN}")

    def _called(self, outputs: Any, targets: Any) -> Any:
        """What the function returns: for outputs rounded to float32 where it takes none in float64, as one that holds
        class weights in float32."""
        from torch.utils._pytree import tree_flatten, tree_map

        try:
            return self.function(outputs, targets)
        except RuntimeError:
            if not any(map(_is_double, tree_flatten(outputs)[0])):
                raise
            if ROUNDED not in self._told:
                self._told.add(ROUNDED)
                note(f"{self.called}: {ROUNDED}")
            return self.function(tree_map(lambda leaf: leaf.float() if _is_double(leaf) else leaf, outputs), targets)

    def _each(self, outputs: Any, targets: Any, mean: Tensor) -> Tensor:
        """(n,) of a mean over examples: that of each example by itself, which together make the mean of these."""
        import torch
        from torch.utils._pytree import tree_map

        def alone(output: Any, target: Any) -> Tensor:
            first = tree_map(lambda leaf: leaf[None] if torch.is_tensor(leaf) else leaf, (output, target))
            return self._called(*first).double()

        try:
            each = torch.func.vmap(alone)(outputs, targets)
        except (RuntimeError, ValueError, TypeError):  # what vmap does not know, such as branches on values
            rows = range(len(targets))
            each = torch.stack([self._called(outputs[row : row + 1], targets[row : row + 1]).double() for row in rows])
        whole, parts = mean.detach().double(), each.detach().mean()
        if bool((whole - parts).abs() > 1e-4 * (1 + whole.abs())):
            raise BadInput(
                f"the loss of {len(targets)} examples together is {whole.item():.6g}, the mean of theirs one by one "
                f"{parts.item():.6g}: it is no mean over examples.\n{RETURN}"
            )
        return each

    def _check_mean(self, outputs: Any, targets: Any) -> None:
        """Refuse a number that is not the size-weighted mean of those of parts, on several random unequal splits."""
        import torch
        from torch.utils._pytree import tree_map

        count, generator = len(targets), torch.Generator().manual_seed(0)
        exact = tree_map(_double, outputs)
        whole = self._call(exact, targets).double().item()
        for _ in range(SPLITS if count > 1 else 0):
            order = torch.randperm(count, generator=generator)
            cuts = torch.randint(1, count, (2,), generator=generator).unique().tolist()
            parts = [rows for rows in order.tensor_split(cuts) if len(rows)]
            values = [len(rows) * self._call(_rows(exact, rows), targets[rows]).double().item() for rows in parts]
            if not abs(sum(values) / count - whole) <= TOLERANCE * max(1.0, abs(whole)):
                sizes = ", ".join(str(len(rows)) for rows in parts)
                raise BadInput(
                    f"the loss returns one number, {whole:.6g} for {count} examples, and {sum(values) / count:.6g} as "
                    f"the mean over parts of {sizes} of them: it is no mean over examples (a weighted mean, a sum, or\n"
                    f"a loss between examples), and would depend on --batch-size.\n{RETURN}"
                )


def own_loss(found: Any, called: str, scorer: Any = None) -> OwnLoss:
    """The user's function of outputs and targets; what can be called without arguments is called, and makes one.

    Raises:
        BadInput: it is nothing that can be called so.
    """
    function = found
    if inspect.isclass(found) or (callable(found) and _required(found) == 0):
        try:
            function = found()
        except Exception as error:
            raise BadInput(f"--loss {called}: making it failed: {type(error).__name__}: {error}") from error
    if not callable(function):
        raise BadInput(
            f"--loss {called}: expected a function of outputs and targets, found a {type(function).__name__}"
        )
    return OwnLoss(function, called, scorer if callable(scorer) else None)


def _is_double(leaf: Any) -> bool:
    import torch

    return torch.is_tensor(leaf) and leaf.dtype == torch.float64


def _double(leaf: Any) -> Any:
    import torch

    return leaf.double() if torch.is_tensor(leaf) and leaf.is_floating_point() else leaf


def _rows(outputs: Any, rows: Tensor) -> Any:
    import torch
    from torch.utils._pytree import tree_map

    return tree_map(lambda leaf: leaf[rows] if torch.is_tensor(leaf) else leaf, outputs)


def _required(function: Callable[..., Any]) -> int | None:
    """How many positional arguments it asks for; None where it does not tell."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(each.kind is each.VAR_POSITIONAL for each in parameters):
        return None
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(each.kind in positional and each.default is each.empty for each in parameters)
