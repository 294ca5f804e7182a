"""A loss must be a function of the weights: the same twice, whichever examples share a batch. Who breaks that is named.

Dropout that ignores eval mode, batch norm with the batch's own statistics, or noise of the network's own.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from minima.store.command import BadInput

TOLERANCE = 1e-3  # relative to 1 + |loss|; half precision rounds that much, dropout and batch statistics change more


def check_repeatable(model: nn.Module, losses: Callable[[Tensor, Tensor], Tensor], x: Tensor, y: Tensor) -> None:
    """Refuse a network whose losses are random or depend on which examples share a batch; `model` is what `losses` run.

    Two things are watched in a pass over the examples: whether a function draws from torch's random state, and whether
    batch norm uses the batch's statistics. Beside it, the examples' summed loss in one batch is compared with that in
    two halves, which shows all other ways too.

    Raises:
        BadInput: with the module, and the function where it is known.
    """
    half = len(x) // 2
    parts = [(x[:half], y[:half]), (x[half:], y[half:])] if half else [(x, y)]
    with Watch(model, x.device) as once:
        whole = losses(x, y).sum()
    with Watch(model, x.device) as twice:
        again = torch.stack([losses(*part).sum() for part in parts]).sum()
    if (whole - again).abs() > TOLERANCE * len(x) * (1 + whole.abs() / len(x)):
        raise BadInput(
            f"the mean loss of the same {len(x)} examples is {whole.item() / len(x):.6g} in one batch and "
            f"{again.item() / len(x):.6g} in two, in eval mode:\nthe network is random, or sees a batch as a whole. "
            f"{_first_to_differ(once.squares, twice.squares, len(parts))}"
        )


class Watch(TorchFunctionMode):
    """Watches the passes of a network inside the block; names what is random or normalises by the batch as it happens.

    The random state is restored. `squares`: for each module call that returned, in order, the module and the sum of
    squares of what it returned.
    """

    def __init__(self, model: nn.Module, device: torch.device) -> None:
        super().__init__()
        self._names = {id(module): name for name, module in model.named_modules()}
        self._devices = [device] if device.type == "cuda" else []
        self._running: list[nn.Module] = []
        self._undoing = ExitStack()
        self.squares: list[tuple[str, float]] = []

    def __enter__(self) -> Watch:
        """For the time of the block torch calls back around every module: the network itself is not touched."""
        self._undoing.enter_context(torch.random.fork_rng(devices=self._devices))
        for hook in (
            register_module_forward_pre_hook(lambda module, _: self._running.append(module)),
            register_module_forward_hook(self._returned, always_call=True),
        ):
            self._undoing.callback(hook.remove)
        super().__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Torch calls back no more."""
        super().__exit__(kind, error, trace)
        self._undoing.close()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """One call of a function of torch."""
        kwargs = kwargs or {}
        if func is functional.batch_norm and (kwargs.get("training") or args[5:6] == (True,)):
            raise self._refusal("normalises by the batch's own statistics", "keep running ones: track_running_stats")
        before = self._random_state()
        result = func(*args, **kwargs)
        if not torch.equal(before, self._random_state()):
            name = getattr(func, "__name__", str(func))
            raise self._refusal(f"draws random numbers in {name}", "dropout takes training=self.training")
        return result

    def _random_state(self) -> Tensor:
        return torch.cat([torch.get_rng_state(), *(torch.cuda.get_rng_state(device) for device in self._devices)])

    def _returned(self, module: nn.Module, _: Any, output: Any) -> None:
        self._running.pop()
        tensors = [leaf for leaf in tree_leaves(output) if torch.is_tensor(leaf) and leaf.is_floating_point()]
        self.squares.append((self._described(module), sum(float(tensor.double().square().sum()) for tensor in tensors)))

    def _described(self, module: nn.Module) -> str:
        return f"{self._names.get(id(module)) or 'the network'} ({type(module).__name__})"

    def _refusal(self, deed: str, advice: str) -> BadInput:
        module = self._running[-1] if self._running else None
        if module is not None and module.training:
            advice = "it is in training mode still after model.eval(): let its train() and eval() pass the mode on"
        who = "the loss" if module is None else self._described(module)
        return BadInput(f"{who} {deed}, in eval mode too, so that the loss is no function of the weights:\n{advice}")


def _first_to_differ(once: list[tuple[str, float]], parts: list[tuple[str, float]], count: int) -> str:
    """Which module's outputs are the first that differ, between one batch and `count` parts of it."""
    if len(parts) != count * len(once):
        return "It runs other modules each time"
    for index, (name, squares) in enumerate(once):
        own = [each for _, each in parts[index :: len(once)]]
        alike = [sum(own), own[0]]  # the latter of what is the same for every batch, such as embeddings of positions
        if not any(math.isclose(squares, expected, rel_tol=TOLERANCE) for expected in alike):
            return f"The first outputs that differ are those of {name}"
    return "Its modules return the same: look at what is computed outside them, or at the loss"
