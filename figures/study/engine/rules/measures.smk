# What is measured, one file a seed.

for part in ALL_PARTS:
    for split in ("test", "train"):

        rule:
            name:
                f"entropy_{part.model}_{split}"
            input:
                part.everything("{seed}"),
            output:
                updated(part.results(f"psp-{split}", ["{seed}"])),
            params:
                flags=f"--split {split}",
            log:
                f"out/logs/{part.stem('{seed}', 'psp')}-{split}.log",
            shell:
                "{JOB} {log} {PYTHON} entropy.psp {input} {params.flags} -o {output}"

    if part.curvature_sparsities:

        rule:
            name:
                f"curvature_{part.model}"
            input:
                part.curved("{seed}"),
            output:
                updated(part.results("curvature", ["{seed}"])),
            params:
                flags=config["curvature"],
            log:
                f"out/logs/{part.stem('{seed}', 'curvature')}.log",
            shell:
                "{JOB} {log} {PYTHON} landscape.sharpness {input} {params.flags} -o {output}"

    for called, ends in part.pairs("{seed}").items():

        rule:
            name:
                f"path_{part.model}_{called.replace('-', '_').replace('.', '_')}"
            input:
                ends,
            output:
                updated(part.results(f"path-{called}", ["{seed}"])),
            params:
                flags=config["path"],
            log:
                f"out/logs/{part.stem('{seed}', 'path')}-{called}.log",
            shell:
                "{JOB} {log} {PYTHON} landscape.path {input} {params.flags} -o {output}"

    for subspace in ("survivors", "full") if part.pictured_seeds else ():

        rule:
            name:
                f"spectrum_{part.model}_{subspace}"
            input:
                part.shown("{seed}")[1:] if subspace == "full" else part.shown("{seed}"),
            output:
                updated(part.results(f"hessian-{subspace}", ["{seed}"])),
            params:
                flags=f"{config['hessian']} --subspace {subspace}",
            log:
                f"out/logs/{part.stem('{seed}', 'hessian')}-{subspace}.log",
            shell:
                "{JOB} {log} {PYTHON} landscape.hessian {input} {params.flags} -o {output}"

    if part.pictured_seeds:

        rule:
            name:
                f"entropy_{part.model}_pairs"
            input:
                part.shown("{seed}"),
            output:
                updated(part.results("psp-pairs", ["{seed}"])),
            params:
                flags=f"--split {config['entropy_split']} --order 2 --selectivity",
            log:
                f"out/logs/{part.stem('{seed}', 'psp')}-pairs.log",
            shell:
                "{JOB} {log} {PYTHON} entropy.psp {input} {params.flags} -o {output}"

        rule:
            name:
                f"entropy_{part.model}_training"
            input:
                part.recoveries("{seed}", part.compared, part.path_sparsities[-1:]),
            output:
                updated(part.results("psp-training", ["{seed}"])),
            params:
                flags=f"--split {config['entropy_split']}",
            log:
                f"out/logs/{part.stem('{seed}', 'psp')}-training.log",
            shell:
                "{JOB} {log} {PYTHON} entropy.psp {input} {params.flags} -o {output}"

        rule:
            name:
                f"surface_{part.model}"
            input:
                part.shown("{seed}"),
            output:
                updated(part.results("surface", ["{seed}"])),
            params:
                flags=config["surface"],
            log:
                f"out/logs/{part.stem('{seed}', 'surface')}.log",
            shell:
                "{JOB} {log} {PYTHON} landscape.surface {input} {params.flags} -o {output}"

        rule:
            name:
                f"sharpness_{part.model}"
            input:
                part.shown("{seed}"),
            output:
                updated(part.results("sharpness", ["{seed}"])),
            params:
                flags=config["sharpness"],
            log:
                f"out/logs/{part.stem('{seed}', 'sharpness')}.log",
            shell:
                "{JOB} {log} {PYTHON} landscape.sharpness {input} {params.flags} -o {output}"
