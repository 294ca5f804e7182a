"""No mutant of any format ends in anything but words, or what was written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.faults.mutants import FINE, Campaign

ROOT = Path(__file__).parents[2]
SECONDS = 25
"""of a campaign in the tests; as many mutants as there is time for"""


def test_no_mutant_ends_in_anything_but_words(tmp_path: Path) -> None:
    """In a process of its own, which forks for each mutant: this one may have threads."""
    line = [sys.executable, "-m", "tests.faults.mutants", "--count", "1500", "--seconds", str(SECONDS)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*line, "--state", str(tmp_path)], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = Campaign(tmp_path, 0, ())._rows()
    assert len({row["format"] for row in rows}) >= 19
    assert {row["outcome"] for row in rows} <= set(FINE)
