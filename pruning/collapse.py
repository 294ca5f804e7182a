"""`python -m pruning.collapse CKPT...`: how far methods cut before a layer is left without a weight."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from store.command import BadInput, Report, render_table, run
from zoo.measuring import Measuring, measure_each

if TYPE_CHECKING:
    from pruning.method import Method
    from store.results import Place
    from zoo.subject import Subject

FOUND = {
    "kept": "weights that are kept where a layer is empty, and with one more none is",
    "compression": "all weights / these: where the first layer collapses",
    "log_compression": "its logarithm to base 10",
    "first_empty": "weight of the first layer that is empty there",
    "must": "whether fewer weights than layers are kept there, so that one has to be empty",
}
"""what is found of each method"""
WHOLE = {
    "weights": "weights of convolutions and linear layers",
    "layers": "convolutions and linear layers",
    "largest_compression": "weights / layers: up to here every layer can keep a weight",
}
"""what holds for all of them"""


@dataclass(frozen=True, kw_only=True)
class Collapse(Measuring):
    """The critical compression (Tanaka et al. 2020, SynFlow) of methods that make all their cuts before the first step:
    weights / those kept where a layer is empty and with one more none is, as `python -m pruning METHOD` would cut."""

    methods: tuple[str, ...] = ("magnitude", "random", "snip", "grasp", "synflow")
    """as in `python -m pruning METHOD`; one with flags in quotes: 'synflow --rounds 50'"""
    seed: int | None = None  # type: ignore[assignment]
    """of what a method draws at random (default: each checkpoint's own, as in `python -m pruning`)"""
    split: Literal["train", "test"] = "test"
    """of which examples loss and accuracy are; scores are of the training part always"""


def named(words: str) -> Method:
    """The method that is typed as in `python -m pruning METHOD`, if it makes all its cuts before training."""
    import shlex

    import tyro

    from pruning.critical import cuts_at_once
    from pruning.method import methods

    known = methods()
    name, *flags = shlex.split(words) or [""]
    method = tyro.cli(known[name], args=flags, prog=f"--methods {name}") if name in known else None
    if method is None or not cuts_at_once(method.composition()):
        said = "there is no such method" if method is None else "it trains before or between its cuts"
        fit = ", ".join(name for name, other in known.items() if cuts_at_once(other().composition()))
        raise BadInput(
            f"--methods {words!r}: {said}.\nExpected those that make all their cuts before they train: {fit}"
        )
    return method


def compute(subject: Subject, place: Place, chosen: dict[str, Method], seed: int | None) -> dict[str, Any]:
    """Find where each method empties a first layer, write it to a subject's place, return what the JSON object says."""
    from pruning.counts import alive_counts, size
    from pruning.critical import critical, cutter, kept_weights

    masks = kept_weights(subject)
    weights, alive = size(masks), alive_counts(masks)
    _check(subject.name, alive)
    drawn = subject.checkpoint.seed if seed is None else seed
    edges = {words: critical(cutter(method, subject, drawn), alive) for words, method in chosen.items()}
    found = {
        words: asdict(edge) | _levels(weights / edge.kept, edge.kept < len(alive)) for words, edge in edges.items()
    }
    whole = {"weights": weights, "layers": len(alive), "largest_compression": weights / len(alive)}
    _write(whole, found, place)
    return whole | {"methods": found, "method_seed": drawn}


def _check(name: str, alive: dict[str, int]) -> None:
    """Of two layers or more each has a weight."""
    if len(alive) < 2:
        raise BadInput(
            f"{name}: {len(alive)} convolution or linear layers, expected two or more: else none can collapse"
        )
    for layer, left in alive.items():
        if not left:
            raise BadInput(
                f"{name}: {layer} has no weight left as it is. Name the checkpoint that this one was made from"
            )


def _levels(compression: float, must: bool) -> dict[str, Any]:
    return {"compression": compression, "log_compression": math.log10(compression), "must": must}


def _write(whole: dict[str, Any], found: dict[str, dict[str, Any]], place: Place) -> None:
    place.scale("collapse/method", list(found), "1", "pruning method, with its flags")
    for key, meaning in FOUND.items():
        place.write(f"collapse/{key}", [each[key] for each in found.values()], ("method",), "1", meaning)
    for key, meaning in WHOLE.items():
        place.write(f"collapse/{key}", whole[key], (), "1", meaning)


def table(summary: dict[str, Any]) -> str:
    """What a person reads: a line for each method, and what it means."""
    rows = [[name, *(each[key] for key in FOUND)] for name, each in summary["methods"].items()]
    headers = ("method", "weights kept", "compression", "log10", "first empty layer", "must be")
    weights, layers, largest = (summary[key] for key in WHOLE)
    lines = [
        render_table(headers, rows),
        "",
        f"With so many of the {weights:,} weights kept a layer is empty, with one more none is; sought as if collapse",
        "were monotone, which over rounds it need not be. Nothing was trained. must be: yes where fewer weights are",
        f"kept than there are layers ({layers}; at a compression above {largest:,.6g}): any method would empty one.",
    ]
    return "\n".join(lines)


def main(arguments: Collapse) -> Report:
    """Look at every checkpoint named on the command line."""
    chosen = {words: named(words) for words in arguments.methods}
    if not chosen:
        raise BadInput("--methods: none is named; type for example --methods snip synflow")

    def work(subject: Subject, place: Place) -> dict[str, Any]:
        return compute(subject, place, chosen, arguments.seed)

    return measure_each(arguments, "collapse", work, table)


if __name__ == "__main__":
    run(Collapse, main, prog="python -m pruning.collapse", description=__doc__ or "")
