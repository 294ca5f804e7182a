"""What a command says to a person while it works: notes on stderr, and errors that are the user's to mend."""

from __future__ import annotations

import os
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from tqdm import tqdm

T = TypeVar("T")

SECONDS_BETWEEN_LINES = 60.0
BRIEF = 200
"""letters of another library's message"""
LONGEST, BEGINNING = 1000, 600
"""letters of a line of a message, and those of them before what is left out"""
OF_MANY = "{desc} {n_fmt} of {total_fmt} after {elapsed}, {remaining} left{postfix}"
OF_UNKNOWN = "{desc} {n_fmt} after {elapsed}{postfix}"
"""progress where there is no terminal, in the language of tqdm's bar_format"""


_HEARD: ContextVar[list[str] | None] = ContextVar("heard", default=None)
"""where notes go instead of stderr, inside `listening`"""


class BadInput(Exception):
    """The input or a value is bad. The message is shown as it is and the command ends with exit status 1.

    A few lines that name the file, layer or flag, what was expected, what was found, and what to type. What stands in a
    file may be in it: what a terminal would act on is written as its number, and of a line that no screen holds the
    middle is left out.
    """

    def __init__(self, message: object) -> None:
        super().__init__("\n".join(_abridged(line) for line in printable(str(message)).split("\n")))


def _abridged(line: str) -> str:
    """A line with its beginning and its end, which says what to type.

    >>> _abridged("x" * 3000)[595:645]
    'xxxxx ... (2,000 characters) ... xxxxxxxxxxxxxxxxx'
    """
    if len(line) <= LONGEST:
        return line
    return f"{line[:BEGINNING]} ... ({len(line) - LONGEST:,} characters) ... {line[BEGINNING - LONGEST :]}"


def printable(text: str) -> str:
    """A text with every letter that cannot be printed as its number, but for the ends of lines.

    >>> printable("no file a\\x1b[2J.pt")
    'no file a\\\\x1b[2J.pt'
    """
    return "".join(each if each.isprintable() or each in "\n\t" else ascii(each)[1:-1] for each in text)


def brief(error: BaseException) -> str:
    """What a library says of a file, as a part of a message: its first line, and of that no more than one shows.

    >>> brief(ValueError("no magic\\nat all"))
    'no magic'
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return lines[0] if len(lines[0]) <= BRIEF else f"{lines[0][:BRIEF]}..."


def speaks() -> bool:
    """Whether this process talks to the user: of those that torchrun started, only the first."""
    return os.environ.get("RANK", "0") == "0"


@contextmanager
def listening() -> Iterator[list[str]]:
    """Inside the block nothing is printed: notes go into the list, for a result to carry, and there are no bars.

    >>> with listening() as heard:
    ...     note("exact zeros count as removed weights")
    >>> heard
    ['exact zeros count as removed weights']
    """
    heard: list[str] = []
    token = _HEARD.set(heard)
    try:
        yield heard
    finally:
        _HEARD.reset(token)


def note(message: object) -> None:
    """Write one line on stderr, above a progress bar if there is one: stdout belongs to the result."""
    heard = _HEARD.get()
    if heard is not None:
        heard.append(str(message))
        return
    if not speaks():
        return
    with suppress(OSError):  # of a log on a full disk: no reason to lose the work
        if "tqdm" in sys.modules:
            from tqdm import tqdm

            tqdm.write(printable(str(message)), file=sys.stderr)
        else:
            print(printable(str(message)), file=sys.stderr)


def progress_bar(items: Iterable[T] | None = None, *, unit: str, **looks: Any) -> tqdm[T]:
    """The items, or nothing, under a bar on stderr that goes when all is done; `looks` are those of tqdm.

    Where stderr is no terminal, as in a night's log: a line each minute, also while nothing is completed for long. Of
    several ranks only the first's, as for notes.
    """
    from tqdm import tqdm

    terminal = getattr(looks.get("file", sys.stderr), "isatty", bool)()
    known = items is not None or looks.get("total") is not None
    looks |= {"desc": printable(looks.get("desc", ""))}
    looks |= {"unit": f" {unit}"} if terminal else _lines(unit, known, **looks)
    bar = tqdm(items, disable=not speaks() or _HEARD.get() is not None, leave=False, **looks)
    if not terminal and not bar.disable:
        threading.Thread(target=_remind, args=(weakref.ref(bar),), daemon=True).start()
    return bar


def _remind(bar: Callable[[], tqdm[Any] | None]) -> None:
    """Show a bar that stands still, as long as there is one.

    What the bar knows of its lines is left alone: by it, it counts what is completed.
    """
    pause, reminded = max(SECONDS_BETWEEN_LINES, 1.0), 0.0
    while True:
        time.sleep(pause / 2)
        shown = bar()
        if shown is None or shown.disable:  # closed
            return
        if not 0 <= time.time() - max(shown.last_print_t, shown.start_t, reminded) < pause:  # a clock may be set back
            shown.refresh()
            reminded = time.time()
        del shown


def _lines(unit: str, known: bool, desc: str = "", **_: Any) -> dict[str, Any]:
    """What makes tqdm write a line each minute, the first after a minute; `known`: it knows how many are to come."""
    text = f"{desc}: {unit}" if desc else unit
    pause = {"delay": SECONDS_BETWEEN_LINES, "mininterval": SECONDS_BETWEEN_LINES, "maxinterval": float("inf")}
    return {"desc": text, "bar_format": OF_MANY if known else OF_UNKNOWN, "file": _Stripped()} | pause


class _Stripped:
    """stderr without the returns and blanks that take back what was drawn on a terminal."""

    def write(self, text: str) -> None:
        with suppress(OSError):
            if line := text.strip():
                print(line, file=sys.stderr)

    def flush(self) -> None:
        with suppress(OSError):
            sys.stderr.flush()
