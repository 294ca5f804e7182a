"""Whole channels taken out, beside Torch-Pruning, in one process and run (in .venv-peers, which has it).

The same networks with the same weights, the same share of each layer's units by the same criterion (sum of absolute
weights, over all of a group). Of what either makes is told how far its outputs are from those of the wide network with
the same units at zero, wherever these are made: that is what removing units means.
"""

from __future__ import annotations

import copy
import io
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from benchmarks.kept import keep
from benchmarks.known import check
from benchmarks.networks import FOLDER
from minima.store.command import BadInput, Command, Report, note, render_table, run

if TYPE_CHECKING:
    from torch import Tensor, nn

OUT = FOLDER / "structured.json"
PEER = "torch-pruning"
COLUMNS = ("network", "share", "tool", "groups", "parameters", "left", "MACs left", "time", "s", "KiB", "apart")
NOTE = """left: of the parameters, and MACs left: of the multiply-adds. time: what is left of that of a forward pass,
of both networks in turn, the median; other work disturbs it. s: to find the units, choose and remove them; ours checks
its outputs within that. KiB: of the state dict. apart: largest difference of an output from the wide network with the
same units at zero, over its largest output."""
NETWORKS = {
    "lenet5": ("lenet5", (1, 28, 28)),
    "vgg16": ("vgg16", (3, 32, 32)),
    "resnet20": ("resnet20", (3, 32, 32)),
    "mobilenet": ("mobilenet", (3, 32, 32)),
    "vit": ("vit", (3, 32, 32)),
}


@dataclass(frozen=True, kw_only=True)
class Structured(Command):
    """Channels, neurons and heads removed, beside Torch-Pruning."""

    networks: tuple[str, ...] = tuple(NETWORKS)
    """of the zoo"""
    shares: tuple[float, ...] = (0.5, 0.75)
    """of the units of each layer that go"""
    images: int = 16
    """at once, for times"""
    threads: int = 1
    """of torch"""


@dataclass(frozen=True)
class Made:
    """A network without some of its units."""

    model: nn.Module
    masked: nn.Module
    """the wide one, with these units at zero"""
    groups: int
    seconds: float


def main(arguments: Structured) -> Report:
    """Compare on every network; write the JSON and the table as Markdown after each."""
    import torch

    check("--networks", arguments.networks, NETWORKS)
    try:
        versions = {PEER: version(PEER), "torch": torch.__version__}
    except PackageNotFoundError as error:
        raise BadInput(f"{PEER} is not installed here: type `make bench`, or run .venv-peers/bin/python") from error
    torch.set_num_threads(arguments.threads)
    rows: list[dict[str, Any]] = []
    for name in arguments.networks:
        for share in arguments.shares:
            for tool, make in (("ours", ours), (PEER, theirs)):
                note(f"{name}: {share:.0%} of the units, {tool}")
                rows.append({"network": name, "share": share, "tool": tool} | row(name, share, make, arguments.images))
                keep(OUT, {"versions": versions, "rows": rows}, COLUMNS, [cells(each) for each in rows])
    return Report(
        {"versions": versions, "rows": rows, "out": str(OUT)},
        render_table(COLUMNS, [cells(each) for each in rows]) + f"\n\n{NOTE}",
    )


def row(name: str, share: float, make: Callable[[nn.Module, Tensor, float], Made], images: int) -> dict[str, Any]:
    """What one tool makes of a network; what it says where it fails."""
    import torch

    from pruning.context.latency import latency
    from pruning.shrink.merging import cost_of

    wide, x = built(name, images)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = make(copy.deepcopy(wide), x, share)
        with torch.no_grad():
            expected, found = made.masked(x), made.model(x)
        before, after = cost_of(wide, x[:1]), cost_of(made.model, x[:1])
    except Exception as error:  # whatever a tool raises is what it gets wrong
        return {"failed": f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"}
    times = latency(wide, made.model, x)
    return {
        "groups": made.groups,
        "parameters": after.parameters,
        "parameters_left": after.parameters / before.parameters,
        "multiply_adds_left": after.multiply_adds / before.multiply_adds,
        "time_left": times["after"] / times["before"],
        "seconds": made.seconds,
        "bytes": stored(made.model),
        "bytes_before": stored(wide),
        "differs_by": float((expected - found).abs().max() / expected.abs().max()),
    }


def built(name: str, images: int) -> tuple[nn.Module, Tensor]:
    """A network as it is drawn, its norms away from 0 and 1, and images of noise."""
    import torch

    from minima.zoo.architecture.architecture import parse_architecture

    spec, shape = NETWORKS[name]
    torch.manual_seed(0)
    model = parse_architecture(spec).build(shape, 10).eval()
    for key, tensor in (*model.named_parameters(), *model.named_buffers()):
        if tensor.ndim == 1 and tensor.is_floating_point():
            tensor.data.add_(0.2 * torch.rand(tensor.shape) if key.endswith("var") else 0.1 * torch.randn(tensor.shape))
    return model, torch.randn(images, *shape)


def ours(model: nn.Module, x: Tensor, share: float) -> Made:
    """`pruning filters` by layer, and `pruning.shrink`."""
    import torch

    from minima.zoo.anatomy.removable import removable
    from pruning import prune, shrink_network
    from pruning.methods.filters import Filters

    groups = len(removable(model, x[:1]).groups)
    start = time.perf_counter()
    pruned = prune(
        model,
        (x, torch.zeros(len(x), dtype=torch.long)),
        method=Filters(criterion="l1"),
        sparsity=share,
        measure="units",
    )
    small = shrink_network(pruned.model.eval(), x, pruned.masks)
    return Made(small.model, pruned.model.eval(), groups, time.perf_counter() - start)


def theirs(model: nn.Module, x: Tensor, share: float) -> Made:
    """MetaPruner of Torch-Pruning, the output layer left alone; heads of attention are told to it."""
    import torch_pruning as tp

    masked = copy.deepcopy(model)
    start = time.perf_counter()
    last = [module for module in model.modules() if getattr(module, "out_features", 0) == 10][-1:]
    heads = {module.qkv: module.heads for module in model.modules() if hasattr(module, "qkv")}
    pruner = tp.pruner.MetaPruner(
        model,
        x[:1],
        importance=tp.importance.GroupMagnitudeImportance(p=1),
        pruning_ratio=share,
        ignored_layers=last,
        num_heads=heads,
        prune_num_heads=bool(heads),
        head_pruning_ratio=share if heads else 0.0,
        prune_head_dims=not heads,
    )
    asked = {"ignored_layers": pruner.ignored_layers, "root_module_types": pruner.root_module_types}
    groups = len(list(pruner.DG.get_all_groups(**asked)))
    names = {module: name for name, module in model.named_modules()}
    for group in pruner.step(interactive=True):
        empty(masked, group, names)
        group.prune()
    return Made(model.eval(), masked, groups, time.perf_counter() - start)


def empty(masked: nn.Module, group: Any, names: dict[Any, str]) -> None:
    """Set to zero in the wide network what makes the units that a group of Torch-Pruning removes."""
    import torch
    from torch import nn

    made = (nn.Conv2d, nn.Linear, nn.BatchNorm2d, nn.LayerNorm)
    for dependency, places in group:
        module, handler = dependency.target.module, dependency.handler.__name__
        if isinstance(module, made) and (handler.endswith("out_channels") or not isinstance(module, made[:2])):
            twin = masked.get_submodule(names[module])
            with torch.no_grad():
                for parameter in (twin.weight, twin.bias):
                    if parameter is not None:
                        parameter[places] = 0


def stored(model: nn.Module) -> int:
    """Bytes of the state dict as torch writes it."""
    import torch

    buffer = io.BytesIO()
    torch.save(model.state_dict(), buffer)
    return len(buffer.getvalue())


def cells(each: dict[str, Any]) -> list[Any]:
    """A line of the table."""
    head = [each["network"], each["share"], each["tool"]]
    if "failed" in each:
        return [*head, *["-"] * 7, each["failed"][:60]]
    shares = [f"{each[key]:.3f}" for key in ("parameters_left", "multiply_adds_left", "time_left")]
    size = f"{each['bytes'] / 1024:,.0f}"
    return [
        *head,
        each["groups"],
        f"{each['parameters']:,}",
        *shares,
        f"{each['seconds']:.2f}",
        size,
        f"{each['differs_by']:.1e}",
    ]


if __name__ == "__main__":
    run(Structured, main, prog="python -m benchmarks.structured")
