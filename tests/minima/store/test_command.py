"""A command's life: exit statuses, what goes to which stream, strict JSON, and no traceback for bad input."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from minima.store import messages
from minima.store.command import BadInput, Command, Report, explain, note, run, seconds_since_start
from minima.store.messages import progress_bar

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True, kw_only=True)
class Flags(Command):
    """A command for tests."""

    n: int = 3
    """how many"""

    def __post_init__(self) -> None:
        if self.n < 0:
            raise BadInput(f"--n {self.n}: expected 0 or more")


def outcome(
    main: Callable[[Flags], Report | None], *argv: str, capsys: pytest.CaptureFixture[str]
) -> tuple[int, str, str]:
    """Exit status, stdout and stderr of the command."""
    with pytest.raises(SystemExit) as exit_:
        run(Flags, main, prog="python -m x", argv=argv)
    captured = capsys.readouterr()
    assert isinstance(exit_.value.code, int)
    return exit_.value.code, captured.out, captured.err


def fail(error: BaseException) -> Callable[[Flags], Report]:
    def main(_: Flags) -> Report:
        raise error

    return main


def report(_: Flags) -> Report:
    return Report({"value": 1.5}, "value  1.5")


def forbid(constant: str) -> float:
    raise AssertionError(f"{constant} is not JSON")


def test_done_prints_the_table_and_exits_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(report, capsys=capsys) == (0, "value  1.5\n", "")


def test_a_flag_that_is_refused_as_it_is_read_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(report, "--n", "-1", capsys=capsys) == (1, "", "error: --n -1: expected 0 or more\n")


def test_flags_reach_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    main = lambda flags: Report({"n": flags.n}, str(flags.n))  # noqa: E731
    assert outcome(main, "--n", "7", capsys=capsys)[1] == "7\n"


def test_json_is_exactly_one_strict_object(capsys: pytest.CaptureFixture[str]) -> None:
    def main(_: Flags) -> Report:
        print("what a user's own model file prints")
        note("a note")
        values = {
            "nan": float("nan"),
            "inf": [np.inf, {"deep": -np.inf}],
            "path": Path("a/b"),
            "array": np.array([1.5, np.nan]),
            "pair": (1, 2),
        }
        return Report(values, "table")

    code, out, err = outcome(main, "--json", capsys=capsys)
    found = json.loads(out, parse_constant=forbid)
    assert code == 0
    assert out.count("\n") == 1
    assert found.pop("wall_seconds") > 0
    assert found == {
        "nan": None,
        "inf": [None, {"deep": None}],
        "path": "a/b",
        "array": [1.5, None],
        "pair": [1, 2],
    }
    assert err.splitlines() == ["what a user's own model file prints", "a note"]


@pytest.mark.parametrize(("rank", "drawn"), [("0", True), ("1", False)])
def test_of_several_ranks_one_draws_the_bar(monkeypatch: pytest.MonkeyPatch, rank: str, drawn: bool) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("RANK", rank)
    terminal = Terminal()
    assert list(progress_bar(range(3), file=terminal, unit="row")) == [0, 1, 2]
    assert ("row" in terminal.getvalue()) == drawn


def test_where_there_is_no_terminal_progress_is_in_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert list(progress_bar(range(3), unit="row")) == [0, 1, 2]
    assert capsys.readouterr().err == ""  # done before the first line is due
    monkeypatch.setattr(messages, "SECONDS_BETWEEN_LINES", 1e-6)
    with progress_bar(range(3), unit="epoch", desc="net.pt") as bar:
        for _ in bar:
            time.sleep(1e-3)
            bar.set_postfix(loss="0.5", refresh=False)
    with progress_bar(unit="product") as shown:
        time.sleep(1e-3)
        shown.update(7)
    time_ = r"\d\d:\d\d"
    first, *_, last = capsys.readouterr().err.splitlines()
    assert re.fullmatch(rf"net\.pt: epoch 1 of 3 after {time_}, {time_} left, loss=0.5", first)
    assert re.fullmatch(rf"product 7 after {time_}", last)


def test_a_command_without_a_report_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(lambda _: None, capsys=capsys) == (0, "", "")
    assert list(json.loads(outcome(lambda _: None, "--json", capsys=capsys)[1])) == ["wall_seconds"]


@pytest.mark.parametrize("json_flag", [(), ("--json",)])
def test_bad_input_is_shown_as_it_is(capsys: pytest.CaptureFixture[str], json_flag: tuple[str, ...]) -> None:
    error = BadInput("x.pt is truncated.\nMake it again")
    assert outcome(fail(error), *json_flag, capsys=capsys) == (1, "", "error: x.pt is truncated.\nMake it again\n")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (FileNotFoundError(2, "No such file or directory", "x.pt"), "error: x.pt: No such file or directory\n"),
        (OSError(28, "No space left on device"), "error: there is no room left on its disk.\nMend that"),
        (MemoryError(), "error: not enough memory: allocation failed\nTry a smaller --batch-size"),
        (RuntimeError("CUDA out of memory. Tried to allocate"), "error: not enough memory: CUDA out of memory"),
        (KeyError("fc1"), "error: KeyError: 'fc1'\nThis is not a message you should see; run again with --debug"),
        (OSError("Unable to open file"), "error: OSError: Unable to open file\n"),
    ],
)
def test_other_errors_are_a_few_lines(capsys: pytest.CaptureFixture[str], error: Exception, expected: str) -> None:
    code, out, err = outcome(fail(error), capsys=capsys)
    assert (code, out) == (1, "")
    assert err.startswith(expected)
    assert "Traceback" not in err
    assert len(err.splitlines()) <= 3


def test_a_long_message_is_cut() -> None:
    assert len(explain(RuntimeError("line\n\n" * 500)).splitlines()) <= 9


@pytest.mark.parametrize("error", [BadInput("bad"), KeyError("x")])
def test_debug_shows_where(capsys: pytest.CaptureFixture[str], error: Exception) -> None:
    code, _, err = outcome(fail(error), "--debug", capsys=capsys)
    assert code == 1
    assert "Traceback" in err
    assert "test_command.py" in err
    assert "--debug" not in err.splitlines()[-1]


@pytest.mark.parametrize("argv", [("--nonsense",), ("--n", "three"), ("stray",)])
def test_wrong_syntax_exits_2_before_any_work(capsys: pytest.CaptureFixture[str], argv: tuple[str, ...]) -> None:
    code, out, _ = outcome(fail(AssertionError("it worked")), *argv, capsys=capsys)
    assert (code, out) == (2, "")


def test_a_path_that_a_flag_took_for_its_own_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = [sys.executable, "-m", "pruning", "filters", "--units", "0.5", "net.pt", "-o", str(tmp_path / "half.pt")]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "net.pt stands behind a value of --units" in done.stderr
    _, _, said = outcome(report, "--n", "three", capsys=capsys)
    assert "stands behind" not in said


def test_help_is_the_docstring(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = outcome(report, "--help", capsys=capsys)
    assert code == 0
    for text in ("python -m x", "A command for tests.", "how many", "--json", "--debug"):
        assert text in out
    assert "--no-json" not in out


def test_ctrl_c_exits_130_and_says_what_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = outcome(fail(KeyboardInterrupt()), capsys=capsys)
    assert (code, out) == (130, "")
    assert "kept" in err


def test_ctrl_c_inside_a_library_is_no_error_of_its(capsys: pytest.CaptureFixture[str]) -> None:
    """So h5py reports it where it lets go of its lock, and those who read files report that in turn."""

    def main(_: Flags) -> Report:
        try:
            raise SystemError("returned a result with an exception set") from KeyboardInterrupt()
        except SystemError as error:
            raise BadInput("x.h5 cannot be read") from error

    code, _, err = outcome(main, capsys=capsys)
    assert code == 130
    assert "kept" in err
    assert "error:" not in err


def test_wall_seconds_count_from_the_start_of_the_process() -> None:
    script = "import time; time.sleep(0.5); from minima.store.command import seconds_since_start as s; print(s(-1.0))"
    began = time.perf_counter()
    found = float(subprocess.run([sys.executable, "-c", script], check=True, capture_output=True).stdout)
    if found == -1:
        pytest.skip("this system does not tell when a process began")
    assert 0.45 < found < time.perf_counter() - began + 0.05
    assert seconds_since_start(0.0) > 0


SLEEPER = """
import signal, sys, time
from dataclasses import dataclass
from pathlib import Path
from minima.store.command import Command, run
from minima.store.files import hold
signal.signal(signal.SIGINT, signal.default_int_handler)  # as in a terminal
@dataclass(frozen=True, kw_only=True)
class Flags(Command):
    "Sleeps."
def main(flags):
    with hold(Path(sys.argv[0])):
        print("going", flush=True)
        time.sleep(60)
run(Flags, main, prog="sleeper", argv=())
"""


@contextmanager
def sleeper(folder: Path) -> Iterator[subprocess.Popen[str]]:
    (folder / "sleeper.py").write_text(SLEEPER)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    process = subprocess.Popen(
        [sys.executable, str(folder / "sleeper.py")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "going\n"
    yield process
    process.kill()
    process.wait()


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_unwind_and_leave_no_lock(tmp_path: Path, number: signal.Signals, status: int) -> None:
    with sleeper(tmp_path) as process:
        assert (tmp_path / ".sleeper.py.lock").exists()
        process.send_signal(number)
        err = process.communicate(timeout=10)[1]
        assert process.returncode == status
        assert "kept" in err
        assert "Traceback" not in err
    assert not (tmp_path / ".sleeper.py.lock").exists()


def test_a_reader_that_left_is_no_error() -> None:
    script = (
        "from dataclasses import dataclass\nfrom minima.store.command import *\n"
        "@dataclass(frozen=True, kw_only=True)\nclass F(Command):\n    'x'\n"
        "run(F, lambda f: Report({}, 'line\\n' * 100000), prog='x', argv=())"
    )
    line = f'"{sys.executable}" -c "$SCRIPT" | head -n 1'
    done = subprocess.run(
        ["bash", "-c", line], env=os.environ | {"SCRIPT": script}, capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("line\n", "")


def test_a_reminder_between_two_lines_counts_nothing_twice(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(messages, "SECONDS_BETWEEN_LINES", 1.0)
    most = 0
    for done, _ in enumerate(progress_bar(range(4), unit="part")):
        time.sleep(1.6)  # longer than a pause, so that the reminder speaks between any two
        most = max([most, *(int(found) for found in re.findall(r"part (\d+) of 4", capsys.readouterr().err))])
        assert most <= done
    assert most > 0
