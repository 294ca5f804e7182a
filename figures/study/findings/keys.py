"""What a study of statements of the literature says in its TOML file, and what is refused of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from figures.reading.names import ARM, model_word
from figures.study.configuration.build import BY_NAME, Flags
from figures.study.networks.checks import check_data, check_model, check_name, check_seeds
from minima.store.command import BadInput


@dataclass(frozen=True)
class Collapse:
    """Untrained networks, pruned until a layer is empty."""

    networks: tuple[str, ...]
    data: str
    methods: tuple[str, ...]
    """of `pruning.collapse`"""


@dataclass(frozen=True)
class Labels:
    """What one network of the edge is trained on."""

    name: str
    data: str
    epochs: int
    """as many steps: the batch is full"""
    flags: Flags = ""
    """of `minima.train`, behind those of all"""


@dataclass(frozen=True)
class Edge:
    """Gradient descent with the full batch, its curvature at many moments."""

    model: str
    labels: Annotated[tuple[Labels, ...], BY_NAME]
    flags: Flags
    """of `minima.train`"""
    moments: int = 100
    first_seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Keys:
    """All keys of a study of findings."""

    name: str
    comparisons: tuple[str, ...]
    """studies of kind methods: files beside this one, or bundled ones"""
    figures: str
    """folder of the page and its picture"""
    seeds: int
    """of the further measurements"""
    statements: str = ""
    """TOML file beside this one of what is stated, fixed before the runs (default: the suite's statements)"""
    collapse: Collapse | None = None
    edge: Edge | None = None

    def check(self, where: str) -> None:
        """BadInput for what no study of statements can work with."""
        check_name(where, self.name)
        check_seeds(where, self.seeds)
        if self.collapse:
            check_data(f"{where}: [collapse]", self.collapse.data)
            if not self.collapse.methods:
                raise BadInput(f"{where}: [collapse]: methods = []: expected for example ['snip', 'synflow']")
            words = [model_word(spec) for spec in self.collapse.networks]
            for spec in self.collapse.networks:
                check_model(f"{where}: [collapse]", spec, "networks")
                if words.count(model_word(spec)) > 1:
                    raise BadInput(
                        f"{where}: [collapse]: networks: two are called {model_word(spec)} in names of files"
                    )
        if self.edge:
            check_model(f"{where}: [edge]", self.edge.model)
            check_seeds(f"{where}: [edge]", self.edge.first_seed, fewest=0, key="first_seed")
            for labels in self.edge.labels:
                at = f"{where}: [edge.labels.{labels.name}]"
                check_data(at, labels.data)
                if not ARM.fullmatch(labels.name):
                    raise BadInput(f"{at}: small letters, digits and hyphens only")
                if not 1 <= self.edge.moments <= labels.epochs:
                    raise BadInput(f"{at}: epochs = {labels.epochs}: expected as many as moments, {self.edge.moments}")
