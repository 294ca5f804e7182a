"""`python -m pruning.watermark CKPT -o OUT.pt`: bits in a secret subset of weights, with the loss sharpened around."""

from __future__ import annotations

from typing import Any

from minima.store.command import Report, note, run
from pruning.watermark.flags import Watermark
from pruning.watermark.report import text


def main(arguments: Watermark) -> Report:
    """Write the network with its watermark, unless it is there already."""
    from minima.store.checkpoints.checkpoint import save
    from minima.store.files import check_distinct, check_writable, hold
    from minima.store.reading import sha256
    from minima.zoo.data.splits import said_levels
    from minima.zoo.training.unfinished import reusable
    from pruning.watermark.compute import embed, identity, start_of

    arguments.settings.check()
    check_writable(arguments.out)
    check_distinct(arguments.out, [arguments.checkpoint])
    start = start_of(arguments)
    made = there = reusable(arguments.out, identity(start, arguments), arguments.overwrite)
    if made is None:
        with hold(arguments.out):
            made = embed(start, arguments)
            save(made, arguments.out)
    else:
        note(f"{arguments.out} is there already, made with these arguments: nothing to do")
    before = said_levels(made.metrics["before"])
    summary: dict[str, Any] = {
        "out": str(arguments.out),
        "sha256": sha256(arguments.out),
        "reused": there is not None,
        "bits": arguments.settings.bits,
        "key": arguments.settings.key,
        "wrong": made.metrics["watermark"]["wrong"],
        **said_levels(made.metrics),
        "before_loss": before["loss"],
        "before_score": before["score"],
    }
    return Report(summary, text(summary))


if __name__ == "__main__":
    run(Watermark, main, prog="python -m pruning.watermark")
