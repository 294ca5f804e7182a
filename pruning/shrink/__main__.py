"""`python -m pruning.shrink CKPT -o SMALL.pt`: a masked network made physically smaller, computing the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minima.store.command import BadInput, Report, run
from minima.store.messages import note
from pruning.shrink.flags import Shrink
from pruning.shrink.report import text

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

    from minima.zoo.examples.inputs import Inputs
    from minima.zoo.subject.subject import Subject
    from pruning.shrink.shrunk import Shrunk


def main(arguments: Shrink) -> Report:
    """Read the network, make it smaller, see that it computes the same, write it; unless it is there already."""
    from minima.store.checkpoints.safetensors_file import content_hash, weights_in
    from minima.store.reading import sha256
    from pruning.context.latency import latency
    from pruning.shrink.reuse import asked_of, reusable

    _check_target(arguments)
    subject = _read(arguments, arguments.checkpoint)
    parent = content_hash(arguments.checkpoint)
    asked = asked_of(arguments, subject, parent)
    there = reusable(arguments, asked)
    if there is None:
        told, small = _make(arguments, subject, asked)
    else:
        note(f"{arguments.out} is there already, made with these arguments: nothing to do")
        told, small = there, _read(arguments, arguments.out).model
    for each in told["notes"]:
        note(each)
    x = subject.x[: arguments.examples]
    sizes = {"before": weights_in(arguments.checkpoint).stat().st_size, "after": arguments.out.stat().st_size}
    summary = {
        "checkpoint": str(arguments.checkpoint),
        "sha256": parent,
        "out": str(arguments.out),
        "out_sha256": sha256(arguments.out),
        "reused": there is not None,
        **told,
        "latency": {**latency(subject.model, small, x), "examples": len(x)},
        "bytes": sizes,
        "notes": [*subject.notes, *told["notes"]],
    }
    return Report(summary, text(summary))


def _read(arguments: Shrink, path: Path) -> Subject:
    from minima.zoo.subject.flags import loaded
    from minima.zoo.subject.subject import Choice, Reader

    return Reader(Choice(**loaded(arguments), device="cpu", split=arguments.split)).read(path)


def _make(arguments: Shrink, subject: Subject, asked: dict[str, Any]) -> tuple[dict[str, Any], nn.Module]:
    """Write the smaller network; what there is to tell of it, and itself."""
    from minima.store.checkpoints.checkpoint import save
    from pruning.shrink.reuse import with_record
    from pruning.shrink.writing import smaller

    found = _smaller(arguments, subject)
    told = _told(found) | {"masked": any(not mask.all() for mask in subject.masks.values())}
    made = smaller(subject.checkpoint, found, asked["checkpoint"])
    save(with_record(made, asked, told), arguments.out)
    return told, found.model


def _check_target(arguments: Shrink) -> None:
    from minima.store.files import check_distinct, check_writable

    if arguments.out.suffix not in (".pt", ".pth"):
        raise BadInput(f"-o {arguments.out}: what is written is a checkpoint: name a file that ends in .pt")
    if arguments.examples < 1:
        raise BadInput(f"--examples {arguments.examples}: expected 1 or more")
    check_writable(arguments.out)
    check_distinct(arguments.out, [arguments.checkpoint])


def _smaller(arguments: Shrink, subject: Subject) -> Shrunk:
    from pruning.shrink.compute import shrink_network
    from pruning.shrink.given import bounds_of

    return shrink_network(
        subject.model,
        subject.x,
        subject.masks,
        fold_batch_norm=arguments.fold_batch_norm,
        vanishing=arguments.vanishing,
        stuck=arguments.stuck,
        merge=arguments.merge,
        by_data=arguments.by_data,
        within=bounds_of(arguments.within, subject.x),
        held_out=_held_out(subject) if arguments.by_data or arguments.within else None,
    )


def _held_out(subject: Subject) -> Inputs | None:
    """Inputs of the split that was not looked at."""
    other = "test" if subject.split == "train" else "train"
    x = subject.dataset.x_test if other == "test" else subject.dataset.x_train
    return None if x is None else subject.intake(x)


def _told(found: Shrunk) -> dict[str, Any]:
    return {
        "parameters": {"before": found.before.parameters, "after": found.after.parameters},
        "prunable": {"before": found.before.prunable, "after": found.after.prunable},
        "multiply_adds": {"before": found.before.multiply_adds, "after": found.after.multiply_adds},
        "units": {name: {"before": wide, "after": narrow} for name, (wide, narrow) in found.units.items()},
        "units_removed": found.removed,
        "layers_removed": [*found.manifest.identities, *(second for _, second in found.manifest.merged)],
        "merged": [list(pair) for pair in found.manifest.merged],
        "static_units": dict(found.static),
        "dependent_units": dict(found.dependent),
        "idle_rectifiers": list(found.idle),
        "difference_by_static": dict(found.guessed) or None,
        "constants_kept": found.staying,
        "held": found.held,
        "max_difference": found.max_difference,
        "notes": list(found.notes),
    }


if __name__ == "__main__":
    run(Shrink, main, prog="python -m pruning.shrink")
