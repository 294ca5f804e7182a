"""kill -9 at random moments: the next run goes on, and the file is the one of an uninterrupted run."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import numpy as np
from forks.python import python

from minima.store.hdf5.results import same_content

RUN = """
import sys, time
from pathlib import Path
import numpy as np
from minima.store.hdf5.results import Identity, create
target, pause = Path(sys.argv[1]), float(sys.argv[2])
names = ["x.pt", "y.pt", "z.pt"]
identity = Identity("surface", ["ab" * 32, "cd" * 32, "ef" * 32], {"grid": [40, 30]})
computed = 0
with create(target, identity, names, {"seed": 0}) as results:
    print("going", flush=True)
    for index in range(3):
        if results.done(index):
            continue
        place = results.place(index)
        place.scale("surface/alpha", np.arange(40), "1", "alpha")
        place.scale("surface/beta", np.arange(30), "1", "beta")
        arrays = {
            name: place.rows(f"surface/{name}", (40, 30), ("alpha", "beta"), "nat", name)
            for name in ("loss", "accuracy")
        }
        for row in sorted(set(arrays["loss"].missing()) | set(arrays["accuracy"].missing())):
            time.sleep(pause)
            computed += 1
            for factor, rows in enumerate(arrays.values(), 1):
                rows.set(row, factor * np.sin(np.arange(30) + row + index))
        for extra in range(5):
            place.write(f"psp/layer{extra}", float(index + extra))
        place.attributes("surface", norm=float(index))
        results.mark_done(index, {"loss": index / 3, "seconds": pause})
    results.finish()
print(computed)
"""


def start(target: Path, pause: float) -> subprocess.Popen[str]:
    arguments = [python(foreign=True), "-c", RUN, str(target), str(pause)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_kill_9_at_random_moments(tmp_path: Path) -> None:
    whole = start(tmp_path / "whole.h5", 0)
    assert whole.communicate()[0].split() == ["going", "120"]

    generator = np.random.default_rng(0)
    kills = 0
    while not (tmp_path / "killed.h5").exists():
        process = start(tmp_path / "killed.h5", 0.002)
        assert process.stdout is not None
        process.stdout.readline()
        # at first so soon that the file is still being laid out
        time.sleep(generator.uniform(0, 0.01 if kills < 4 else 0.12))
        process.kill()
        _, complaint = process.communicate()
        assert "Traceback" not in complaint
        kills += 1
        assert kills < 40, "it does not get on"
    assert kills > 4
    assert same_content(tmp_path / "killed.h5", tmp_path / "whole.h5")
    assert sorted(item.name for item in tmp_path.iterdir() if item.suffix != ".lock") == ["killed.h5", "whole.h5"]


def test_finished_rows_are_not_computed_again(tmp_path: Path) -> None:
    process = start(tmp_path / "x.h5", 0.01)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(0.5)
    process.kill()
    process.communicate()
    computed = int(start(tmp_path / "x.h5", 0).communicate()[0].split()[-1])
    assert 60 < computed < 115
