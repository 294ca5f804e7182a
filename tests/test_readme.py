"""README and pages keep their word: no gaps, links lead somewhere, the commands they name exist, their code runs."""

import re
from pathlib import Path

import pytest
import torch
from torch import nn

from landscape import measure_sharpness
from pruning import prune

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGES = {
    str(path.relative_to(ROOT)): path for path in (README, ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md"))
}


@pytest.mark.parametrize("page", PAGES)
def test_nothing_was_left_to_fill_in(page):
    assert "@@" not in PAGES[page].read_text()


@pytest.mark.parametrize("page", PAGES)
def test_what_is_linked_exists(page):
    links = re.findall(r"\]\(([^)#]+)\)", PAGES[page].read_text())
    here = PAGES[page].parent
    assert not [link for link in links if not link.startswith("http") and not (here / link).exists()]


@pytest.mark.parametrize("page", PAGES)
def test_commands_it_names_exist(page):
    for module in set(re.findall(r"python -m ([a-z0-9_.]+)", PAGES[page].read_text())) - {"pytest"}:
        path = ROOT / module.rstrip(".").replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module


def test_the_readme_is_short_and_leads_to_every_page():
    text = README.read_text()
    assert len(text.encode()) <= 8192
    assert {"landscape.sharpness", "entropy.psp", "pruning", "minima.train"} <= set(re.findall(r"-m ([a-z.]+)", text))
    reached, open_pages = set(), set(re.findall(r"docs/[a-z-]+\.md", text))
    while open_pages:
        reached |= open_pages
        linked = {link for page in open_pages for link in re.findall(r"\]\(([a-z-]+\.md)", PAGES[page].read_text())}
        open_pages = {f"docs/{link}" for link in linked} - reached
    assert reached >= {page for page in PAGES if page.startswith("docs/")}


@pytest.mark.parametrize("page", PAGES)
def test_every_study_it_names_has_a_configuration(page):
    for name in re.findall(r"CONFIG=(\w+)", PAGES[page].read_text()):
        assert (ROOT / "figures" / "study" / "studies" / f"{name}.toml").exists()


def classes_on(page):
    """What the page's Python code that defines classes leaves behind."""
    found = {}
    for block in re.findall(r"```python\n(.*?)```", (ROOT / "docs" / page).read_text(), re.DOTALL):
        if "\nclass " in block:
            exec(compile(block, page, "exec"), found)
    return found


def test_what_the_page_on_extending_adds_works():
    found, model, data = classes_on("extending.md"), nn.Linear(4, 3), (torch.randn(30, 4), torch.arange(30) % 3)
    model(data[0]).sum()
    nn.functional.cross_entropy(model(data[0]), data[1]).backward()
    truth = sum(parameter.grad.square().sum().item() for parameter in model.parameters())
    measured = measure_sharpness(model, data, measures=[found["GradientSquare"]()])
    assert measured["gradient_square"].value == pytest.approx(truth, rel=1e-5)
    pruned = prune(model, data, method=found["Uniform"](), sparsity=0.5)
    assert pruned.sparsity == 0.5


def test_files_that_the_pages_name_are_there():
    for page in ("docs/extending.md", "docs/architecture.md"):
        named = re.findall(
            r"`((?:minima|landscape|entropy|pruning|figures|tests|benchmarks)/[\w./]+)`", PAGES[page].read_text()
        )
        assert len(named) > 5
        made = {"landscape/sharpness/measures/gradient_square.py", "pruning/methods/uniform.py"}
        assert not [path for path in named if path not in made and not (ROOT / path).exists()]
