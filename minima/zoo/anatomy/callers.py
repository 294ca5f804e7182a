"""Which module of a network is running: known from torch's global hooks, nothing is registered on the network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook

COMPILED = "_orig_mod."
"""where torch.compile keeps the module it was given"""


@dataclass(frozen=True)
class Caller:
    """A module of the network while it runs."""

    path: str
    leaf: bool

    def name(self, operation: str) -> str:
        """`conv1` for whatever the module conv1 does, `layer1.0.add` for a sum in a module made of modules."""
        return self.path if self.leaf and self.path else f"{self.path}.{operation}".lstrip(".")


class Callers:
    """The modules of a network that are running, outermost first."""

    def __init__(self, model: nn.Module) -> None:
        self._known = {
            id(module): Caller(path.replace(COMPILED, ""), _is_leaf(module)) for path, module in model.named_modules()
        }
        self._running = [Caller("", leaf=True)]

    @property
    def now(self) -> Caller:
        """The innermost module that is running."""
        return self._running[-1]

    @contextmanager
    def followed(self) -> Iterator[None]:
        """Keep up with who is running, inside the block, by hooks that are torch's and not the model's."""
        self._running = [Caller("", leaf=True)]

        def enter(module: nn.Module, _inputs: Any) -> None:
            # A module made during the forward pass works on behalf of the one that made it.
            self._running.append(self._known.get(id(module), self._running[-1]))

        def leave(_module: nn.Module, _inputs: Any, _output: Any) -> None:
            self._running.pop()

        entering = register_module_forward_pre_hook(enter)
        leaving = register_module_forward_hook(leave, always_call=True)
        try:
            yield
        finally:
            entering.remove()
            leaving.remove()


def _is_leaf(module: nn.Module) -> bool:
    """Whether a module does its work itself (a parametrised convolution does, though its weight is a module)."""
    return all(name == "parametrizations" for name, _ in module.named_children())
