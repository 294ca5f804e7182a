# A comparison's networks and measurements: python -m figures.study.comparison.run --config digits.
#
# One job a network, pruned and measured in one process; it fails by itself. Outputs are marked `update`, so that what a
# stopped job has finished is taken over when it is repeated.

import sys
from pathlib import Path
from shlex import quote

sys.path.insert(0, str(Path(workflow.basedir).parents[2]))  # the packages, if they are not installed

from figures.study.comparison.comparison import read_comparison
from figures.study.engine.engine import JOB, PYTHON

CELLS = {cell.stem: cell for cell in read_comparison(Path(config["comparison"])).cells()}


rule all:
    default_target: True
    input:
        [file for cell in CELLS.values() for file in cell.files],


for cell in CELLS.values():

    rule:
        name:
            f"{'dense' if cell.arm is None else 'cell'}_{cell.stem.replace('-', '_').replace('.', '_')}"
        input:
            [] if cell.arm is None else cell.parent.checkpoint(),
        output:
            [update(file) for file in cell.files],
        params:
            commands=" ".join(map(quote, cell.commands())),
        log:
            str(cell.log),
        shell:
            "{JOB} {log} {PYTHON} figures.study.engine.chain {params.commands}"
