"""Forms of shipped files: packed without loss, whatever the numbers; older ones read, and converted once."""

from __future__ import annotations

import hashlib
import json
import lzma
import zipfile
from pathlib import Path

import numpy as np
import pytest

from entropy.information import formulas
from figures.study.engine.jobs import Job, Step, planned
from figures.study.shipped import convert_shipped
from figures.study.shipping import archive
from figures.study.shipping.archive import RESULTS, convert_archive, read_record, read_results, write_archive
from figures.study.shipping.conversions import TODAY
from figures.study.shipping.expected import EXPECTED, log2
from figures.study.shipping.flags import Convert
from figures.study.shipping.packing import pack, unpack
from figures.study.shipping.remaining import remaining
from minima.store.command import BadInput
from minima.store.hdf5.memory import in_memory
from minima.store.hdf5.opening import opened, verify
from minima.store.hdf5.results import FORMAT, VERSION

BUDGET = 25_000_000
EXAMPLES = (
    "mnist/mnist-lenet300-seed0.psp-training",
    "mnist/mnist-lenet300-seed0.psp-sampled-pairs",
    "mnist/mnist-lenet300-seed0.surface",
    "structureverdicts/structure-resnet20-seed0.taylor-0.5",
    "findingsshortcuts/findingsshortcuts-resnet20-seed0.egp-0.9",
)
"""with tables of counts and without, with pairs, of one network and of several, of other measures, with masks"""


@pytest.fixture(scope="module", params=EXAMPLES)
def shipped(request):
    return RESULTS / f"{request.param}.zip"


def as_first_made(path, results, commands=("entropy.psp runs/a.pt -o out/a.psp.h5",), job="a"):
    """A shipped file of form 1, as it was written before there was another."""
    makes = {name: hashlib.sha256(content).hexdigest() for name, content in results.items()}
    record = {"study": "s", "job": job, "stage": "entropy", "commands": list(commands), "needs": {"a.pt": "0" * 64}}
    record |= {"makes": makes, "versions": {"numpy": "2"}, "processor": "x", "clock": {"processor_seconds": 1.5}}
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as file:
        for name, content in (("job.json", json.dumps(record).encode()), *sorted(results.items())):
            file.writestr(name, content)
    return path


def test_what_is_shipped_is_what_was_made(shipped, tmp_path):
    """By the SHA-256 that was told at the making; and as our files it is whole."""
    record, results = read_record(shipped), read_results(shipped)
    assert results.keys() == {name for name in record.makes if name.endswith(".h5")}
    for name, content in results.items():
        assert hashlib.sha256(content).hexdigest() == record.makes[name]
        (tmp_path / name).write_bytes(content)
        verify(tmp_path / name, FORMAT, VERSION)


def test_every_shipped_file_has_todays_form_and_all_fit_into_the_budget():
    paths = sorted(RESULTS.rglob("*.zip"))
    older = [path.name for path in paths if form_of(path) != TODAY]
    assert not older, "type: python -m figures.study convert"
    assert sum(path.stat().st_size for path in paths) <= BUDGET


def form_of(path):
    with zipfile.ZipFile(path) as file:
        return json.loads(file.read("job.json")).get("form", 1)


def test_what_follows_from_counts_takes_hardly_any_room():
    """Counts make up a sixth of these numbers, and are kept; the others are not."""
    (content,) = read_results(RESULTS / "mnist/mnist-lenet300-seed0.psp-training.zip").values()
    assert len(pack(content)) < 0.3 * len(lzma.compress(content, preset=9))


@pytest.mark.parametrize("shape", [(4, 7), (3, 4, 7)])
def test_expected_numbers_are_those_of_the_measure(shape):
    draw = np.random.default_rng(3)
    observed = draw.integers(20, 60, shape[:-1])
    counts = np.asarray(draw.random(shape) * (observed[..., None] + 1), np.int64)
    counts[..., 0], counts[..., 1] = 0, observed
    found = {"counts": counts, "observed": observed}
    measured = {
        "p_on": formulas.frequencies,
        "entropy": formulas.psp_entropy,
        "class_information": formulas.class_information,
        "corrected_entropy": formulas.corrected_entropy,
        "normalised_mutual_information": formulas.normalised_information,
    }
    for name, formula in measured.items():
        each = zip(counts.reshape(-1, *shape[-2:]), observed.reshape(-1, shape[-2]), strict=True)
        found[name] = np.stack([formula(*one) for one in each]).reshape(*shape[:-2], *formula(*one_of(found)).shape)
    for expected in EXPECTED:
        there = {key: found[key] for key in (*expected.needs, expected.name)}
        clue = expected.clue(there) if expected.clue else np.empty(0, np.int64)
        np.testing.assert_allclose(expected.of(there, clue), found[expected.name], rtol=1e-13, atol=1e-14)
    assert (EXPECTED[0].of(found, np.empty(0)) == found["p_on"]).all()


def one_of(found):
    counts, observed = found["counts"], found["observed"]
    return counts.reshape(-1, *counts.shape[-2:])[0], observed.reshape(-1, observed.shape[-1])[0]


def test_logarithms_are_rounded_exactly():
    """To the nearest number, which 200 binary digits tell."""
    from decimal import Context, Decimal

    many = Context(prec=60)
    numbers = np.random.default_rng(0).random(200)
    exact = [float(many.divide(many.ln(Decimal(each)), many.ln(Decimal(2)))) for each in numbers.tolist()]
    assert log2(numbers).tolist() == exact


def test_packing_loses_nothing_whatever_the_numbers(tmp_path):
    """Numbers that follow from nothing, NaN of any bits, infinities."""
    name = "structureverdicts/structure-resnet20-seed0.dense"
    results = read_results(RESULTS / f"{name}.zip")
    content = bytearray(next(each for key, each in results.items() if ".psp." in key))
    draw = np.random.default_rng(1)
    (path := tmp_path / "x.h5").write_bytes(content)
    with opened(path, FORMAT, VERSION) as file:
        arrays = [item[()] for item in file["psp"].arrays() if item.dtype == float and item.shape]
    for values in arrays:
        at = content.find(values.tobytes())
        assert at > 0
        content[at : at + values.nbytes] = draw.bytes(values.nbytes - 8) + np.float64(np.inf).tobytes()
    assert unpack(pack(bytes(content))) == bytes(content)


def test_arrays_of_these_names_elsewhere_are_as_any_others():
    with in_memory() as file:
        for name, values in (("a/counts", np.arange(5)), ("b/joint_entropy", np.ones(3)), ("psp/loss", np.float64(2))):
            file.create_dataset(name, data=values)
        file.flush()
        content = file.id.get_file_image()
    assert unpack(pack(content)) == content


def test_no_results_file_is_packed_as_it_is():
    for content in (b"", b"numbers", b"\x89HDF\r\n\x1a\n"[:5]):
        assert unpack(pack(content)) == content


@pytest.fixture
def results(shipped):
    return read_results(shipped)


def test_an_older_file_is_converted_once_and_keeps_everything(results, tmp_path):
    path = as_first_made(tmp_path / "s" / "a.zip", results)
    before = read_record(path)
    assert read_results(path) == results, "also as it is"
    assert convert_archive(path)
    after = read_record(path)
    assert read_results(path) == results
    assert after.converted == ("results files packed",)
    assert (after.needs, after.makes, after.versions, after.commands, after.clock, after.processor) == (
        (before.needs, before.makes, before.versions, before.commands, before.clock, before.processor)
    )
    once = path.read_bytes()
    assert not convert_archive(path)
    assert path.read_bytes() == once


def test_a_converted_file_holds_what_a_new_one_does(tmp_path):
    """What is shipped from now on has the same form, and is the same job."""
    path = as_first_made(tmp_path / "s" / "a.zip", {"a.psp.h5": b"numbers"})
    made = read_record(path)
    convert_archive(path)
    write_archive(path, made, {"a.psp.h5": b"numbers"})  # it is there already, and was made so
    write_archive(tmp_path / "s" / "new.zip", made, {"a.psp.h5": b"numbers"})
    with zipfile.ZipFile(path) as one, zipfile.ZipFile(tmp_path / "s" / "new.zip") as other:
        assert one.namelist() == other.namelist() == ["job.json", "a.psp.h5.packed"]
        assert one.read("a.psp.h5.packed") == other.read("a.psp.h5.packed")


def test_converting_stopped_goes_on(tmp_path, monkeypatch):
    names = ["a", "b", "c"]
    paths = [
        as_first_made(tmp_path / "s" / f"{name}.zip", {f"{name}.psp.h5": name.encode()}, job=name) for name in names
    ]
    write, written = archive.write_atomically, []

    def stopped(path, content):
        if written:
            raise KeyboardInterrupt
        written.append(path)
        write(path, content)

    with monkeypatch.context() as patched:
        patched.setattr(archive, "write_atomically", stopped)
        with pytest.raises(KeyboardInterrupt):
            convert_shipped(Convert(results=tmp_path))
    assert [form_of(path) for path in paths] == [2, 1, 1]
    report = convert_shipped(Convert(results=tmp_path))
    assert report.summary["converted"] == [str(path) for path in paths[1:]]
    assert [form_of(path) for path in paths] == [2, 2, 2]
    assert [read_results(path) for path in paths] == [{f"{name}.psp.h5": name.encode()} for name in names]
    assert convert_shipped(Convert(results=tmp_path)).summary["converted"] == []


def test_what_is_damaged_is_left_and_said(tmp_path):
    path = as_first_made(tmp_path / "s" / "a.zip", {"a.psp.h5": b"numbers"})
    with zipfile.ZipFile(path) as file:
        record = file.read("job.json")
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("job.json", record)
        file.writestr("a.psp.h5", b"other numbers")
    before = path.read_bytes()
    with pytest.raises(BadInput, match="is not what its record says"):
        convert_archive(path)
    assert path.read_bytes() == before
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("job.json", json.dumps(json.loads(record) | {"form": TODAY}))
        file.writestr("a.psp.h5.packed", pack(b"numbers")[:-7])
    with pytest.raises(BadInput, match="damaged"):
        read_results(path)


def test_a_form_to_come_is_refused(tmp_path):
    path = as_first_made(tmp_path / "s" / "a.zip", {})
    with zipfile.ZipFile(path) as file:
        record = json.loads(file.read("job.json"))
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("job.json", json.dumps(record | {"form": TODAY + 1}))
    with pytest.raises(BadInput, match="git pull"):
        read_record(path)


def test_nothing_to_convert_is_said(tmp_path):
    with pytest.raises(BadInput, match="no results are shipped there"):
        convert_shipped(Convert(results=tmp_path))


@pytest.mark.parametrize("converts", [False, True])
def test_jobs_of_either_form_are_finished_work(tmp_path, monkeypatch, converts):
    step = Step("entropy.psp", ("runs/a.pt", "-o", "out/a-m-seed0.psp.h5"), (), ("out/a-m-seed0.psp.h5",))
    plan = planned("s", [Job("entropy", "a-m-seed0.psp", ("runs/a.pt",), (step,))])
    name, content = "a-m-seed0.psp.h5", b"numbers"
    path = as_first_made(tmp_path / "kept" / "s" / "a-m-seed0.psp.zip", {name: content}, (step.line,), "a-m-seed0.psp")
    if converts:
        convert_archive(path)
    monkeypatch.chdir(tmp_path)
    assert remaining(plan, Path("kept")).jobs == ()
    assert Path("out", name).read_bytes() == content
