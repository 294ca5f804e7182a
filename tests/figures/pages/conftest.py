"""Pages to look at: of every command's results, and of results that nobody would wish for."""

from __future__ import annotations

import pytest
from page_parts.written_surfaces import NASTY, surfaces

from figures.page.compute import compute


@pytest.fixture(scope="session")
def plotly():
    """Skip where the report extra is not installed."""
    return pytest.importorskip("plotly", reason="the report extra (plotly) is not installed")


@pytest.fixture(scope="session")
def nasty(tmp_path_factory, plotly):
    """A page of names that are markup and scripts, of losses that are not finite."""
    folder = tmp_path_factory.mktemp("nasty")
    surfaces(folder / "x.h5", [NASTY, f"second {NASTY}"])
    return compute([folder / "x.h5"], title=f"title {NASTY}")


@pytest.fixture(scope="session")
def whole(every_result, plotly):
    """A page of every command's results, by the checkpoints' names and the files of several together."""
    names = (
        "a.pt",
        "b.pt",
        "a.trajectory.h5",
        "a-b.path.h5",
        "cd.instability.h5",
        "ab.successive.h5",
        "ab.transfer.h5",
    )
    return compute([every_result / name for name in names])
