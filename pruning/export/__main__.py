"""`python -m pruning.export CKPT -o FILE`: a network as a state dict, safetensors, exported program or ONNX file."""

from __future__ import annotations

from minima.store.command import BadInput, Report, note, run
from minima.store.reading import unchanging
from pruning.export.flags import Export
from pruning.export.report import text


@unchanging()
def main(arguments: Export) -> Report:
    """Read the network, write it, read it back."""
    from minima.store.checkpoints.safetensors_file import content_hash
    from minima.store.files import check_distinct, check_writable, write_atomically
    from minima.zoo.subject.flags import loaded
    from minima.zoo.subject.subject import Choice, Reader
    from pruning.export.compute import export_network
    from pruning.export.format import format_of

    form = format_of(arguments.out)
    check_writable(arguments.out)
    check_distinct(arguments.out, [arguments.checkpoint])
    if arguments.out.exists() and not arguments.overwrite:
        raise BadInput(f"{arguments.out} exists. Name another file with -o, or replace it with --overwrite")
    subject = Reader(Choice(**loaded(arguments), device="cpu", split=arguments.split)).read(arguments.checkpoint)
    made = export_network(subject.model, subject.x, form)
    write_atomically(arguments.out, made.content)
    if made.only_one is not None:
        note(f"{arguments.out} takes one example at a time: for any number it could not be traced ({made.only_one})")
    summary = {
        "checkpoint": str(arguments.checkpoint),
        "sha256": content_hash(arguments.checkpoint),
        "out": str(arguments.out),
        "format": form.name,
        "bytes": len(made.content),
        "max_difference": made.max_difference,
        "examples": made.examples,
        "any_number_of_examples": made.only_one is None,
        "zeros": sum(int((weight == 0).sum()) for weight in subject.model.parameters()),
        "parameters": sum(weight.numel() for weight in subject.model.parameters()),
    }
    return Report(summary, text(summary))


if __name__ == "__main__":
    run(Export, main, prog="python -m pruning.export")
