# Training, pruning, and the common finish.


def template(part, arm, ending):
    """The value of -o of a command that fills in {sparsity} itself."""
    return lambda wildcards: f"runs/{part.stem(wildcards.seed, arm)}-{ending}"


rule train_dense:
    output:
        update(f"runs/{STUDY}-{{model}}-seed{{seed}}.dense.pt"),
    params:
        flags=f"{FROM_DATA} {config['parents']}",
    log:
        log_of("dense"),
    shell:
        "{JOB} {log} {PYTHON} minima.train --model {wildcards.model} {params.flags} --seed {wildcards.seed} -o {output}"


rule train_longer:
    input:
        f"runs/{STUDY}-{{model}}-seed{{seed}}.dense.pt",
    output:
        update(f"runs/{STUDY}-{{model}}-seed{{seed}}.dense-longer.pt"),
    params:
        flags=f"{config['longer']} --epochs {config['arm_epochs']}",
    log:
        log_of("dense-longer"),
    shell:
        "{JOB} {log} {PYTHON} minima.train --from {input} {params.flags} -o {output}"


# A rule for every network and arm, because the sparsities, and so the outputs, are the part's own.
for part in ALL_PARTS:
    for arm in part.arms:

        rule:
            name:
                f"prune_{part.model}_{arm.replace('-', '_')}"
            input:
                part.dense("{seed}"),
            output:
                updated(part.pruned("{seed}", [arm], part.sparsities)),
                updated(part.recoveries("{seed}", [arm], part.sparsities) if arm in part.compared else []),
            params:
                method=config["arms"][arm]["method"],
                flags=config["arms"][arm]["flags"],
                epochs=config["own_epochs" if config["arms"][arm].get("own_training") else "arm_epochs"],
                sparsities=list(part.sparsities),
                out=template(part, arm, "{sparsity}.pt"),
            log:
                f"out/logs/{part.stem('{seed}', arm)}.log",
            shell:
                "{JOB} {log} {PYTHON} pruning {params.method} {input} --sparsity {params.sparsities} --each --epochs {params.epochs}"
                " {params.flags} -o '{params.out}'"

    for arm in part.compared:

        rule:
            name:
                f"sibling_{part.model}_{arm.replace('-', '_')}"
            input:
                part.dense("{seed}"),
            output:
                updated(part.pruned("{seed}", [arm], part.path_sparsities, ".sibling")),
            params:
                method=config["arms"][arm]["method"],
                flags=config["arms"][arm]["flags"],
                epochs=config["arm_epochs"],
                sparsities=list(part.path_sparsities),
                order=lambda wildcards: SIBLING_ORDER + int(wildcards.seed),
                out=template(part, arm, "{sparsity}.sibling.pt"),
            log:
                f"out/logs/{part.stem('{seed}', arm)}.sibling.log",
            shell:
                "{JOB} {log} {PYTHON} pruning {params.method} {input} --sparsity {params.sparsities} --each --epochs {params.epochs}"
                " {params.flags} --order-seed {params.order} -o '{params.out}'"

    rule:
        name:
            f"finish_{part.model}"
        input:
            part.unfinished("{seed}"),
        output:
            updated(map(finished, part.unfinished("{seed}"))),
            updated(map(trajectory, part.unfinished("{seed}"))),
        params:
            flags=config["finish"],
        log:
            f"out/logs/{part.stem('{seed}', 'finish')}.log",
        shell:
            "{JOB} {log} {PYTHON} minima.train --from {input} {params.flags} -o 'runs/{{stem}}.finished.pt'"
