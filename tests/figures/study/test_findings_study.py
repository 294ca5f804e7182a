"""A small study of kind `findings` from nothing to its page, and statements that no job would ever serve."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from forks.python import python

from figures.study.kinds import read_study
from minima.store.command import BadInput

ROOT = Path(__file__).parents[3]
COMPARISON = """
name = "small"
model = "mlp:hidden=6"
data = "digits"
seeds = 2
sparsities = [0.8]
dense = "--epochs 1 --batch-size 100"
prune = "--epochs 1"
sharpness = "--measures lambda_max --samples 50"

[arms.magnitude]
method = "magnitude"

[arms.random]
method = "random"
"""
STUDY = """
kind = "findings"
name = "own"
comparisons = ["c.toml"]
statements = "s.toml"
figures = "fig/own"
seeds = 2

[collapse]
networks = ["mlp:hidden=6"]
data = "digits"
methods = ["random", "magnitude", "synflow"]

[edge]
model = "mlp:hidden=4"
flags = "--validation 0 --batch-size 1437 --momentum 0 --weight-decay 0 --lr 0.5"
moments = 3

[edge.labels.true]
data = "digits"
epochs = 6
"""
STATEMENTS = """
reached_within = 0.01

[[claim]]
name = "worse"
text = "Chance is worse"
source = "nobody"
value = "error"
direction = "above"
margin = 0.5
views = [{ kind = "difference", arms = ["magnitude", "random"], sparsities = [0.8], stage = "unfinished" }]

[[claim]]
name = "collapse"
text = "Layers empty in this order"
source = "nobody"
value = "log_compression"
direction = "above"
views = [{ kind = "trend", table = "collapse", model = "mlp", arms = ["random", "magnitude", "synflow"] }]

[[claim]]
name = "edge"
text = "Descent settles"
source = "nobody"
value = "edge"
direction = "zero"
margin = 0.1
views = [{ kind = "range", table = "edge", labels = "true" }]
"""


@pytest.fixture
def folder(tmp_path):
    for name, text in (("c.toml", COMPARISON), ("own.toml", STUDY), ("s.toml", STATEMENTS)):
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.slow
def test_from_nothing_to_the_page(folder):
    line = [python(), "-m", "figures.study", "own.toml", "--cores", "2", "--json"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["jobs"] == 6 + 2 + 1 + 4
    assert told["pictures"] == [f"fig/own/findings{ending}" for ending in (".svg", ".png", ".md", ".json")]
    assert [row["seeds"] for row in told["comparisons"][0]["rows"]] == [2, 2, 2]
    (setting,) = json.loads((folder / "fig/own/findings.json").read_text())["settings"]
    views = {claim["name"]: claim["views"][0] for claim in setting["claims"]}
    assert all(view["n"] == 2 for view in views.values())
    errors = {
        (cell["arm"], cell["seed"]): cell["error"]
        for cell in json.loads((folder / "out/small.comparison.json").read_text())["cells"]
    }
    differences = [100 * (errors["random", seed] - errors["magnitude", seed]) for seed in (0, 1)]
    assert views["worse"]["median"] == pytest.approx(sum(differences) / 2)
    assert "Fixed before the run in\n`s.toml`." in (folder / "fig/own/findings.md").read_text()
    again = subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    assert json.loads(again.stdout)["jobs"] == 0


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            'arms = ["magnitude", "random"]',
            'arms = ["magnitude", "chance"]',
            "claim 'worse', comparison 'small': there is",
        ),
        ("sparsities = [0.8]", "sparsities = [0.9]", "magnitude is not made at sparsity 0.9, but at [0.8]"),
        ('stage = "unfinished"', 'stage = "finished"', "stage 'finished' needs a `finish`"),
        (
            'model = "mlp"',
            'model = "lenet5"',
            "claim 'collapse': there is no network of [collapse] 'lenet5'. Known: mlp",
        ),
        ('"random", "magnitude", "synflow"]', '"random", "magnitude", "snip"]', "no method of [collapse] 'snip'"),
        ('labels = "true"', 'labels = "false"', "claim 'edge': there is no table among [edge.labels] 'false'"),
    ],
)
def test_statements_of_networks_that_are_never_made_are_refused_before_any_work(old, new, said, folder):
    assert old in STATEMENTS
    (folder / "s.toml").write_text(STATEMENTS.replace(old, new))
    with pytest.raises(BadInput) as told:
        read_study(folder / "own.toml")
    assert str(told.value).startswith(f"{folder / 'own.toml'}: statements of {folder / 's.toml'}: ")
    assert said in str(told.value)
