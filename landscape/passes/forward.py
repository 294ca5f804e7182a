"""A network's outputs where no derivative is wanted, computed in the form that was chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from copy import copy
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from landscape.passes import winograd
from landscape.passes.compiled import compiled
from landscape.passes.compiler import NoCompiler
from landscape.passes.fusing import fuse, fusible, overwrite
from landscape.passes.inputs import channels_last, shapes, tensors_of
from landscape.passes.network import Network, is_no_fault_of_the_form, reason
from landscape.passes.pass_plan import Form, PassPlan, threads
from landscape.passes.tiling import tile
from landscape.passes.traced import Lifted, Rewrite, lifted
from minima.store.command import note

MODULE = ("module", "folded module")
"""forms that need no graph"""
REWRITES: Mapping[Form, Sequence[Rewrite]] = {"fused": (fuse, overwrite), "tiled": (fuse, tile, overwrite)}
"""forms whose graph is made of oneDNN's operations, or of ours"""
RAGGED: Mapping[Form, Form] = {"compiled": "folded", "tiled": "fused"}
"""forms of a last chunk that is smaller, which is not worth a compilation or has too few tiles"""
Shapes = tuple[tuple[int, ...], ...]
SHAPES = 16
"""of inputs that are traced; inputs of further shapes go through the module"""
UNTRIED: Sequence[Form] = ("tiled", "fused")
"""forms that are the fastest of most convolutional networks on a CPU, the better first"""


class Forward:
    """Passes of a network without derivatives, as `plan` says.

    None: through the module, norms folded and convolutions in tiles as it goes.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._passes: dict[tuple[PassPlan, Shapes], Lifted | None] = {}
        self._aside: set[PassPlan] = set()
        self.plan: PassPlan | None = None
        self.compile_seconds = 0.0

    def of(self, network: Network) -> Forward:
        """Passes computed in the same way, of a network with other constants."""
        other = copy(self)
        other._network = network
        return other

    def threads(self) -> AbstractContextManager[None]:
        """A block inside which torch uses as many threads as were chosen for this pass."""
        return nullcontext() if self.plan is None else threads(self.plan.threads)

    def settle(self, plan: PassPlan) -> None:
        """Compute all further passes by this plan, and forget those made by others."""
        self.plan = plan
        self._passes = {key: pass_ for key, pass_ in self._passes.items() if key[0] == plan}

    def trace(self, weights: Mapping[str, Tensor], x: Any, chunk: int) -> None:
        """Compute further passes of a convolutional network on a CPU by a traced graph, if it can be held in one.

        No form is timed, so that the same work has the same bits each time; `chunk`: examples of x at once.
        """
        if self.plan is not None or not self.convolves or tensors_of(x)[0].device.type != "cpu":
            return
        plans = [PassPlan(form, chunk, torch.get_num_threads(), channels_last=True) for form in UNTRIED]
        self.plan = next((plan for plan in plans if self.possible(plan, weights, x[:chunk])), None)

    @property
    def convolves(self) -> bool:
        """Whether there are convolutions to be computed in other forms."""
        return self._network.plan is not None and bool(self._network.plan.norms)

    def possible(self, plan: PassPlan, weights: Mapping[str, Tensor], x: Any) -> bool:
        """Whether a pass over inputs like x can be computed in this form, and not only in place of it.

        Raises:
            NoCompiler: it would have to be compiled, which is not possible.
        """
        return plan.form in MODULE or self._prepare(plan, weights, x) is not None

    def at(self, weights: Mapping[str, Tensor], plan: PassPlan | None) -> Callable[[Any], Any]:
        """outputs of x (n, ...) at one point: what depends on the weights alone is computed once.

        What cannot be computed in the form asked for goes through the module, and so does all from the first chunk on
        whose outputs are not those of the module (see `checks`).
        """
        tensors = self._network.tensors(weights)
        ready: dict[int, Sequence[Tensor]] = {}

        def outputs(x: Any) -> Any:
            if plan is None:
                return self._network(weights, x)
            if plan.form == "folded module":
                with winograd.refused():
                    return self._network(weights, x)
            if plan.form == "module":
                return self._network.plain(weights, x)
            try:
                pass_ = self._prepare(plan, weights, x)
            except NoCompiler:
                pass_ = self._prepare(replace(plan, form="folded"), weights, x)
            if pass_ is None:
                return self._network(weights, x)
            try:
                if id(pass_) not in ready:
                    ready[id(pass_)] = pass_.once(*tensors.values())
                made = pass_.outputs(ready[id(pass_)], _laid_out(plan, x))
                self._compare(plan, weights, x, made)
                return made
            except Exception as error:  # whatever a network does that a graph does not know
                if is_no_fault_of_the_form(error):
                    raise
                self._step_aside(plan, error)
                return self._network(weights, x)

        return outputs

    def _compare(self, plan: PassPlan, weights: Mapping[str, Tensor], x: Any, made: Any) -> None:
        """On a chunk's first pass by this plan, with the module's own."""
        self._network.rewriting.checks.compare(
            x, made, (plan, shapes(x)), lambda inputs: self._network.plain(weights, inputs)
        )

    def _step_aside(self, plan: PassPlan, error: Exception) -> None:
        self._aside.add(plan)
        note(f"passes that are {plan} are given up: {reason(error)}")

    def _prepare(self, plan: PassPlan, weights: Mapping[str, Tensor], x: Any) -> Lifted | None:
        """The traced pass over inputs like x, made now if need be; None where the network has none of this form."""
        if plan in self._aside:
            return None
        if len(x) != plan.chunk:
            plan = replace(plan, form=RAGGED.get(plan.form, plan.form))
        key = plan, shapes(x)
        if key not in self._passes:
            fits = len(self._passes) < SHAPES
            self._passes[key] = None
            self._passes[key] = self._made(plan, self._network.tensors(weights), x) if fits else None
        return self._passes[key]

    def _made(self, plan: PassPlan, tensors: Mapping[str, Tensor], x: Any) -> Lifted | None:
        if plan.form in REWRITES and not fusible(x):
            return None
        x = _laid_out(plan, x)
        folds = None if plan.form == "traced" else self._network.plan
        try:
            made = lifted(self._network.model, tensors, x, folds, REWRITES.get(plan.form, ()))
            made.outputs(made.once(*tensors.values()), x)  # does it run?
        except Exception:  # whatever a network does that a graph cannot hold
            return None
        if plan.form == "compiled":
            made, seconds = compiled(made, list(tensors.values()), x)
            self.compile_seconds += seconds
        return made


def _laid_out(plan: PassPlan, x: Any) -> Any:
    return channels_last(x) if plan.channels_last else x
