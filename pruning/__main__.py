"""`python -m pruning METHOD FILE.pt --sparsity S -o OUT.pt` and `python -m pruning list`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from minima.store.command import Report, run
from pruning.composition.layer_method import layer_methods
from pruning.composition.method import methods
from pruning.linearising import flags
from pruning.running import listing
from pruning.running.arguments import Prune, arguments_of

PROG = "python -m pruning"


def main(argv: Sequence[str]) -> None:
    """Hand over to the command the first word names."""
    known, layers = methods(), layer_methods()
    name, rest = (argv[0], argv[1:]) if argv else ("", [])
    if name == "list":
        run(listing.List, listing.main, prog=f"{PROG} list", argv=rest)
    if name in known:
        run(arguments_of(known[name]), _prune, prog=f"{PROG} {name}", argv=rest)
    if name in layers:
        run(flags.arguments_of(layers[name]), _take_layers, prog=f"{PROG} {name}", argv=rest)
    usage = f"usage: {PROG} METHOD FILE.pt --sparsity S [S ...] -o OUT.pt   ({PROG} METHOD --help for its flags)\n"
    usage += f"       {PROG} list\n\nmethods: {', '.join(known)}\nof layers: {', '.join(layers)}"
    if name in ("-h", "--help"):
        print(usage)
        sys.exit(0)
    print(f"{usage}\n\nerror: {f'there is no method {name!r}' if name else 'no method given'}", file=sys.stderr)
    sys.exit(2)


def _prune(arguments: Prune) -> Report:
    from pruning.running.command import main as prune

    return prune(arguments)


def _take_layers(arguments: flags.TakeLayers) -> Report:
    from pruning.linearising.command import main as take_layers

    return take_layers(arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
