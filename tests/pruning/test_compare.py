"""`python -m figures.study.comparison.run`: killed, with a failing arm, repaired."""

import importlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import tyro

from figures.study.comparison.comparison import BUNDLED, read_comparison
from figures.study.comparison.run import Compare, main
from figures.study.comparison.values import rows
from minima.store.checkpoints.checkpoint import load
from minima.store.command import BadInput

ROOT = Path(__file__).parents[2]
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
    command = [sys.executable, "-m", "figures.study.comparison.run", "--config", "c.toml", "--cores", "2", "--json"]
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
    assert b"1 of 3 networks failed" in said
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
    comparison = read_comparison(tmp_path / "c.toml")
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
    base, other = (read_comparison(tmp_path / name) for name in ("c.toml", "d.toml"))
    assert replace(base, name="other", seeds=3) == other
    (tmp_path / "e.toml").write_text('like = "d.toml"\nname = "third"\nprune = "--epochs 3"')
    assert replace(other, name="third", prune="--epochs 3") == read_comparison(tmp_path / "e.toml")
    (tmp_path / "e.toml").write_text('like = "d.toml"')
    with pytest.raises(BadInput, match="`like` needs a name beside it"):
        read_comparison(tmp_path / "e.toml")


def test_finished_networks_of_that_name_are_not_replaced_unasked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "c.toml").write_text(CONFIG)
    stored = {
        "comparison": asdict(read_comparison(tmp_path / "c.toml")),
        "cells": [{"arm": "dense"}, {"arm": "random"}],
    }
    Path("out").mkdir()
    Path("out/test.comparison.json").write_text(json.dumps(stored))
    for old, new, said in [
        ('dense = "--epochs 2', 'dense = "--epochs 3', "with another dense:\n  there --epochs 2 --batch-size 50"),
        ('method = "random"', 'method = "magnitude"', r"with another \[arms.random\]"),
    ]:
        (tmp_path / "c.toml").write_text(CONFIG.replace(old, new))
        with pytest.raises(BadInput, match=said):
            main(Compare(config="c.toml", dry=True))
        assert main(Compare(config="c.toml", dry=True, overwrite=True)).summary == {"jobs": 0}
    for old, new in [("--rounds 5", "--rounds 2"), ("seeds = 1", "seeds = 2"), ("[0.9]", "[0.8, 0.9]")]:
        (tmp_path / "c.toml").write_text(CONFIG.replace(old, new))
        assert main(Compare(config="c.toml", dry=True)).summary == {"jobs": 0}


def test_training_from_initialisation_does_not_pay_for_the_parent(dense):
    from figures.study.comparison.values import _epochs_used
    from pruning.context.starts import FromEpoch, FromParent

    parent = load(dense)
    assert [_epochs_used(start, parent) for start in (FromParent(), FromEpoch(0), FromEpoch(1))] == [4, 0, 1]


@pytest.mark.parametrize("path", sorted(BUNDLED.glob("*.toml")), ids=lambda path: path.stem)
def test_bundled_comparisons_are_valid(path):
    assert read_comparison(path).cells()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('method = "random"', 'method = "chance"', r"\[arms.random\]: there is no method 'chance'. Known: "),
        ("seeds = 1", "seeds = 0", "seeds = 0: expected how many, 1 or more"),
        ("seeds = 1", "seeds = [0, 1]", "expected how many"),
        ('data = "digits"', 'like = "none.toml"', "like = 'none.toml': there is no such file"),
        ('data = "digits"', 'like = "c.toml"', "like = 'c.toml', which is like this one"),
        ("sparsities = [0.9]", "sparsities = [90]", "sparsity 90 of random: expected a fraction"),
        ('model = "mlp:hidden=12"', "", "missing 1 required positional argument: 'model'"),
        ("seeds = 1", "seed = 1", "there is no key 'seed'. Known: name, model"),
        ('name = "test"', 'name = "A/b"', "becomes part of file names"),
        ("seeds = 1", "seeds == 1", "line 5"),
    ],
)
def test_a_wrong_configuration_is_refused_by_its_key(old, new, said, tmp_path):
    (tmp_path / "c.toml").write_text(CONFIG.replace(old, new))
    with pytest.raises(BadInput, match=said):
        read_comparison(tmp_path / "c.toml")


def test_wrong_flags_of_an_arm_and_an_unknown_comparison(tmp_path, capsys):
    (tmp_path / "c.toml").write_text(CONFIG.replace("--rounds 5", "--turns 5"))
    with pytest.raises(SystemExit):
        read_comparison(tmp_path / "c.toml")
    assert "[arms.rounds]" in capsys.readouterr().err
    (tmp_path / "c.toml").write_text(CONFIG.replace("--lr 0.01", "--learn 0.01"))
    with pytest.raises(SystemExit):
        read_comparison(tmp_path / "c.toml")
    assert "--learn" in capsys.readouterr().err
    with pytest.raises(BadInput, match="Known: digits, findings"):
        main(Compare(config="nothing"))
