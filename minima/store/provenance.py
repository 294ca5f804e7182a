"""Which software made a file. No clock: the same work gives the same bytes tomorrow."""

from __future__ import annotations

import platform

from minima.store import __version__

PACKAGES = ("torch", "numpy", "scipy", "h5py")


def versions() -> dict[str, str]:
    """Versions of the suite, of Python and of the installed packages that compute and write numbers."""
    from importlib.metadata import PackageNotFoundError, version

    found = {"python": platform.python_version(), "minima": __version__}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found
