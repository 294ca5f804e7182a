"""docs/structured.md: its commands run in the order they are typed, and its tables are whole."""

import contextlib
import re
import runpy
import sys
from itertools import pairwise
from pathlib import Path
from unittest.mock import patch

import pytest

from minima.store.checkpoints.checkpoint import load
from pruning.composition.method import methods
from pruning.context.criterion import criteria
from pruning.spaces.units import Units

PAGE = (Path(__file__).parents[2] / "docs" / "structured.md").read_text()


def block(kind):
    return re.search(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL).group(1)


def lines(text, start):
    return [line.removeprefix(start).split() for line in text.splitlines() if line.startswith(start)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """With what the page's commands write."""
    found = tmp_path_factory.mktemp("page")
    for words in lines(block("sh"), "python -m "):
        assert typed(found, words) == 0, words
    return found


def typed(folder, words):
    """The exit status of `python -m WORDS` in a folder."""
    with contextlib.chdir(folder), patch.object(sys, "argv", words), pytest.raises(SystemExit) as end:
        runpy.run_module(words[0], run_name="__main__", alter_sys=True)
    return end.value.code or 0


def test_every_command_reaches_what_it_was_asked_for(folder):
    for _, _, _, *words in lines(block("sh"), "python "):
        flags = dict(pairwise(words))
        found = load(folder / flags["-o"]).metrics if flags.get("-o", "").endswith(".pt") else {}
        removed = found.get("removed", {}) | {"sparsity": found.get("sparsity")}
        for measure in ("sparsity", "units", "flops"):
            if f"--{measure}" in flags:
                assert removed[measure] >= float(flags[f"--{measure}"]) - 1e-5
                assert found["reached"]


def test_refusals_read_as_printed(folder, capsys):
    page = block("text")
    for words in lines(page, "$ python -m pruning "):
        capsys.readouterr()
        assert typed(folder, ["pruning", *words]) == 1
        said = capsys.readouterr().err
        assert f"$ python -m pruning {' '.join(words)}\n{said}" in page


def test_every_method_of_units_and_every_criterion_stands_in_its_table():
    told = set(re.findall(r"`([a-z0-9-]+)`", "\n".join(line for line in PAGE.splitlines() if line.startswith("| `"))))
    of_units = {name for name, method in methods().items() if isinstance(method().composition().space, Units)}
    assert of_units <= told
    assert set(criteria()) <= told
