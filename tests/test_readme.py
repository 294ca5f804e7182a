"""The README keeps its word: no gaps, and what it links to is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def test_nothing_was_left_to_fill_in():
    assert "@@" not in README


def test_what_is_linked_exists():
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert len(links) > 8
    assert not [link for link in links if not (ROOT / link).exists()]


def test_commands_it_names_exist():
    modules = set(re.findall(r"python -m ([a-z0-9_.]+)", README))
    assert {"landscape.sharpness", "entropy.psp", "pruning", "minima.train"} <= modules
    for module in modules:
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module


def test_every_study_it_names_has_a_configuration():
    for name in {"digits", *re.findall(r"CONFIG=(\w+)", README)}:
        assert (ROOT / "figures" / "study" / "studies" / f"{name}.toml").exists()
