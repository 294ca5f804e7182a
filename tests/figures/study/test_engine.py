"""The runner on small workflows of its own: killed in every way, it goes on without redoing or breaking anything."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from figures.study.engine.engine import DATED, JOB
from figures.study.engine.lock import acquire, holders

ROOT = Path(__file__).parents[3]

# Four jobs in a row; each notes its runs, works until it may end, and writes its output in one step.
SNAKEFILE = """
rule all:
    default_target: True
    input: expand("made/{number}", number=range(4))

rule work:
    output: update("made/{number}")
    log: "out/logs/{number}.log"
    shell: "echo {wildcards.number} >> runs.txt; if [ ! -e {output} ]; then"
           " for _ in $(seq 400); do ls may-end | grep -qxe {wildcards.number} -e all && break; sleep 0.05; done;"
           " echo done > {output}.tmp;"
           " mv {output}.tmp {output}; echo {wildcards.number} >> finished.txt; fi"
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    (tmp_path / "may-end").mkdir()
    return tmp_path


def start(folder, snakefile="Snakefile"):
    """The runner as a process of its own session."""
    code = "import pathlib, signal, sys, minima.store.command as c, figures.study.engine.engine as w\n"
    code += "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # what runs the tests may ignore it
    code += f"run = lambda lock: w.run_snakemake(pathlib.Path('{snakefile}'), 'test', 1, lock).explained\n"
    code += "main = lambda _: sys.exit(run(w.acquire(w.LOCK, c.note)) or 0)\n"
    code += "c.run(c.Command, main, prog='workflow', argv=[])"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code]
    return subprocess.Popen(
        command, cwd=folder, env=environment, start_new_session=True, stderr=subprocess.PIPE, text=True
    )


def wait_until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.02)


def lines(path):
    return path.read_text().split() if path.exists() else []


def complete(folder, said=""):
    """Run to the end, the jobs as soon as this is said; every output is there, whole, and was made once."""
    process = start(folder)
    assert process.stderr is not None
    assert not said or said in process.stderr.readline()
    (folder / "may-end" / "all").touch()
    _, told = process.communicate(timeout=120)
    assert process.returncode == 0, told
    assert [(folder / "made" / str(n)).read_text() for n in range(4)] == ["done\n"] * 4
    assert sorted(lines(folder / "finished.txt")) == ["0", "1", "2", "3"]


def wait_for_the_second_job(folder):
    wait_until(lambda: lines(folder / "runs.txt"))
    (folder / "may-end" / lines(folder / "runs.txt")[0]).touch()
    wait_until(lambda: len(lines(folder / "finished.txt")) == 1 and len(lines(folder / "runs.txt")) == 2)


def children(process):
    path = Path(f"/proc/{process}/task/{process}/children")
    return [int(word) for word in path.read_text().split()]


def test_everything_killed(folder):
    process = start(folder)
    wait_for_the_second_job(folder)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert list((folder / ".snakemake" / "locks").iterdir())
    complete(folder)


def test_the_engine_alone_killed(folder):
    """The orphaned job is waited for, named, and what it made is kept."""
    process = start(folder)
    wait_until(lambda: len(lines(folder / "runs.txt")) == 1)
    engine = children(process.pid)[0]
    process.kill()
    os.kill(engine, signal.SIGKILL)
    process.wait()
    assert holders(folder / ".snakemake" / "minima.lock")
    complete(folder, "waiting for process")


def test_the_runner_alone_killed(folder):
    """Snakemake goes on by itself; the next run waits for it and finds nothing to do."""
    process = start(folder)
    wait_until(lambda: len(lines(folder / "runs.txt")) == 1)
    process.kill()
    process.wait()
    complete(folder, "waiting for process")
    assert sorted(lines(folder / "runs.txt")) == ["0", "1", "2", "3"]


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_a_polite_end_of_everything_comes_soon_and_leaves_nobody(folder, kind):
    process = start(folder)
    wait_for_the_second_job(folder)
    os.killpg(process.pid, kind)
    process.communicate(timeout=20)
    assert process.returncode != 0
    assert not holders(folder / ".snakemake" / "minima.lock")
    complete(folder)


def test_a_failure_is_told_with_the_end_of_its_log(folder):
    text = 'rule bad:\n    output: "x"\n    log: "out/logs/bad.log"\n    shell: "echo the reason > {log}; exit 1"\n'
    (folder / "Snakefile").write_text(text)
    process = start(folder)
    _, said = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "failed: bad" in said
    assert "the reason" in said


def test_a_second_holder_waits_for_the_first(tmp_path):
    held = acquire(tmp_path / "lock", lambda _: None)
    keeper = subprocess.Popen(["sleep", "0.6"], stdin=held)
    held.close()
    told: list[str] = []
    before = time.monotonic()
    acquire(tmp_path / "lock", told.append, patience=0.05).close()
    assert time.monotonic() - before > 0.2
    assert [line for line in told if "sleep 0.6" in line]
    keeper.wait()


@pytest.mark.parametrize("locked", [False, True])
def test_what_the_system_refuses_snakemake_is_said_in_words(folder, locked):
    """As on a full disk: a file stands where it would make a folder, also of a run whose lock has to go first."""
    (folder / ".snakemake").mkdir()
    if locked:
        (folder / ".snakemake" / "locks").mkdir()
        (folder / ".snakemake" / "locks" / "0.input.lock").touch()
        (folder / ".snakemake" / "incomplete").touch()
    else:
        (folder / ".snakemake" / "locks").touch()
    log = Path("out/logs/test.snakemake.log")
    code = "import pathlib; from figures.study.engine.engine import *; from minima.store.messages import note\n"
    code += "with acquire(LOCK, note) as lock: print(run_snakemake(pathlib.Path('Snakefile'), 'test', 1, lock).error)"
    line = [sys.executable, "-c", code]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert ": File exists.\nType the same line again when that is mended" in done.stdout
    assert done.stdout.startswith(str(folder / ".snakemake"))
    assert "Error" in (folder / log).read_text()


def test_job_script_replaces_only_what_was_made_otherwise(tmp_path):
    """job.sh: --overwrite is added when the command asked for it, and a failure stays a failure."""
    command = tmp_path / "command.sh"
    command.write_text('echo "$@" >> calls; case "$*" in *--overwrite) ;; *) echo "$WORDS" >&2; exit 1;; esac\n')
    for words, status, calls in (("replace it with --overwrite", 0, ["x", "x --overwrite"]), ("no", 1, ["x"])):
        (tmp_path / "calls").unlink(missing_ok=True)
        line = [*shlex.split(JOB), "log", "bash", command, "x"]
        done = subprocess.run(line, cwd=tmp_path, env=os.environ | {"WORDS": words}, check=False)
        assert done.returncode == status
        assert (tmp_path / "calls").read_text().splitlines() == calls


def test_inputs_from_the_future_get_the_date_of_today(tmp_path):
    """dated.sh: they are younger than the log of the job that has read them; others keep their dates."""
    before = time.time()
    dates = {"log": before - 10, "an input": before - 20, "of the future": before + 1e6}
    for name, seconds in dates.items():
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (seconds, seconds))
    line = [*shlex.split(DATED), "log", "an input", "of the future", "missing"]
    assert subprocess.run(line, cwd=tmp_path, check=False).returncode == 0
    now = {name: (tmp_path / name).stat().st_mtime for name in dates}
    assert now["an input"] == pytest.approx(dates["an input"])
    assert before - 1 < now["of the future"] <= time.time()
    assert not (tmp_path / "missing").exists()
    assert subprocess.run([*shlex.split(DATED), "log"], cwd=tmp_path, check=False).returncode == 0
