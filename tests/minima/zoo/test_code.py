"""`file.py:factory`: what the user's file may count on, and what it leaves behind."""

import sys

import pytest

from minima.store.command import BadInput
from minima.zoo.code import call_factory


@pytest.fixture
def user_file(tmp_path, monkeypatch):
    """Write a file beside a neighbour; its spec. Afterwards `sys.path` is as it was."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "neighbour_of_mine.py").write_text("value = 5\n")
    monkeypatch.delitem(sys.modules, "neighbour_of_mine", raising=False)

    def written(text):
        (tmp_path / "mine.py").write_text(text)
        return f"{tmp_path / 'mine.py'}:make"

    return written


@pytest.mark.parametrize("where", ["import", "call"])
def test_neighbours_are_importable_at_import_and_in_the_call(user_file, where):
    top = "from neighbour_of_mine import value\n" * (where == "import")
    inside = "    from neighbour_of_mine import value\n" * (where == "call")
    before = list(sys.path)
    assert call_factory(user_file(f"{top}def make():\n{inside}    return value\n"), "--model") == 5
    assert sys.path == before


@pytest.mark.parametrize("line", ["sys.path.insert(0, '/of/the/user')", "sys.path.append('/of/the/user')"])
def test_what_the_user_puts_on_the_path_stays(user_file, tmp_path, line):
    before = list(sys.path)
    call_factory(user_file(f"import sys\n{line}\ndef make():\n    return 1\n"), "--model")
    assert set(sys.path) == {*before, "/of/the/user"}
    assert str(tmp_path) not in sys.path


def test_a_path_that_the_user_replaced_is_left_alone(user_file):
    call_factory(user_file("import sys\ndef make():\n    sys.path[:] = ['/only']\n    return 1\n"), "--model")
    assert sys.path == ["/only"]


def test_dataclasses_with_annotations_as_strings(user_file):
    text = (
        "from __future__ import annotations\nfrom dataclasses import dataclass, KW_ONLY\n"
        "@dataclass\nclass Size:\n    _: KW_ONLY\n    width: int = 3\ndef make():\n    return Size().width\n"
    )
    assert call_factory(user_file(text), "--model") == 3


def test_a_factory_that_fails_leaves_the_path_as_it_was(user_file):
    before = list(sys.path)
    with pytest.raises(BadInput, match=r"make\(\) failed: ValueError: no"):
        call_factory(user_file("def make():\n    raise ValueError('no')\n"), "--model")
    assert sys.path == before
