"""Which software made a file. No clock: the same work gives the same bytes tomorrow."""

from __future__ import annotations

import platform
from functools import cache

from minima.store import __version__

PACKAGES = ("torch", "numpy", "scipy", "h5py")


def versions() -> dict[str, str]:
    """Versions of the suite, of Python and of the installed packages that compute and write numbers."""
    return {"python": platform.python_version(), "minima": __version__} | {each: _installed(each) for each in PACKAGES}


@cache
def _installed(package: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
