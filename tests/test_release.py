"""The wheel holds what the commands need and nothing else, and works where the source is not."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("minima", "landscape", "entropy", "pruning", "figures")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    source, made = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, source / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip("wheel", source, "--no-deps", "--no-build-isolation", "-w", made)
    return next(made.glob("minima-*.whl"))


def pip(*words):
    subprocess.run([sys.executable, "-m", "pip", "-q", *map(str, words)], check=True, capture_output=True)


def test_what_is_in_it(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {f"{package}/py.typed" for package in PACKAGES} <= names
    kept = {
        path for package in PACKAGES for path in (ROOT / package).rglob("*") if path.suffix in (".py", ".toml", ".cpp")
    }
    kept |= set((ROOT / "figures").rglob("Snakefile"))
    assert {str(path.relative_to(ROOT)) for path in kept if "results" not in path.parts} <= names
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(PACKAGES)
    assert not [name for name in names if name.endswith((".h5", ".pt", ".png", ".zip"))]


def test_it_works_in_an_empty_folder(wheel, tmp_path):
    site, here = tmp_path / "site", tmp_path / "here"
    here.mkdir()
    pip("install", "--no-deps", "--no-index", "--no-compile", "--target", site, wheel)

    def run(*words):
        environment = os.environ | {"PYTHONPATH": str(site), "OMP_NUM_THREADS": "1"}
        done = subprocess.run(
            [sys.executable, *words], cwd=here, env=environment, check=True, capture_output=True, text=True
        )
        return done.stdout

    assert run("-c", "import minima; print(minima.__file__)").startswith(str(site))
    assert "sharpness" in run("-m", "minima", "list")
    run("-m", "minima", "train", "--model", "mlp:hidden=4", "--data", "digits", "--epochs", "1", "-o", "net.pt")
    told = json.loads(run("-m", "landscape.hessian", "net.pt", "--top", "1", "--samples", "40", "--json"))
    assert len(told["eigenvalues"]) == 1
