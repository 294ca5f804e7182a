"""`python -m pruning.transplant MASK.pt --weights FILE.pt -o OUT.pt`: one network's mask on the weights of another."""

from __future__ import annotations

from minima.store.command import Report, note, run
from pruning.transplant.flags import Transplant
from pruning.transplant.report import text


def main(arguments: Transplant) -> Report:
    """Write the network, unless it is there already."""
    from minima.store.checkpoints.checkpoint import save, sparsity
    from minima.store.files import check_distinct, check_writable
    from minima.store.reading import sha256
    from minima.zoo.training.unfinished import reusable
    from pruning.transplant.compute import transplant

    check_writable(arguments.out)
    check_distinct(arguments.out, [arguments.mask, arguments.weights])
    chosen, shuffle = (arguments.mask, arguments.weights, arguments.from_epoch), arguments.shuffle
    made = transplant(*chosen, shuffle=shuffle, seed=arguments.seed)
    identity = {"training": {}, "method": made.method, "parent": made.parent, "model": made.model, "data": made.data}
    there = reusable(arguments.out, identity | {"training": made.training | {"keep": 0}}, arguments.overwrite)
    if there:
        note(f"{arguments.out} is there already, made with these arguments: nothing to do")
    else:
        save(made, arguments.out)
    summary = {
        "out": str(arguments.out),
        "sha256": sha256(arguments.out),
        "reused": there is not None,
        "sparsity": sparsity(made.masks),
        "layers": {name: int(mask.sum()) for name, mask in made.masks.items()},
    }
    return Report(summary, text(summary, {name: mask.numel() for name, mask in made.masks.items()}))


if __name__ == "__main__":
    run(Transplant, main, prog="python -m pruning.transplant")
