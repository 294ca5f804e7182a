"""The gallery of a study of the claims: one job a figure, drawn again when its script has changed."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from itertools import chain
from pathlib import Path

from figures.study.claims.claims import CLAIMS
from figures.study.claims.keys import Keys
from figures.study.claims.networks import paths, results, seeds
from figures.study.engine.jobs import Job, Step

TABLE = "claims_table"
MODULES = {TABLE: "figures.study.claims.table"}
"""of what is no picture of single results"""


def drawing(keys: Keys, claims: Path) -> Iterator[Job]:
    """A job for each figure that there are results for; numbers do not move where one is left out."""
    flags = {"entropy_by_depth": ("--checkpoint", *(Path(file).name for file in _shown(keys)))}
    flags[TABLE] = () if claims == CLAIMS else ("--claims", str(claims))
    for number, (figure, inputs) in enumerate(_inputs(keys).items(), 1):
        if inputs:
            drawn = f"{keys.figures}/{number}-{figure.replace('_', '-')}"
            makes = [f"{drawn}.svg", f"{drawn}.png"]
            module = MODULES.get(figure, f"figures.{figure}")
            spec = find_spec(module)
            needs = [*inputs, *([spec.origin] if spec and spec.origin else [])]
            if figure == TABLE:
                makes += [f"{keys.figures}/claims.md", f"{keys.figures}/claims.json"]
                needs.append(str(claims))
            given = (*inputs, *flags.get(figure, ()), "-o", drawn)
            yield Job("draw", f"{keys.name}.{figure}", tuple(needs), (Step(module, given, (), tuple(makes)),))


def _inputs(keys: Keys) -> dict[str, list[str]]:
    """The results that each figure reads; [] where the study does not have them."""
    judged, pictured = keys.parts[0], keys.parts[-1]
    entropy, seen = f"psp-{keys.entropy_split}", pictured.pictured_seeds
    once = min(seen, 1)
    curvature = results(keys, judged, "curvature") if judged.curvature_sparsities else []
    transfer = results(keys, judged, "transfer") if judged.transfer_sparsities else []
    errors, states = results(keys, judged, "psp-test"), results(keys, judged, entropy)
    pairs = results(keys, judged, "psp-sampled-pairs", judged.pairs_seeds)
    spectra = [results(keys, pictured, f"hessian-{space}", seen) for space in ("survivors", "full")]
    return {
        "error_against_compression": errors,
        "path_between_solutions": list(dict.fromkeys(paths(keys, judged) + paths(keys, pictured))),
        "hessian_spectrum": list(chain(*spectra)),
        "entropy_by_layer": results(keys, pictured, entropy),
        "loss_surfaces": results(keys, pictured, "surface", once),
        "sharpness_against_error": curvature and curvature + errors,
        TABLE: list(dict.fromkeys(errors + states + pairs)) + curvature + paths(keys, judged) + transfer,
        "neuron_class_map": results(keys, pictured, "psp-pairs", once),
        "pair_entropy": results(keys, pictured, "psp-pairs", once),
        "entropy_by_depth": results(keys, pictured, entropy, 1),
        "entropy_against_sparsity": states,
        "entropy_over_training": results(keys, pictured, "psp-training", seen),
        "matched_loss": curvature,
    }


def _shown(keys: Keys) -> list[str]:
    return [name.checkpoint for name in seeds(keys, keys.parts[-1])[0].shown]
