# The findings' measurements beside their comparisons, and the verdicts: python -m figures.study.workflow --config findings, after
# python -m figures.study.comparison.run --config findings and findings-gentle (make findings does all of it).

import sys
from pathlib import Path

sys.path.insert(0, str(Path(workflow.basedir).parents[2]))  # the packages, if they are not installed

from figures.study.engine.engine import JOB, PYTHON

COLLAPSE, EDGE, SEEDS = config["collapse"], config["edge"], range(config["seeds"])
COMPARISONS = [f"out/{name}.comparison.json" for name in ("findings", "findingsgentle")]
COLLAPSES = [f"out/findings-{model}.collapse.h5" for model in COLLAPSE["networks"]]
EDGES = [
    f"out/findings-mlp-seed{EDGE['first_seed'] + seed}.edge-{labels}.stability.h5"
    for labels in EDGE["labels"]
    for seed in SEEDS
]
EVIDENCE = [*COMPARISONS, *COLLAPSES, *EDGES]


wildcard_constraints:
    seed=r"\d+",


rule all:
    default_target: True
    input:
        "fig/findings.md",


rule untrained:
    output:
        update("runs/findings-{model}-seed{seed}.untrained.pt"),
    log:
        "out/logs/findings-{model}-seed{seed}.untrained.log",
    shell:
        "{JOB} {log} {PYTHON} minima.train --model {wildcards.model} --data {COLLAPSE[data]} --epochs 0 --seed {wildcards.seed} -o {output}"


rule collapse:
    input:
        [f"runs/findings-{{model}}-seed{seed}.untrained.pt" for seed in SEEDS],
    output:
        update("out/findings-{model}.collapse.h5"),
    log:
        "out/logs/findings-{model}.collapse.log",
    shell:
        "{JOB} {log} {PYTHON} pruning.collapse {input} --methods {COLLAPSE[methods]} -o {output}"


rule descent:
    output:
        update("runs/findings-mlp-seed{seed}.edge-{labels}.pt"),
        update("runs/findings-mlp-seed{seed}.edge-{labels}.trajectory.h5"),
    params:
        data=lambda wildcards: EDGE["labels"][wildcards.labels]["data"],
        epochs=lambda wildcards: EDGE["labels"][wildcards.labels]["epochs"],
        every=lambda wildcards: EDGE["labels"][wildcards.labels]["epochs"] // EDGE["moments"],
    log:
        "out/logs/findings-mlp-seed{seed}.edge-{labels}.log",
    shell:
        "{JOB} {log} {PYTHON} minima.train {EDGE[flags]} --data {params.data} --epochs {params.epochs} --seed {wildcards.seed}"
        " --keep {params.every} --keep-unit step -o {output[0]}"


rule curvature_of_descent:
    input:
        "runs/findings-mlp-seed{seed}.edge-{labels}.trajectory.h5",
    output:
        update("out/findings-mlp-seed{seed}.edge-{labels}.stability.h5"),
    log:
        "out/logs/findings-mlp-seed{seed}.edge-{labels}.stability.log",
    shell:
        "{JOB} {log} {PYTHON} landscape.stability {input} -o {output}"


rule verdicts:
    input:
        EVIDENCE,
        verdicts=workflow.source_path("../findings/findings.toml"),
    output:
        "fig/findings.md",
    params:
        evidence=EVIDENCE,
    log:
        "out/logs/findings.verdicts.log",
    shell:
        "{JOB} {log} {PYTHON} figures.study.findings.draw {params.evidence} -o fig/findings"
