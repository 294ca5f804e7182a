"""The further measurements of a study of statements: where layers collapse, and how descent goes along the edge."""

from __future__ import annotations

from collections.abc import Iterator

from figures.reading.names import Name, collapse_result, model_word
from figures.study.configuration.build import split_flags
from figures.study.engine.jobs import Job, Step
from figures.study.findings.inputs import EDGE
from figures.study.findings.keys import Collapse, Edge
from figures.study.networks.networks import repeated_code

UNTRAINED = "untrained"


def collapsing(study: str, seeds: range, asked: Collapse) -> Iterator[Job]:
    """Untrained networks, and where each method empties a layer of them."""
    for spec in asked.networks:
        word = model_word(spec)
        networks = [Name(study, word, seed, UNTRAINED) for seed in seeds]
        for network in networks:
            made = network.checkpoint
            given = ("--model", spec, "--data", asked.data, "--epochs", "0", "--seed", f"{network.seed}", "-o", made)
            step = Step("minima.train", given, (), (made,), "[collapse] networks")
            yield Job(UNTRAINED, network.stem, (), (step,))
        files, out = tuple(network.checkpoint for network in networks), collapse_result(study, word)
        methods = ("--methods", *asked.methods, *repeated_code(asked.data, spec), "-o", out)
        step = Step("pruning.collapse", (*files, *methods), (), (out,), "[collapse] methods")
        yield Job("collapse", f"{study}-{word}.collapse", files, (step,))


def descending(study: str, seeds: range, asked: Edge) -> Iterator[Job]:
    """Full-batch trainings, and the curvature along them."""
    for labels in asked.labels:
        for seed in seeds:
            network = Name(study, model_word(asked.model), seed, EDGE + labels.name)
            every = labels.epochs // asked.moments
            data = ("--model", asked.model, "--data", labels.data, "--seed", f"{seed}", "-o", network.checkpoint)
            along = ("--epochs", f"{labels.epochs}", "--keep", f"{every}", "--keep-unit", "step")
            makes = (network.checkpoint, network.trajectory)
            flags = (*split_flags(asked.flags), *split_flags(labels.flags))
            step = Step("minima.train", (*data, *along), flags, makes, f"[edge.labels.{labels.name}] flags")
            yield Job("descent", network.stem, (), (step,))
            out = network.result("stability")
            measured = (network.trajectory, *repeated_code(labels.data, asked.model), "-o", out)
            step = Step("landscape.stability", measured, (), (out,), "[edge] labels")
            yield Job("curvature", f"{network.stem}.stability", (network.trajectory,), (step,))
