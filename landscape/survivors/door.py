"""A pruned network's curvature beside its dense parent's, from Python."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from landscape.objective.comparable import check_same_function
from landscape.objective.region import Region
from landscape.survivors.compute import compare
from landscape.survivors.flags import Comparison
from minima.store.command import BadInput
from minima.store.hdf5.results import in_memory
from minima.store.messages import listening
from minima.zoo.subject.handed import LossLike, subject_of

if TYPE_CHECKING:
    from torch import nn

    from minima.zoo.subject.handed import Masks


@dataclass(frozen=True)
class OperatorCurvature:
    """The curvature of one of the Hessians that are compared, in the unit of the loss, and its ratios to the first."""

    dimension: int
    """how many weights may move"""
    loss: float
    """of the network that it is of"""
    eigenvalues: tuple[float, ...]
    """the largest, descending"""
    trace: float
    trace_stderr: float | None
    """of the random probes"""
    adaptive_lambda_max: float
    """largest eigenvalue of |w| H |w|"""
    ratios: Mapping[str, float | None]
    """of lambda_max, trace, ... to those of the pruned network's Hessian"""


@dataclass(frozen=True)
class SurvivorCurvature:
    """The curvature of a pruned network beside that of its controls: found["pruned"], found["parent-in-mask"], ..."""

    operators: Mapping[str, OperatorCurvature]
    """`pruned`: over its survivors; `parent`: over all weights; `parent-in-mask`, `random-mask-1`, ...: the parent's
    over the survivors' places only, and over random ones, as many in each layer"""
    notes: tuple[str, ...]
    """what was assumed of the networks and the data"""

    def __getitem__(self, name: str) -> OperatorCurvature:
        return self.operators[name]


def survivor_curvature(  # noqa: PLR0913 (named, and all but three optional)
    pruned: nn.Module,
    parent: nn.Module,
    data: Any,
    loss: LossLike = None,
    *,
    masks: Masks = "zeros",
    random_masks: int = 3,
    k: int = 5,
    probes: int = 32,
    tolerance: float = 1e-3,
    output: str | None = None,
    memory: float = 4.0,
    batch_size: int | None = None,
    seed: int = 0,
) -> SurvivorCurvature:
    """The curvature that pruning left, beside that of the dense parent in the same places.

    Of the Hessians of the mean loss: of the pruned network over its survivors; of the parent over all its weights, over
    the survivors' coordinates only (a principal submatrix), and over random ones, as many in each layer. A pruned
    network is flatter than its parent merely for having fewer weights: the submatrices tell how much of it that is.

    Args:
        pruned: the pruned network; it stays as it is.
        parent: the dense network of the same shape.
        data: (x, y), or whatever `minima.zoo.data.examples.as_examples` reads.
        loss: a name, a `Loss`, or a function of outputs and targets.
        masks: bool, True = kept, by parameter name; "zeros": exact zeros are removed.
        random_masks: how many.
        k: eigenvalues of each.
        probes: for each trace, the same for all.
        memory: GiB for graphs and vectors.
        seed: `python -m landscape.survivors` finds the same numbers with it.

    Raises:
        BadInput: nothing is removed, or the networks differ in shape.

    >>> import torch
    >>> model = torch.nn.Linear(2, 1, bias=False)
    >>> data = torch.tensor([[1.0, 0.0], [0.0, 3.0]]), torch.zeros(2, 1)
    >>> kept = {"weight": torch.tensor([[True, False]])}
    >>> found = survivor_curvature(model, model, data, "mse", masks=kept, random_masks=0, k=1)
    >>> [round(found[name].eigenvalues[0], 4) for name in ("pruned", "parent", "parent-in-mask")]
    [1.0, 9.0, 1.0]
    """
    comparison = Comparison(masks=random_masks, top=k, tolerance=tolerance, trace=probes)
    comparison.check()
    region = Region(memory=memory)
    region.check_memory()
    with listening() as heard:
        own: dict[str, Any] = {"output": output, "batch_size": batch_size}
        first = subject_of(pruned, data, loss, masks=masks, name="the pruned network", **own)
        dense = subject_of(parent, data, loss, name="the parent", **own)
        if not first.masks:
            raise BadInput("nothing is removed from the pruned network, so that it has no survivors: give masks")
        check_same_function("the parent is another architecture", first, dense)
        losses = [first.task.loss, dense.task.loss]
        found = compare(first, dense, in_memory(), comparison, losses, seed=seed, memory=region.graph_bytes)
        operators = {each["name"]: _operator(each) for each in found["operators"]}
        return SurvivorCurvature(operators, tuple(heard))


def _operator(entry: Mapping[str, Any]) -> OperatorCurvature:
    own = ("dimension", "loss", "trace", "trace_stderr", "adaptive_lambda_max", "ratios")
    return OperatorCurvature(eigenvalues=tuple(entry["eigenvalues"]), **{key: entry[key] for key in own})
