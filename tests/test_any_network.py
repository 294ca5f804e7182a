"""docs/any-network.md: every command on the page does what the page says, in the order it is typed there."""

import contextlib
import re
from pathlib import Path

import pytest
from cases.lines import typed

from minima.zoo.losses.loss import losses
from pruning.__main__ import main as prune

PAGE = (Path(__file__).parents[1] / "docs" / "any-network.md").read_text()


def block(kind):
    return re.search(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL).group(1)


def lines(text, start):
    return [line.removeprefix(start).split() for line in text.splitlines() if line.startswith(start)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """With the page's network trained, its commands typed."""
    found = tmp_path_factory.mktemp("page")
    (found / "net.py").write_text(block("python"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(found)
        exec(compile(block("python"), "net.py", "exec"), {"__name__": "__main__"})
    return found


def test_the_commands_of_the_page(folder):
    found = {}
    for module, *words in lines(block("sh"), "python -m "):
        if module == "pruning":
            with contextlib.chdir(folder), pytest.raises(SystemExit) as end:
                prune(words)
            assert end.value.code == 0
            continue
        status, found[module, words[0]], said = typed(folder, module, *words)
        assert status == 0, said
    assert found["landscape.hessian", "tagger.pt"]["loss"] < 0.5
    assert found["landscape.hessian", "half.pt"]["dimension"] < 2500


def test_its_refusals_read_as_printed(folder):
    page = block("text")
    for module, *words in lines(page, "$ python -m "):
        status, result, said = typed(folder, module, *words)
        assert (status, result) == (1, None)
        assert f"$ python -m {module} {' '.join(words)}\n{said}" in page


def test_every_loss_stands_in_its_table():
    assert set(losses()) <= set(re.findall(r"^\| `([a-z-]+)` \|", PAGE, re.MULTILINE))
