"""`python -m minima.checkpoint` and `python -m minima.results`: what is in a file, from any folder, at once."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from minima.checkpoint import describe
from minima.store.checkpoints.checkpoint import Checkpoint, load, save
from minima.store.checkpoints.trajectory_writer import TrajectoryWriter
from minima.store.hdf5.results import Identity, create
from minima.store.reading import sha256

ROOT = Path(__file__).parents[3]
COMMANDS = ("minima.checkpoint", "minima.results")
HEAVY = ("torch", "h5py", "scipy", "sklearn", "matplotlib")


def python(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture
def files(make_checkpoint: Callable[..., Checkpoint], tmp_path: Path) -> Path:
    """A folder with a checkpoint, a results file and a trajectory."""
    checkpoint = make_checkpoint(weights_at={0: {}}, parent="ab" * 32, method={"name": "magnitude"})
    save(checkpoint, tmp_path / "x.pt")
    writer = TrajectoryWriter(tmp_path / "x.trajectory.h5", checkpoint, "epoch")
    writer.append(1, checkpoint.state, checkpoint.masks)
    writer.finish()
    with create(tmp_path / "x.h5", Identity("hessian", ["ab" * 32], {"top": 2}), ["x.pt"], {"seed": 0}) as results:
        place = results.place(0)
        place.scale("hessian/rank", [1, 2], "1", "rank")
        place.write("hessian/eigenvalues", [12.5, 3.25], ("rank",), "nat", "largest eigenvalues")
        results.mark_done(0, {"loss": 0.5, "seconds": 1.0})
        results.finish()
    return tmp_path


def test_a_checkpoint_is_described(files: Path) -> None:
    done = python("-m", "minima.checkpoint", "x.pt", folder=files)
    assert (done.returncode, done.stderr) == (0, "")
    for text in ("name=lenet300", "spec=digits", "recipe.lr=0.1", "fc1.weight", "40x50", "magnitude", "ab" * 32):
        assert text in done.stdout


def test_a_checkpoint_as_json(files: Path) -> None:
    done = python("-m", "minima.checkpoint", "x.pt", "--json", folder=files)
    found = json.loads(done.stdout)
    mask = load(files / "x.pt").masks["fc1.weight"]
    assert found["sha256"] == sha256(files / "x.pt")
    assert found["survivors"] == int(mask.sum())
    assert found["prunable"] == 2000
    assert found["sparsity"] == 1 - int(mask.sum()) / 2000
    assert found["parameters"] == 2000 + 40  # the statistics of the normalisation are not fitted
    assert found["weights_at"] == [0]
    assert found["model"]["name"] == "lenet300"


def test_a_dense_checkpoint_is_called_dense(make_checkpoint: Callable[..., Checkpoint]) -> None:
    described = describe(make_checkpoint(None))
    assert (described["sparsity"], described["layers"], described["prunable"]) == (0, [], None)


def test_results_are_described(files: Path) -> None:
    done = python("-m", "minima.results", "x.h5", folder=files)
    assert (done.returncode, done.stderr) == (0, "")
    for text in ("measure", "hessian/eigenvalues", "largest eigenvalues", "12.5", "rank", '{"top": 2}'):
        assert text in done.stdout


def test_long_attributes_are_abridged_for_a_person(tmp_path: Path) -> None:
    path, long = tmp_path / "long.h5", "x" * 5000
    with create(path, Identity("measure", ["ab" * 32], {"top": 2}), ["x.pt"], {"seed": 0}) as results:
        results.mark_done(0, {"long": long})
        results.finish()
    shown = python("-m", "minima.results", str(path), folder=tmp_path).stdout
    assert long[:1900] in shown
    assert long not in shown
    assert "--json has them all" in shown
    assert long in python("-m", "minima.results", "--json", str(path), folder=tmp_path).stdout


def test_results_as_json(files: Path) -> None:
    found = json.loads(python("-m", "minima.results", "x.h5", "--json", folder=files).stdout)
    assert found["attributes"]["arguments"] == {"top": 2}
    assert found["attributes"]["summary"] == [{"loss": 0.5}]
    array = next(each for each in found["arrays"] if each["name"] == "hessian/eigenvalues")
    assert array == {
        "name": "hessian/eigenvalues",
        "shape": [2],
        "dims": ["rank"],
        "dtype": "float64",
        "min": 3.25,
        "max": 12.5,
        "units": "nat",
        "long_name": "largest eigenvalues",
    }


def test_a_trajectory_is_described(files: Path) -> None:
    done = python("-m", "minima.results", "x.trajectory.h5", folder=files)
    assert done.returncode == 0
    assert "state/fc1.weight" in done.stdout


@pytest.mark.parametrize(
    ("command", "file"),
    [
        ("minima.checkpoint", "x.h5"),
        ("minima.checkpoint", "nothing.pt"),
        ("minima.checkpoint", "."),
        ("minima.results", "x.pt"),
        ("minima.results", "nothing.h5"),
    ],
)
def test_bad_input_exits_1_with_a_message(files: Path, command: str, file: str) -> None:
    done = python("-m", command, file, folder=files)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: ")
    assert file in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) <= 4


@pytest.mark.parametrize("command", COMMANDS)
def test_wrong_syntax_exits_2(tmp_path: Path, command: str) -> None:
    assert python("-m", command, "--nonsense", folder=tmp_path).returncode == 2


@pytest.mark.parametrize("command", COMMANDS)
def test_help_answers_at_once(tmp_path: Path, command: str) -> None:
    def worked() -> float:
        """Processor seconds of the processes waited for so far: others on this machine do not count."""
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    before = worked()
    done = python("-m", command, "--help", folder=tmp_path)
    assert worked() - before < 0.5
    assert done.returncode == 0
    assert f"python -m {command}" in done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_help_imports_nothing_heavy(tmp_path: Path, command: str) -> None:
    script = (
        "import runpy, sys\n"
        f"sys.argv = ['x', '--help']\n"
        "try:\n"
        f"    runpy.run_module('{command}', run_name='__main__', alter_sys=True)\n"
        "except SystemExit as done:\n"
        f"    print('imported:', [name for name in {HEAVY} if name in sys.modules], done.code)\n"
    )
    assert python("-c", script, folder=tmp_path).stdout.splitlines()[-1] == "imported: [] 0"


def test_no_module_of_the_store_imports_torch_or_h5py_by_being_imported(tmp_path: Path) -> None:
    paths = [path.relative_to(ROOT) for path in (ROOT / "minima" / "store").rglob("*.py")]
    names = [".".join(path.with_suffix("").parts) for path in paths if path.stem != "__init__"]
    script = f"import sys, {', '.join(names)}\nprint([name for name in {HEAVY} if name in sys.modules])"
    assert python("-c", script, folder=tmp_path).stdout == "[]\n"


def test_reading_results_needs_no_torch(files: Path) -> None:
    script = (
        "import sys\nfrom pathlib import Path\nfrom minima.store.hdf5.results import summary\nsummary(Path('x.h5'))\n"
    )
    assert python("-c", script + "print('torch' in sys.modules)", folder=files).stdout == "False\n"
