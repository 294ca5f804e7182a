"""What stands in a study's file is words for commands: no shell and no engine reads anything else into it."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import numpy as np
import pytest

from figures.study.kinds import read_study
from minima.store.command import BadInput

NAME = """a $(touch canary) ; {log} `touch canary` & | > canary '" \\\\ $HOME.npz"""
VALUES = {
    "name": "$(touch canary)",
    "model": "mlp:hidden=8;touch canary",
    "data": "npz:$(touch canary).npz",
    "figures": "fig/`touch canary`",
    "dense": "--epochs 1 ; touch canary",
    "prune": "--epochs $(touch canary)",
    "finish": "--epochs 1 | touch canary",
    "sharpness": "--measures `touch canary`",
}
STUDY = {
    "kind": "methods",
    "name": "test",
    "model": "mlp:hidden=8",
    "data": "digits",
    "dense": "--epochs 1",
    "prune": "--epochs 1",
    "finish": "--epochs 1",
    "sharpness": "--measures lambda_max",
}


def written(path: Path, **values: str) -> Path:
    lines = [f'{key} = """{value}"""' for key, value in (STUDY | values).items()]
    path.write_text("\n".join([*lines, "seeds = 1", "sparsities = [0.5]", '[arms.magnitude]\nmethod = "magnitude"\n']))
    return path


@pytest.mark.parametrize("key", VALUES)
def test_a_shell_s_words_are_refused_by_their_key(key: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=rf"c\.toml: .*({key}|arms\.magnitude)"):
        read_study(written(tmp_path / "c.toml", **{key: VALUES[key]}))


@pytest.mark.parametrize("key", ["dense", "prune", "finish", "sharpness"])
@pytest.mark.parametrize("flag", ["--help", "-h", "--epochs 1 --help"])
def test_help_is_no_flag_of_a_study(key: str, flag: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=rf"c\.toml: {key}"):
        read_study(written(tmp_path / "c.toml", **{key: flag}))


def test_a_file_s_name_reaches_the_commands_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    odd = NAME.replace("\\\\", "\\")
    y = np.arange(12) % 3
    np.savez(odd, x_train=np.zeros((12, 8, 8), "u1"), y_train=y, x_test=np.zeros((12, 8, 8), "u1"), y_test=y)
    before = sorted(tmp_path.iterdir())
    plan = read_study(written(tmp_path / "c.toml", data=f"npz:{NAME}")).plan()
    lines = [job.line for job in plan.jobs]
    words = [word for command in shlex.split(lines[0]) for word in shlex.split(command)]
    assert any(word.endswith(odd) for word in words), words
    for line in lines:
        subprocess.run(["bash", "-c", f"true {line}"], check=True)
    assert sorted(tmp_path.iterdir()) == sorted([*before, tmp_path / "c.toml"])
