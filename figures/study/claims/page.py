"""The page of a study of the claims: the pictured networks of one seed, dense, one-shot and gradual."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

from figures.study.claims.keys import Keys
from figures.study.claims.networks import Seed, results
from figures.study.engine.jobs import Job, Step

PAGE = "figures.page"
SHOWN = ("sharpness", "hessian-survivors", "surface", "psp-pairs")
"""what is measured of the pictured networks"""


def page(keys: Keys) -> Iterator[Job]:
    """The job that writes page.html; none where nothing is pictured, or Plotly is not installed."""
    part = keys.parts[-1]
    once = min(part.pictured_seeds, 1)
    files = [file for measure in SHOWN for file in results(keys, part, measure, once)]
    files += [file for measure in Seed(keys, part, 0).pairs for file in results(keys, part, measure, once)]
    if not files or find_spec("plotly") is None:
        return
    out = f"{keys.figures}/page.html"
    title = f"{keys.name}: pruned at once and gradually ({part.model}, one seed)"
    given = (*files, "--title", title, "-o", out)
    yield Job("page", keys.name, tuple(files), (Step(PAGE, given, (), (out,)),))
