"""A shipped seed made again from scratch: equal where nothing was changed, and told where something was."""

from __future__ import annotations

import dataclasses
import shutil
from contextlib import chdir
from pathlib import Path

import h5py
import pytest
from forks.python import python

from figures.study.engine.engine import run_jobs
from figures.study.kinds import read_study
from figures.study.shipping.archive import archive_of, read_record, read_results, write_archive
from figures.study.shipping.reproduce import _hashes, _sorted_out, reproduce
from figures.study.shipping.ship import ship
from figures.study.shipping.store import shipped_jobs
from minima.store.checkpoints.checkpoint import load, save
from minima.store.command import BadInput
from minima.store.hdf5.comparison import differences

ROOT = Path(__file__).parents[3]
STUDY = """
name = "small"
model = "mlp:hidden=6"
data = "digits"
seeds = 2
sparsities = [0.5]
dense = "--epochs 1 --batch-size 100"
prune = "--epochs 1"
sharpness = "--measures lambda_max --samples 40"

[arms.random]
method = "random"
"""
RESULT, OTHER = "small-mlp-seed1.random-0.5.sharpness.h5", "small-mlp-seed0.random-0.5.sharpness.h5"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The study, whole and shipped, and a folder in which seed 1 was made again."""
    folder = tmp_path_factory.mktemp("study")
    (folder / "small.toml").write_text(STUDY)
    plan = read_study(folder / "small.toml").plan()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("figures.study.engine.engine.PYTHON", f"env PYTHONPATH={ROOT} {python()} -m")
        with chdir(folder):
            assert run_jobs(plan, 2).failed == ()
            assert len(ship(plan, folder / "results")) == 4
        yield plan, folder / "results", reproduce(plan, folder / "results", 1, folder / "again", 2)


def test_a_seed_comes_out_equal(made):
    plan, results, found = made
    own = [file for job in plan.jobs if "-seed1." in job.name for file in job.makes]
    assert {each.file for each in found} == {Path(file).name for file in own}, "what no training left behind"
    assert all(each.equal for each in found)
    assert [each for each in found if each.said] == []
    assert not list((results.parent / "again/runs").glob("*seed0*")), "of its own seed only"


def test_what_came_out_otherwise_is_told(made, tmp_path):
    """One results file is the other seed's: within what the seeds span. One beyond; and a network of another hash."""
    plan, results, _ = made
    changed = shutil.copytree(results, tmp_path / "results")
    job = "small-mlp-seed1.random-0.5"
    path = archive_of(changed, plan.name, job)
    record, contents = read_record(path), read_results(path)
    theirs = read_results(archive_of(changed, plan.name, job.replace("seed1", "seed0")))[OTHER]
    network = f"{job}.pt"
    path.unlink()
    hashes = dict(record.makes) | {
        network: "0" * 64,
        RESULT: shipped_jobs(plan, changed)[job.replace("seed1", "seed0")].makes[OTHER],
    }
    write_archive(path, dataclasses.replace(record, makes=hashes), contents | {RESULT: theirs})

    found = {each.file: each for each in reproduce(plan, changed, 1, results.parent / "again", 2)}
    assert found[network].arrays == ("weights",)
    assert not found[RESULT].equal
    assert found[RESULT].arrays
    assert found[RESULT].numbers > 0
    assert found[RESULT].within == 0, "both shipped seeds now say the same, and this is neither"
    assert sum(not each.equal for each in found.values()) == 2


def test_an_array_is_told_from_an_attribute_though_its_name_has_an_at(tmp_path):
    """Moments of a trajectory are called FILE@MOMENT."""
    paths = [tmp_path / "one.h5", tmp_path / "other.h5"]
    for path, value in zip(paths, (1.0, 2.0), strict=True):
        with h5py.File(path, "w") as file:
            file["net@3/value"] = value
            file["net@3"].attrs["note"] = value
    arrays, said = _sorted_out(differences(*paths), *paths)
    assert (arrays, said) == (("net@3/value",), ("net@3@note",))


def test_where_the_data_lies_and_what_that_makes_of_hashes_is_no_difference(made, tmp_path):
    """A checkpoint tells the folder of its data and the hash of what it was made from, and so its own hash has both."""
    _, results, _ = made
    found = load(results.parent / "again/runs/small-mlp-seed1.random-0.5.pt")
    there = dataclasses.replace(found, data=found.data | {"root": "/there"}, parent="1" * 64)
    here = dataclasses.replace(found, data=found.data | {"root": "/here"}, parent="2" * 64)
    shipped, path = save(there, tmp_path / "there.pt"), tmp_path / "here.pt"
    save(here, path)
    assert shipped in [*_hashes(path, {"2" * 64: "1" * 64}, ["/elsewhere", "/there"])]
    assert shipped not in [*_hashes(path, {"2" * 64: "1" * 64}, ["/elsewhere"])]
    assert shipped not in [*_hashes(path, {}, ["/there"])], "another parent"
    weight = next(iter(here.state))
    save(dataclasses.replace(here, state=here.state | {weight: here.state[weight] * 0}), path)
    assert shipped not in [*_hashes(path, {"2" * 64: "1" * 64}, ["/there"])], "other weights"


def test_a_seed_that_is_not_shipped_is_refused(made, tmp_path):
    plan, results, _ = made
    with pytest.raises(BadInput, match=r"--seed 7: no job of it is shipped in .*; there are 0, 1"):
        reproduce(plan, results, 7, tmp_path / "again", 1)
    with pytest.raises(BadInput, match="nothing is shipped of the study"):
        reproduce(plan, tmp_path, 0, tmp_path / "again", 1)
