"""docs/notebook.ipynb and docs/python.md: their code runs as it stands, and leaves nothing behind."""

import json
import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest

from minima.store.checkpoints.trajectory import read_steps

NOTEBOOK = Path(__file__).parents[1] / "docs" / "notebook.ipynb"
CELLS = [cell for cell in json.loads(NOTEBOOK.read_text())["cells"] if cell["cell_type"] == "code"]
NUMBER = re.compile(r"-?\d+\.?\d*(?:e-?\d+)?")


def shown(cell):
    """What the notebook shows that the cell printed."""
    return "".join("".join(each["text"]) for each in cell["outputs"] if each["output_type"] == "stream")


def test_the_code_runs_and_prints_what_the_notebook_shows(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    space = {}
    for number, cell in enumerate(CELLS):
        exec(compile("".join(cell["source"]), f"cell {number} of {NOTEBOOK.name}", "exec"), space)
        printed = capsys.readouterr()
        assert printed.err == ""
        assert NUMBER.sub("#", printed.out).split() == NUMBER.sub("#", shown(cell)).split()
        own, stored = (list(map(float, NUMBER.findall(text))) for text in (printed.out, shown(cell)))
        np.testing.assert_allclose(own, stored, rtol=0.2, atol=0.1)  # the loops round otherwise on another machine
    plt.close("all")
    assert not list(tmp_path.iterdir())
    assert space["found"]["lambda_max"].value == pytest.approx(space["found"].values["lambda_max"])
    assert space["after"].dimension < space["before"].dimension


def test_a_kernel_finds_a_valid_notebook():
    book = json.loads(NOTEBOOK.read_text())
    assert (book["nbformat"], book["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in book["cells"]}) == len(book["cells"])


def test_the_code_of_the_page_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text, space = NOTEBOOK.with_name("python.md").read_text(), {}
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(compile(block, "python.md", "exec"), space)
    assert space["top"].values.shape == (3,)
    assert read_steps(space["path"]) == [0, 10, 20]
    assert not list(tmp_path.iterdir())
