"""A command's life from its flags to its exit status: 0 done, 1 bad input or failed, 2 wrong syntax, 130 stopped."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from minima.store.allocator import keep_freed_memory
from minima.store.disk import REASONS
from minima.store.help_texts import tidy
from minima.store.interruptions import Terminated, raised
from minima.store.messages import BadInput, note, printable, speaks
from minima.store.plain import to_json
from minima.store.room import DEFAULT, allowing
from minima.store.table import render_table

__all__ = ["BadInput", "Command", "Report", "note", "parse", "render_table", "run"]

A = TypeVar("A")

LAST_STANDARD = 2
"""file descriptor: that of stderr"""
LINES_OF_AN_ERROR = 8
KEPT = "what is finished is kept: type the same line again to go on"


@dataclass(frozen=True)
class Report:
    """What a command has to say: the JSON object for scripts, the text for people."""

    summary: dict[str, Any]
    table: str


@dataclass(frozen=True, kw_only=True)
class Command:
    """The flags that every command has."""

    json: bool = False
    """print exactly one JSON object instead of a table"""
    debug: bool = False
    """show where in the code an error arose"""


def run(
    arguments: type[A],
    main: Callable[[A], Report | None],
    *,
    prog: str,
    description: str | None = None,
    argv: Sequence[str] | None = None,
) -> NoReturn:
    """Parse the command line into `arguments`, call `main` with it, print its report, and exit.

    `description` defaults to the docstring of `arguments`. The exit status is 0 when done, 1 when the input is bad or
    the work failed (with a message of a few lines on stderr, a traceback only with --debug), 2 for wrong syntax, 130
    after Ctrl-C and 143 after SIGTERM. With --json the report goes to stdout as exactly one strict JSON object with
    `wall_seconds` (since the process began) added, and whatever else is printed goes to stderr.
    """
    debug = "--debug" in (sys.argv if argv is None else argv)
    keep_freed_memory()
    _standard_streams()
    try:
        parsed = parse(arguments, prog, argv, description)
        _require_folder()
        with raised(), allowing(getattr(parsed, "memory", DEFAULT)):
            _work(parsed, main, as_json=getattr(parsed, "json", False))
    except KeyboardInterrupt as stop:
        _stopped(prog, stop)
    except BrokenPipeError:  # the reader of our output left, `| head`: nothing is wrong, nobody is listening
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        if debug:
            traceback.print_exc()
        note(f"error: {explain(error, debug)}")
        sys.exit(1)
    sys.exit(0)


def _stopped(prog: str, stop: KeyboardInterrupt) -> NoReturn:
    terminated = isinstance(stop, Terminated)
    note(f"{prog}: {'terminated' if terminated else 'stopped'}; {KEPT}")
    sys.exit(143 if terminated else 130)


def parse(arguments: type[A], prog: str, argv: Sequence[str] | None = None, description: str | None = None) -> A:
    """The command line as `arguments`; wrong syntax, and --help, end the process."""
    import tyro

    tidy(arguments, shown=not {"-h", "--help"}.isdisjoint(sys.argv if argv is None else argv))
    looks = (tyro.conf.FlagCreatePairsOff, tyro.conf.DisallowNone)
    try:
        return tyro.cli(arguments, prog=prog, description=description, args=argv, config=looks)
    except SystemExit as end:
        if end.code:
            _tell_swallowed(sys.argv[1:] if argv is None else argv)
        raise


def _tell_swallowed(words: Sequence[str]) -> None:
    """Say which paths were taken for further values of a flag that takes several."""
    for index, word in enumerate(words):
        behind = index > 1 and words[index - 2].startswith("--") and not words[index - 1].startswith("-")
        if behind and word.endswith((".pt", ".h5", ".safetensors")):
            note(
                f"{word} stands behind a value of {words[index - 2]}: where that takes several, type paths before flags"
            )


def explain(error: Exception, debug: bool = False) -> str:
    """An error in the words of its user: what is wrong and what to type.

    >>> explain(FileNotFoundError(2, "No such file or directory", "runs/x.pt"))
    'runs/x.pt: No such file or directory'
    """
    text = _first_lines(str(error))
    if isinstance(error, BadInput):
        return str(error)
    if isinstance(error, MemoryError) or "out of memory" in text or "can't allocate memory" in text:
        return f"not enough memory: {text or 'allocation failed'}\nTry a smaller --batch-size or fewer --samples"
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename is not None else ""
        if error.errno in REASONS:
            return f"{where}{REASONS[error.errno]}.\nMend that and type the same line again"
        return f"{where}{error.strerror}"
    hint = "" if debug else "\nThis is not a message you should see; run again with --debug to see where it arose"
    return f"{type(error).__name__}: {text}{hint}"


def seconds_since_start(fallback: float) -> float:
    """Wall seconds since this process began, start-up included; `fallback` where the system does not tell."""
    try:
        with open("/proc/self/stat") as stat:
            ticks = int(stat.read().rpartition(")")[2].split()[19])  # the 22nd field; the 2nd may hold blanks
        since = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, AttributeError, ValueError, IndexError):
        return fallback
    return max(since, 0.0)


def _work(parsed: A, main: Callable[[A], Report | None], as_json: bool) -> None:
    began = time.perf_counter()
    # what others print (a user's model file, say) must not get between the braces
    with contextlib.redirect_stdout(sys.stderr) if as_json else contextlib.nullcontext():
        report = main(parsed)
    if not speaks():
        return
    if as_json:
        summary = report.summary if report is not None else {}
        print(to_json(summary | {"wall_seconds": seconds_since_start(time.perf_counter() - began)}))
    elif report is not None:
        print(printable(report.table))
    sys.stdout.flush()


def _require_folder() -> None:
    """There is a folder that we are in: without one, libraries end the process where they look for their files."""
    try:
        os.getcwd()
    except FileNotFoundError as error:
        raise BadInput("the folder that you are in has been removed. Type: cd, to go to one that is there") from error


def _standard_streams() -> None:
    """Streams that were closed are empty ones, lest a file of ours take their place; letters they lack are numbers."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= LAST_STANDARD:
        pass
    os.close(descriptor)
    sys.stdout = sys.stdout or open(1, "w", closefd=False)  # noqa: SIM115 (it stays)
    sys.stderr = sys.stderr or open(2, "w", closefd=False)  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _first_lines(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return "\n".join(lines[:LINES_OF_AN_ERROR])
