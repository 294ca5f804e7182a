"""`minima COMMAND ...`: every command of the suite under one name; `minima list` tells them."""

from __future__ import annotations

import runpy
import sys

from minima.store.listing import first_line
from minima.store.table import render_table

COMMANDS = {
    "train": "minima.train",
    "sharpness": "landscape.sharpness",
    "hessian": "landscape.hessian",
    "surface": "landscape.surface",
    "path": "landscape.path",
    "survivors": "landscape.survivors",
    "stability": "landscape.stability",
    "topology": "landscape.topology",
    "instability": "landscape.instability",
    "successive": "landscape.successive",
    "psp": "entropy.psp",
    "layers": "entropy.layers",
    "transfer": "entropy.transfer",
    "prune": "pruning",
    "export": "pruning.export",
    "shrink": "pruning.shrink",
    "masks": "pruning.masks",
    "collapse": "pruning.collapse",
    "tuning": "pruning.tuning",
    "criteria": "pruning.criteria",
    "coded": "pruning.coded",
    "transplant": "pruning.transplant",
    "robustness": "pruning.robustness",
    "equilibrium": "pruning.equilibrium",
    "watermark": "pruning.watermark",
    "figures": "figures",
    "page": "figures.page",
    "study": "figures.study",
    "results": "minima.results",
    "checkpoint": "minima.checkpoint",
    "verify": "minima.verify",
}
"""what is typed, and the module that does it"""


def main() -> None:
    """Start the command that the first word names, as `python -m` would."""
    name, *words = sys.argv[1:] or ["list"]
    if name in ("list", "-h", "--help"):
        rows = [[command, first_line(module)] for command, module in COMMANDS.items()]
        print("usage: minima COMMAND ...   (--help behind each for its flags)\n")
        print(render_table(["command", "what it does"], rows))
        return
    if name not in COMMANDS:
        print(f"error: there is no command {name!r}. Known: list, {', '.join(COMMANDS)}", file=sys.stderr)
        sys.exit(2)
    module = COMMANDS[name]
    sys.argv = [module, *words]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
