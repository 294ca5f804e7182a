"""The packages' public names: found lazily, whatever was imported before, and never a room's."""

import ast
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ["minima", "landscape", "entropy", "pruning"]


def homes(package):
    return importlib.import_module(package).HOMES


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_and_its_names_import_no_torch(package):
    code = (
        f"import sys, {package}; assert 'torch' not in sys.modules; names = {package}.__all__; dir({package})\n"
        "assert 'torch' not in sys.modules and names"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.parametrize("before", [True, False])
def test_every_name_is_itself_before_and_after_the_rooms(package, before):
    """In a process of its own: a submodule that is imported becomes an attribute of its package."""
    rooms = [f"{each.name}.__main__" for each in pkgutil.iter_modules([ROOT / package], f"{package}.") if each.ispkg]
    commands = [name for name in rooms if (ROOT / name.replace(".", "/")).with_suffix(".py").is_file()]
    modules = sorted({*commands, *(name.rpartition(".")[0] for name in rooms), *homes(package).values()})
    code = f"""
import importlib, inspect, {package}
if not {before}:
    for module in {modules}: importlib.import_module(module)
for name, home in {package}.HOMES.items():
    found = getattr({package}, name)
    assert not inspect.ismodule(found), name
    assert found is getattr(importlib.import_module(home), name), name
    assert (inspect.getdoc(found) or '').strip(), f'{{name}} says nothing in help()'
for module in {modules}: importlib.import_module(module)
for name, home in {package}.HOMES.items():
    assert getattr({package}, name) is getattr(importlib.import_module(home), name), name
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("package", PACKAGES)
def test_no_public_name_is_that_of_a_room_or_module(package):
    inside = {each.name for each in pkgutil.iter_modules([ROOT / package])}
    assert not inside & set(homes(package))


@pytest.mark.parametrize("package", PACKAGES)
def test_type_checkers_see_the_same_names(package):
    tree = ast.parse((ROOT / package / "__init__.py").read_text())
    guarded = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {alias.asname: node.module for node in guarded.body for alias in node.names}
    assert seen == homes(package)


@pytest.mark.parametrize("package", PACKAGES)
def test_what_is_not_there_is_said_with_what_is(package):
    with pytest.raises(AttributeError, match=r"has no attribute 'nonsense'. It has: "):
        _ = importlib.import_module(package).nonsense
