"""Operations that cannot be differentiated as often as it takes, by their names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor
from torch.autograd.function import BackwardCFunction

from minima.store.command import BadInput

UNKNOWN_DERIVATIVE = (
    r"derivative for (?:aten::)?'?(?P<name>\w+?)(?:_backward)?'? is not implemented",
    r"(?P<name>\w+) does not support double backward",
    r"[Dd]ouble backward (?:is )?not (?:yet )?(?:supported|implemented) for (?P<name>[\w:]+)",
)
"""what torch says where there is no second derivative"""
NO_TWICE = ("once_differentiable", "element 0 of tensors does not require grad", "differentiate twice")
"""what it says of autograd functions of the user's that have none"""
OURS = "landscape."


def refusal(error: Exception, value: Tensor) -> BadInput | None:
    """What to say of an error of torch that a derivative of `value` ended in, if it is one of an operation without one.

    >>> import torch
    >>> print(refusal(RuntimeError("derivative for aten::_ctc_loss_backward is not implemented"), torch.ones(1)))
    torch has no second derivative of ctc_loss, which the network or the loss uses,
    and there is no other way to it here. Compute it by operations that have one (products, sums, exponentials ...)
    """
    said = str(error)
    for pattern in UNKNOWN_DERIVATIVE:
        if found := re.search(pattern, said):
            return BadInput(
                f"torch has no second derivative of {found['name'].strip('_')}, which the network or the loss uses,\n"
                "and there is no other way to it here. "
                "Compute it by operations that have one (products, sums, exponentials ...)"
            )
    if any(each in said for each in NO_TWICE):
        who = ", ".join(own_functions(value)) or "an operation of its own"
        return BadInput(
            f"the network uses {who}, which cannot be differentiated twice: {said.splitlines()[0]}.\n"
            "Write its backward pass in operations of torch, without once_differentiable"
        )
    return None


@contextmanager
def named(value: Tensor) -> Iterator[None]:
    """Inside the block derivatives of `value` are taken: operations without one are refused by name.

    Raises:
        BadInput: there is one.
    """
    try:
        yield
    except RuntimeError as error:
        refused = refusal(error, value)
        if refused is None:
            raise
        raise refused from error


def own_functions(value: Tensor) -> list[str]:
    """Names of the autograd functions in a value's graph that are neither torch's nor this package's."""
    found: dict[str, None] = {}
    seen, waiting = set(), [value.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        waiting += [each for each, _ in node.next_functions]
        if isinstance(node, BackwardCFunction):
            made_by = getattr(node, "_forward_cls", type(node))
            if not made_by.__module__.startswith((OURS, "torch.")):
                found[f"{made_by.__name__} (torch.autograd.Function)"] = None
    return list(found)
