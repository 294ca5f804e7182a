# One rule a figure: name, and the results it reads. A figure is drawn again when its script has changed.

SEEN = range(PICTURES.pictured_seeds)
ENTROPY = f"psp-{config['entropy_split']}"

FIGURE_INPUTS = {
    "error_against_compression": CLAIMS.results("psp-test"),
    "path_between_solutions": CLAIMS.paths() + PICTURES.paths(),
    "hessian_spectrum": PICTURES.results("hessian-survivors", SEEN) + PICTURES.results("hessian-full", SEEN),
    "entropy_by_layer": PICTURES.results(ENTROPY),
    "loss_surfaces": PICTURES.results("surface", [0]),
    "sharpness_against_error": CLAIMS.results("curvature") + CLAIMS.results("psp-test"),
    "claims_table": [
        *dict.fromkeys(CLAIMS.results("psp-test") + CLAIMS.results(ENTROPY)),
        *CLAIMS.results("curvature"),
        *CLAIMS.paths(),
        *(CLAIMS.results("transfer") if CLAIMS.transfer_sparsities else []),
    ],
    "neuron_class_map": PICTURES.results("psp-pairs", [0]),
    "pair_entropy": PICTURES.results("psp-pairs", [0]),
    "entropy_by_depth": PICTURES.results(ENTROPY, [0]),
    "entropy_against_sparsity": CLAIMS.results(ENTROPY),
    "entropy_over_training": PICTURES.results("psp-training", SEEN),
}
FIGURE_FLAGS = {"entropy_by_depth": " --checkpoint " + " ".join(Path(file).name for file in PICTURES.shown(0))}
PICTURES_MADE = []
MODULES = {"claims_table": "study.claims.table"}  # of what is no picture of single results

for number, (figure, results) in enumerate(FIGURE_INPUTS.items(), 1):
    drawn = f"{FIGURES}/{number}-{figure.replace('_', '-')}"
    made = [f"{drawn}.svg", f"{drawn}.png"]
    if figure == "claims_table":
        made += [f"{FIGURES}/claims.md", f"{FIGURES}/claims.json"]
    PICTURES_MADE += made

    rule:
        name:
            f"draw_{figure}"
        input:
            results=results,
            script=str(ROOT / "figures" / f"{MODULES.get(figure, figure).replace('.', '/')}.py"),
            others=[str(ROOT / "figures/study/claims/claims.toml")] if figure == "claims_table" else [],
        output:
            made,
        params:
            figure=MODULES.get(figure, figure),  # in the command, which is put together when the loop has long ended
            drawn=drawn,
            flags=FIGURE_FLAGS.get(figure, ""),
        log:
            f"out/logs/{STUDY}.{figure}.log",
        shell:
            "{JOB} {log} {PYTHON} figures.{params.figure} {input.results}{params.flags} -o {params.drawn}"
