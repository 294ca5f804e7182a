"""Registries find members by themselves, and only real members."""

from __future__ import annotations

import importlib
import itertools
import sys
from pathlib import Path

import pytest

from minima.store.registry import members

BASE = """
from dataclasses import dataclass
from typing import ClassVar
class Shape:
    name: ClassVar[str]
"""
MEMBER = """
from dataclasses import dataclass
from typing import ClassVar
from {package}.base import Shape
@dataclass(frozen={frozen})
class {cls}(Shape):
    name: ClassVar[str] = "{name}"
    size: int = 1
"""
NUMBERS = itertools.count()


class Package:
    """A package on disk that nobody has imported yet."""

    def __init__(self, folder: Path) -> None:
        self.name = f"registry_under_test_{next(NUMBERS)}"
        self.folder = folder / self.name
        self.folder.mkdir()
        self.write("__init__", "")
        self.write("base", BASE)

    def write(self, module: str, text: str) -> None:
        (self.folder / f"{module}.py").write_text(text)

    def add(self, module: str, name: str, cls: str = "Member", frozen: bool = True) -> None:
        self.write(module, MEMBER.format(package=self.name, name=name, cls=cls, frozen=frozen))

    def members(self) -> dict[str, type]:
        return members(self.name, importlib.import_module(f"{self.name}.base").Shape)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Package:
    monkeypatch.syspath_prepend(str(tmp_path))
    return Package(tmp_path)


def test_members_are_found_and_sorted_by_name(package: Package) -> None:
    package.add("a", "zebra")
    package.add("b", "ant")
    found = package.members()
    assert list(found) == ["ant", "zebra"]
    assert found["ant"]().size == 1


def test_what_is_not_a_member_is_left_out(package: Package) -> None:
    package.add("a", "ant")
    package.write("imports", f"from {package.name}.a import Member\n")
    package.write(
        "helper",
        f"from {package.name}.base import Shape\nclass Between(Shape):\n    pass\nclass Other:\n    name = 'other'\n",
    )
    package.write("__main__", "raise SystemExit('a registry must not run commands')\n")
    assert list(package.members()) == ["ant"]


def test_abstract_classes_are_left_out(package: Package) -> None:
    package.write(
        "a",
        f"from abc import ABC, abstractmethod\nfrom {package.name}.base import Shape\n"
        "class Half(Shape, ABC):\n    name = 'half'\n    @abstractmethod\n    def area(self): ...\n",
    )
    assert package.members() == {}


def test_a_subclass_without_a_name_of_its_own_does_not_shadow_its_parent(package: Package) -> None:
    package.add("a", "ant")
    package.write(
        "b",
        f"from dataclasses import dataclass\nfrom {package.name}.a import Member\n"
        "@dataclass(frozen=True)\nclass Variant(Member):\n    pass\n",
    )
    assert [cls.__name__ for cls in package.members().values()] == ["Member"]


def test_two_members_with_one_name_are_an_error(package: Package) -> None:
    package.add("a", "ant", cls="First")
    package.add("b", "ant", cls="Second")
    with pytest.raises(TypeError, match=r"First and .*Second are both named 'ant'"):
        package.members()


def test_a_member_that_could_change_is_an_error(package: Package) -> None:
    package.add("a", "ant", frozen=False)
    with pytest.raises(TypeError, match="frozen=True"):
        package.members()


def test_finding_members_imports_no_torch(package: Package) -> None:
    package.add("a", "ant")
    before = set(sys.modules)
    package.members()
    assert {name.split(".")[0] for name in set(sys.modules) - before} == {package.name}
