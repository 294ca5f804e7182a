"""What is in a checkpoint, for a person and for a script: `python -m minima.checkpoint FILE`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tyro

from minima.store.checkpoints.checkpoint import header, load, sparsity
from minima.store.command import Command, Report, render_table, run
from minima.store.reading import sha256, unchanging

if TYPE_CHECKING:
    from minima.store.checkpoints.checkpoint import Checkpoint

STATISTICS = ("running_mean", "running_var", "num_batches_tracked")
"""entries of a state dict that training does not fit: normalisation's buffers"""


@dataclass(frozen=True, kw_only=True)
class Show(Command):
    """Print what is in a checkpoint: model, data, sparsity of every layer, training, metrics, where it comes from."""

    file: tyro.conf.Positional[Path]
    """checkpoint to describe"""


@unchanging()
def main(arguments: Show) -> Report:
    """Describe a checkpoint file: what made it, what it holds, how sparse it is."""
    summary = {"checkpoint": str(arguments.file), "sha256": sha256(arguments.file)}
    summary |= describe(load(arguments.file))
    return Report(summary, _text(summary))


def describe(checkpoint: Checkpoint) -> dict[str, Any]:
    """The header, and counts of parameters: whole, of masked tensors (prunable) and of what is left of them."""
    layers = [
        {
            "name": name,
            "shape": list(mask.shape),
            "weights": mask.numel(),
            "survivors": int(mask.sum()),
            "sparsity": float((~mask).sum() / mask.numel()),
        }
        for name, mask in checkpoint.masks.items()
    ]
    weights = [layer for layer in layers if checkpoint.masks[str(layer["name"])].ndim > 1]
    return {
        **header(checkpoint),
        "parameters": sum(tensor.numel() for name, tensor in checkpoint.state.items() if not name.endswith(STATISTICS)),
        "prunable": sum(layer["weights"] for layer in weights) or None,
        "survivors": sum(layer["survivors"] for layer in weights) or None,
        "sparsity": sparsity(checkpoint.masks),
        "layers": layers,
        "tensors": {name: list(tensor.shape) for name, tensor in checkpoint.state.items()},
        "weights_at": sorted(checkpoint.weights_at),
    }


def _text(summary: dict[str, Any]) -> str:
    facts = {
        "checkpoint": summary["checkpoint"],
        "sha256": summary["sha256"],
        "model": _flat({key: value for key, value in summary["model"].items() if key != "shrunk"}),
        "made smaller": _shrunk(summary["model"].get("shrunk")),
        "data": _flat(summary["data"]),
        "parameters": f"{summary['parameters']:,}",
        "sparsity": _sparsity(summary),
        "method": _flat(summary["method"]),
        "training": _flat(summary["training"]),
        "metrics": _flat({key: value for key, value in (summary["metrics"] or {}).items() if key != "equilibrium"}),
        "at equilibrium": _equilibrium((summary["metrics"] or {}).get("equilibrium")),
        "seed": str(summary["seed"]),
        "weights at epochs": ", ".join(map(str, summary["weights_at"])),
        "made from": summary["parent"],
        "versions": _flat(summary["versions"]),
    }
    width = max(map(len, facts))
    lines = [f"{name.ljust(width)}  {fact}" for name, fact in facts.items() if fact]
    return "\n".join([*lines, "", _tensors(summary)])


def _sparsity(summary: dict[str, Any]) -> str:
    if not summary["layers"]:
        frozen = (summary["metrics"] or {}).get("frozen")
        return f"dense: no masks; {frozen:.6g} of the prunable weights did not train" if frozen else "dense: no masks"
    return f"{summary['sparsity']:.6g}: {summary['survivors'] or 0:,} of {summary['prunable']:,} weights survive"


def _tensors(summary: dict[str, Any]) -> str:
    layers = {layer["name"]: layer for layer in summary["layers"]}
    rows = [
        [
            name,
            "x".join(map(str, shape)) or "scalar",
            layers.get(name, {}).get("survivors"),
            layers.get(name, {}).get("sparsity"),
        ]
        for name, shape in summary["tensors"].items()
    ]
    return render_table(["tensor", "shape", "survivors", "sparsity"], rows)


def _shrunk(manifests: list[Any] | None) -> str | None:
    """How often units were taken out of the network that `model` names; None for never."""
    return None if not manifests else "once" if len(manifests) == 1 else f"{len(manifests)} times"


def _equilibrium(found: dict[str, Any] | None) -> str | None:
    """How many updates of neurons training left out; None where it did not watch them."""
    if found is None:
        return None
    return f"{found['skipped_updates']:,} of {found['updates']:,} updates of neurons left out"


def _flat(entry: dict[str, Any] | None, prefix: str = "") -> str:
    """Nested settings on one line, `recipe.lr=0.1`; what is not set is left out."""
    parts = []
    for key, value in (entry or {}).items():
        if isinstance(value, dict):
            parts.append(_flat(value, f"{prefix}{key}."))
        elif value is not None and value != []:
            shown = f"{value:.6g}" if isinstance(value, float) else str(value)
            parts.append(f"{prefix}{key}={shown}")
    return "  ".join(filter(None, parts))


if __name__ == "__main__":
    run(Show, main, prog="python -m minima.checkpoint")
