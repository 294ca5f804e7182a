# Transfer: networks that see half of the classes, pruned, and probed on the other half. One job a seed, in one process:
# starting torch four times would cost more than the work.


def transfer_commands(part):
    """What is typed behind python -m, line by line, each quoted as one word."""

    def commands(wildcards):
        dense, *pruned = part.sources(wildcards.seed)
        halves = {half: f"{config['data']}:{config['transfer'][half]}" for half in ("source", "target")}
        lines = [
            f"minima.train --model {part.model} --data {halves['source']}{DATA_ROOT} {config['parents']}"
            f" --seed {wildcards.seed} -o {dense}"
        ]
        for arm in part.compared:
            method, flags = config["arms"][arm]["method"], config["arms"][arm]["flags"]
            lines.append(
                f"pruning {method} {dense} --sparsity {' '.join(map(str, part.transfer_sparsities))} --each"
                f" --epochs {config['arm_epochs']} {flags} -o runs/{part.stem(wildcards.seed, arm)}-{{sparsity}}.source.pt"
            )
        lines.append(
            f"entropy.transfer {dense} {' '.join(pruned)} --to {halves['target']}{DATA_ROOT} {config['transfer']['flags']}"
            f" -o {part.results('transfer', [wildcards.seed])[0]}"
        )
        return " ".join(map(quote, lines))

    return commands


for part in ALL_PARTS:
    if part.transfer_sparsities:

        rule:
            name:
                f"transfer_{part.model}"
            output:
                updated(part.sources("{seed}")),
                updated(part.results("transfer", ["{seed}"])),
            params:
                commands=transfer_commands(part),
            log:
                f"out/logs/{part.stem('{seed}', 'transfer')}.log",
            shell:
                "{JOB} {log} {PYTHON} figures.study.engine.chain {params.commands}"
