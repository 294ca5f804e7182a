"""A study of kind `methods`: killed, with a failing arm, repaired."""

import importlib
import json
import os
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest
import tyro
from forks.python import python

from figures.study.comparison.values import rows
from figures.study.engine.record import write_record
from figures.study.flags import StudyFlags
from figures.study.kinds import read_study
from figures.study.run import run_study
from minima.store.checkpoints.checkpoint import load
from minima.store.command import BadInput
from pruning.context.starts import EdgeOfChaos, FromEpoch, FromParent, TrainedAgain

ROOT = Path(__file__).parents[3]
CONFIG = """
name = "test"
model = "mlp:hidden=12"
data = "digits"
seeds = 1
sparsities = [0.9]
dense = "--epochs 2 --batch-size 50"
prune = "--epochs 2"
finish = "--epochs 1 --lr 0.01 --batch-size 50"
sharpness = "--measures lambda_max,adaptive_lambda_max --samples 100"

[arms.random]
method = "random"

[arms.rounds]
method = "iterative-magnitude"
flags = "--rounds 5"
"""
MORE = CONFIG.replace("--rounds 5", "--rounds 2")  # two epochs can be shared out over two rounds, not over five


def start(folder):
    command = [python(), "-m", "figures.study", "c.toml", "--cores", "2", "--json"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        command, cwd=folder, env=environment, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def products(folder):
    """Finished files with the inode of their content: a file that is made again gets another."""
    found = [*folder.glob("runs/[!.]*.pt"), *folder.glob("out/[!.]*.h5")]
    return {path: path.stat().st_ino for path in found}


def single(folder, module, flags, checkpoint, *words):
    """A command's JSON object, in this process."""
    command = importlib.import_module(f"{module}.__main__")
    words = (str(folder / checkpoint), *words, "-o", str(folder / f"{Path(checkpoint).stem}.{module}.h5"))
    return command.main(tyro.cli(getattr(command, flags), args=words)).summary


@pytest.mark.slow
def test_killed_failed_and_repaired_it_says_what_the_single_commands_say(tmp_path):
    (tmp_path / "c.toml").write_text(CONFIG)
    process = start(tmp_path)
    while not products(tmp_path) and process.poll() is None:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    made = products(tmp_path)

    process = start(tmp_path)
    _, said = process.communicate(timeout=400)
    assert process.returncode == 1
    assert b"1 of 3 jobs failed" in said
    assert b"test-mlp-seed0.rounds-0.9" in said
    assert b"cannot be shared out" in said
    now = products(tmp_path)
    assert {path: now.get(path) for path in made} == made
    table = json.loads((tmp_path / "out/test.comparison.json").read_text())
    assert [row["seeds"] for row in table["rows"]] == [1, 1, 1, 1, 0, 0]
    assert [cell["arm"] for cell in table["missing"]] == ["rounds"]

    (tmp_path / "c.toml").write_text(MORE)
    made = now
    process = start(tmp_path)
    printed, said = process.communicate(timeout=400)
    assert process.returncode == 0, said
    assert json.loads(printed)["jobs"] == 1
    now = products(tmp_path)
    assert {path: now.get(path) for path in made} == made
    table = json.loads((tmp_path / "out/test.comparison.json").read_text())
    check_against_single_commands(tmp_path, table)
    assert "| rounds | 90 | finished | 1 |" in (tmp_path / "out/test.comparison.md").read_text()
    assert (tmp_path / "fig/test-comparison-finished.svg").stat().st_size


def check_against_single_commands(folder, table):
    dense, _, _, _, rounds, finished = table["cells"]
    masks = single(folder, "pruning.masks", "Masks", rounds["checkpoint"])
    flags = ("--measures", "lambda_max,adaptive_lambda_max", "--samples", "100")
    sharpness = single(folder, "landscape.sharpness", "Sharpness", rounds["checkpoint"], *flags)
    psp = single(folder, "entropy.psp", "Psp", rounds["checkpoint"])
    assert rounds["error"] == 1 - masks["accuracy"] == 1 - psp["accuracy"]
    assert rounds["effective_sparsity"] == masks["effective_sparsity"] >= rounds["sparsity"] == masks["sparsity"]
    assert rounds["lambda_max"] == sharpness["measures"]["lambda_max"]["value"]
    assert rounds["adaptive_lambda_max"] == sharpness["measures"]["adaptive_lambda_max"]["value"]
    assert rounds["psp_entropy"] == psp["network_mean"]
    assert rounds["psp_entropy_alive"] == pytest.approx(psp["layers"][0]["alive_mean"])
    assert rounds["training_dense"] == dense["training_dense"] + masks["training_multiply_adds"]["dense"]
    assert table["rows"][4]["lambda_max"]["median"] == rounds["lambda_max"]
    after = single(folder, "pruning.masks", "Masks", finished["checkpoint"])
    assert (finished["stage"], finished["error"]) == ("finished", 1 - after["accuracy"])
    assert finished["training_dense"] == rounds["training_dense"] + after["training_multiply_adds"]["dense"]
    assert (after["kept"], load(folder / finished["checkpoint"]).training["epochs"]) == (masks["kept"], 1)


def test_rows_are_medians_and_quartiles_over_the_seeds_that_are_there(tmp_path):
    (tmp_path / "c.toml").write_text(CONFIG.replace("seeds = 1", "seeds = 4"))
    comparison = read_study(tmp_path / "c.toml").comparison
    random = [cell for cell in comparison.cells() if cell.called == "random"]
    errors = zip(random, (0.1, 0.4, 0.2), strict=False)
    found = [(cell, "unfinished", {"error": error, "alive": None}) for cell, error in errors]
    dense, _, row, after, missing, _ = rows(comparison, found)
    assert row["error"] == pytest.approx({"low": 0.15, "median": 0.2, "high": 0.3})
    assert row["alive"] == {"low": None, "median": None, "high": None}
    assert [each["seeds"] for each in (dense, row, after, missing)] == [0, 3, 0, 0]


def test_a_comparison_like_another_one_says_only_what_is_different(tmp_path):
    (tmp_path / "c.toml").write_text(CONFIG)
    (tmp_path / "d.toml").write_text('like = "c.toml"\nname = "other"\nseeds = 3')
    base, other = (read_study(tmp_path / name).comparison for name in ("c.toml", "d.toml"))
    assert replace(base, name="other", seeds=3) == other
    (tmp_path / "e.toml").write_text('like = "d.toml"\nname = "third"\nprune = "--epochs 3"')
    assert replace(other, name="third", prune="--epochs 3") == read_study(tmp_path / "e.toml").comparison
    (tmp_path / "e.toml").write_text('like = "d.toml"')
    with pytest.raises(BadInput, match="`like` needs a name beside it"):
        read_study(tmp_path / "e.toml")
    (tmp_path / "e.toml").write_text('like = "first"\nname = "mine"\nseeds = 1')
    assert [arm.name for arm in read_study(tmp_path / "e.toml").comparison.arms][:2] == ["random", "magnitude"]


def test_finished_networks_of_that_name_are_not_replaced_unasked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "c.toml").write_text(CONFIG)
    write_as_made(Path("c.toml"))
    for old, new, there, here in [
        ('dense = "--epochs 2', 'dense = "--epochs 3', "--epochs 2 --batch-size 50", "--epochs 3 --batch-size 50"),
        ('method = "random"', 'method = "magnitude"', "pruning random", "pruning magnitude"),
    ]:
        (tmp_path / "c.toml").write_text(CONFIG.replace(old, new))
        with pytest.raises(BadInput, match=f"  there .*{there}.*\n  here  .*{here}"):
            run_study(StudyFlags(study="c.toml", dry=True))
        assert run_study(StudyFlags(study="c.toml", dry=True, overwrite=True)).summary["jobs"] == 0
    for old, new in [("--rounds 5", "--rounds 2"), ("seeds = 1", "seeds = 2"), ("[0.9]", "[0.8, 0.9]")]:
        (tmp_path / "c.toml").write_text(CONFIG.replace(old, new))
        assert run_study(StudyFlags(study="c.toml", dry=True)).summary["planned"] > 0


def write_as_made(path):
    """What a run leaves behind in which the arm `rounds` failed."""
    plan = read_study(path).plan()
    Path("out").mkdir()
    Path("runs").mkdir()
    write_record(plan)
    for job in plan.jobs:
        for file in job.makes if "rounds" not in job.name else ():
            Path(file).touch()


def test_training_from_initialisation_does_not_pay_for_the_parent():
    starts = (FromParent(), TrainedAgain(), FromEpoch(0), FromEpoch(1), EdgeOfChaos())
    assert [start.behind(20) for start in starts] == [20, 20, 0, 1, 0]
