"""Help texts: defaults are told where they tell something, lines end where the screen does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

import pytest
import tyro

from minima.store.command import Command, run


@dataclass(frozen=True)
class Inner:
    """Flags inside of flags."""

    within: float | None = None
    """as outside"""
    rate: float = 0.5
    """told"""


@dataclass(frozen=True, kw_only=True)
class Flags(Command):
    """A command for tests."""

    files: tyro.conf.Positional[tuple[str, ...]]
    """some"""
    inner: Annotated[Inner, tyro.conf.OmitArgPrefixes] = field(default_factory=Inner)
    named: str | None = None
    """a name (default: the file's)"""
    set_: bool = False
    """a switch"""
    several: tuple[int, ...] = ()
    """numbers"""
    none: int = 0
    """zero is a number"""
    title: str = ""
    """a text that goes on
    in a second line"""


def test_only_defaults_that_tell_something_are_told(capsys):
    for _ in range(2):  # a class may serve more than one command line of a process
        with pytest.raises(SystemExit):
            run(Flags, lambda _: None, prog="x", argv=["--help"])
        told = capsys.readouterr().out
        assert "None" not in told
        assert "False" not in told
        assert "(default: )" not in told
        assert "(default: '')" not in told
        assert [told.count(f"(default: {value})") for value in ("the file's", "0.5", "0")] == [1, 1, 1]


def test_lines_end_where_the_screen_does_and_not_where_the_source_does(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    with pytest.raises(SystemExit):
        run(Flags, lambda _: None, prog="x", argv=["--help"])
    told = capsys.readouterr().out
    assert "a text that goes on in a second line" in told
    assert "print exactly one JSON object instead of a table" in told, "of the class that it derives from"
    assert "as outside" in told, "of a class among its fields"


def test_what_is_parsed_is_as_before(capsys):
    parsed = []
    with pytest.raises(SystemExit):
        run(Flags, parsed.append, prog="x", argv=["a", "b", "--within", "2", "--several", "1", "2"])
    with pytest.raises(SystemExit):
        run(Flags, parsed.append, prog="x", argv=["a"])
    assert parsed == [Flags(files=("a", "b"), inner=Inner(within=2.0), several=(1, 2)), Flags(files=("a",))]
