"""The documentation's site has every page and every public name; `make docs` builds it."""

import importlib
import re
import sys
from pathlib import Path

import pytest

from minima.__main__ import COMMANDS

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture
def generate(monkeypatch):
    monkeypatch.syspath_prepend(DOCS / "site")
    yield importlib.import_module("generate")
    del sys.modules["generate"]


def test_every_page_is_in_the_contents():
    pages = {path.stem for pattern in ("*.md", "*.ipynb") for path in DOCS.glob(pattern)} - {"index"}
    assert pages <= set(re.findall(r"^[a-z-]+$", (DOCS / "index.md").read_text(), re.MULTILINE))


def test_every_generated_page_is_in_the_contents(generate, tmp_path, monkeypatch):
    monkeypatch.setattr(generate, "flags_of_all", lambda: "")
    generate.write_pages(tmp_path / "docs" / "_generated")
    made = {
        f"_generated/{path.relative_to(tmp_path / 'docs' / '_generated').with_suffix('')}"
        for path in tmp_path.rglob("*.md")
    }
    assert made == set(re.findall(r"_generated/[a-z/-]+", (DOCS / "index.md").read_text()))


def test_every_public_name_has_its_place(generate):
    for package in generate.DOORS:
        named = re.findall(rf"auto(?:class|function):: {package}\.(\w+)", generate.functions_of(package))
        assert sorted(named) == sorted(importlib.import_module(package).HOMES)


def test_flags_are_those_that_help_tells(generate, monkeypatch):
    monkeypatch.setattr(generate, "COMMANDS", {"verify": COMMANDS["verify"]})
    assert "usage: python -m minima.verify" in generate.flags_of_all()
