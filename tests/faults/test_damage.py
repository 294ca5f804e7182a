"""Damaged results, trajectories and checkpoints: refused with a message, or untouched in all that they say."""

from pathlib import Path

import pytest

from tests.faults.damage import KINDS, campaign

COUNT = 40


@pytest.mark.parametrize("kind", KINDS)
def test_damage_is_never_taken_for_whole(kind: str, tmp_path: Path) -> None:
    rows = list(campaign(kind, COUNT, 0, tmp_path))
    assert not [row for row in rows if row[2] not in ("refused", "equal")]
    assert sum(found == "refused" for _, _, found in rows) > COUNT / 3
