"""Results files: labelled arrays, resumed after a stop, never mistaken for one another."""

from __future__ import annotations

import errno
import io
import itertools
import json
import math
import os
import time
import types
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import xarray

from minima.store.files import part_path
from minima.store.hdf5.digest import seal
from minima.store.hdf5.results import Identity, Place, create, differences, find, same_content, summary
from minima.store.messages import BadInput

ONE = Identity("surface", ["ab" * 32], {"grid": (3, 4), "seed": 0})
TWO = Identity("surface", ["ab" * 32, "cd" * 32], {"grid": (3, 4), "seed": 0})
PROVENANCE = {"seed": 0, "dtype": "float32", "threads": 1, "subspace": None}


def fill(place: Place, value: float = 1.0) -> None:
    """A surface and something about its neurons, as the measures write them."""
    place.scale("surface/alpha", np.linspace(-1, 1, 3), "1", "along the first direction")
    place.scale("surface/beta", np.linspace(-1, 1, 4), "1", "along the second direction")
    rows = place.rows("surface/loss", (3, 4), ("alpha", "beta"), "nat", "mean cross-entropy")
    for index in rows.missing():
        rows.set(index, value * np.arange(4) + index)
    place.write("surface/centre", value, (), "nat", "loss at the centre")
    place.scale("psp/class", range(2), "1", "class label")
    place.scale("psp/conv1/neuron", [5, 6, 7], "1", "neuron")
    place.write("psp/conv1/p_on", np.full((2, 3), value), ("class", "neuron"), "1", "frequency of ON")
    place.attributes("surface", norms=[value, 2.0], directions="random", centred=True)


def make(target: Path, identity: Identity, names: Sequence[str], **options: Any) -> dict[str, Any]:
    with create(target, identity, names, PROVENANCE, **options) as results:
        for index in range(max(1, len(names))):
            if not results.done(index):
                fill(results.place(index), index + 1.0)
                results.mark_done(index, {"loss": index + 0.5, "nothing": math.nan, "seconds": time.perf_counter()})
        return results.finish()


def names(folder: Path) -> list[str]:
    return sorted(item.name for item in folder.iterdir())


def test_what_a_checkpoint_adds_to_the_journal_does_not_grow_with_their_number(tmp_path: Path) -> None:
    many = Identity("surface", [f"{number:064x}" for number in range(50)], {"seed": 0})
    sizes = []
    with create(tmp_path / "many.h5", many, [f"{number}.pt" for number in range(50)], PROVENANCE) as results:
        for index in range(50):
            place = results.place(index)
            place.attributes("/", model="m" * 1000, samples=index + (0.5 if index == 30 else 0))
            place.write("surface/centre", 1.0)
            results.mark_done(index, {"loss": 0.5})
            assert results.path is not None
            sizes.append(results.path.stat().st_size)
        results.finish()
    first, last = sizes[2] - sizes[1], sizes[-1] - sizes[-2]
    assert last < first + 10  # digits of the index
    with h5py.File(tmp_path / "many.h5") as file:
        assert file.attrs["model"].tolist() == ["m" * 1000] * 50
        assert file.attrs["samples"].tolist() == [30.5 if index == 30 else index for index in range(50)]


# ---- what is in a finished file


def test_a_finished_file_holds_what_was_written_and_where_it_comes_from(tmp_path: Path) -> None:
    make(tmp_path / "x.h5", ONE, ["x.pt"])
    assert names(tmp_path) == ["x.h5"]
    with h5py.File(tmp_path / "x.h5") as file:
        assert np.array_equal(file["surface/loss"], np.arange(4) + np.arange(3)[:, None])
        assert file["surface/centre"][()] == 1
        root = dict(file.attrs)
        assert (root["measure"], root["seed"], root["dtype"]) == ("surface", 0, "float32")
        assert list(root["sha256"]) == ["ab" * 32]
        assert list(root["checkpoint"]) == ["x.pt"]
        assert json.loads(root["arguments"]) == {"grid": [3, 4], "seed": 0}
        assert set(json.loads(root["versions"])) >= {"python", "torch", "numpy", "h5py"}
        assert "subspace" not in root
        for dataset in ("surface/loss", "surface/alpha", "psp/conv1/p_on"):
            assert {"units", "long_name"} <= set(file[dataset].attrs)


def test_xarray_opens_groups_labelled(tmp_path: Path) -> None:
    make(tmp_path / "x.h5", ONE, ["x.pt"])
    with xarray.open_dataset(tmp_path / "x.h5", engine="h5netcdf", group="surface") as surface:
        assert surface.loss.dims == ("alpha", "beta")
        assert surface.loss.sel(alpha=0, beta=1).item() == 4
        assert surface.loss.attrs["units"] == "nat"
        assert surface.attrs["directions"] == "random"
        assert surface.attrs["norms"].tolist() == [1, 2]
    with xarray.open_dataset(tmp_path / "x.h5", engine="h5netcdf", group="psp/conv1") as conv1:
        assert conv1.p_on.dims == ("class", "neuron")
        assert conv1["neuron"].values.tolist() == [5, 6, 7]
        assert conv1["class"].values.tolist() == [0, 1]  # the scale of the parent group


def test_several_checkpoints_give_one_axis_more(tmp_path: Path) -> None:
    make(tmp_path / "x.h5", TWO, ["x.pt", "y.pt"])
    with xarray.open_dataset(tmp_path / "x.h5", engine="h5netcdf", group="surface") as surface:
        assert surface.loss.dims == ("checkpoint", "alpha", "beta")
        assert surface["checkpoint"].values.tolist() == ["x.pt", "y.pt"]
        assert surface.loss.sel(checkpoint="y.pt", alpha=0, beta=1).item() == 7
        assert surface.centre.values.tolist() == [1, 2]
        assert surface.attrs["norms"].tolist() == [[1, 2], [2, 2]]
        assert list(surface.attrs["directions"]) == ["random", "random"]
        assert surface.attrs["centred"].tolist() == [True, True]
    with xarray.open_dataset(tmp_path / "x.h5", engine="h5netcdf", group="psp/conv1") as conv1:
        assert conv1.p_on.dims == ("checkpoint", "class", "neuron")


@pytest.mark.parametrize(
    "values",
    [
        np.array([1.5, np.nan], dtype=np.float32),
        [3, 4],
        np.array([True, False]),
        ["relu", "größe"],
        np.array([1, 255], dtype=np.uint8),
        [],
    ],
)
@pytest.mark.parametrize("several", [False, True])
def test_every_kind_of_value(tmp_path: Path, values: Any, several: bool) -> None:
    identity, labels = (TWO, ["x", "y"]) if several else (ONE, ["x"])
    with create(tmp_path / "x.h5", identity, labels, PROVENANCE) as results:
        for index in range(len(labels)):
            place = results.place(index)
            place.scale("m/place", range(len(values)), "1", "place")
            place.write("m/values", values, ("place",), "1", "values")
            results.mark_done(index, {})
        results.finish()
    with xarray.open_dataset(tmp_path / "x.h5", engine="h5netcdf", group="m") as group:
        for row in group["values"].values if several else [group["values"].values]:
            assert np.array_equal(row, np.asarray(values), equal_nan=np.asarray(values).dtype.kind == "f")


def test_torch_tensors_are_written_as_they_are(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    with create(tmp_path / "x.h5", ONE, ["x"], PROVENANCE) as results:
        results.place(0).write("m/value", torch.tensor(1.5, requires_grad=True))
        results.mark_done(0, {})
        results.finish()
    with h5py.File(tmp_path / "x.h5") as file:
        assert file["m/value"][()] == 1.5


def test_what_a_checkpoint_does_not_have_is_no_number(tmp_path: Path) -> None:
    with create(tmp_path / "x.h5", TWO, ["x", "y"], PROVENANCE) as results:
        for index in range(2):
            if index:
                results.place(index).write("m/loss", 1.0)
                results.place(index).write("m/count", 1)
            results.mark_done(index, {})
        results.finish()
    with h5py.File(tmp_path / "x.h5") as file:
        assert np.isnan(file["m/loss"][0])
        assert file["m/count"][0] == np.iinfo(np.int64).min


def test_mistakes_of_a_measure_are_errors(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), create(tmp_path / "x.h5", ONE, ["x"], PROVENANCE) as results:  # noqa: PT012
        place = results.place(0)
        place.scale("m/rank", range(3), "1", "rank")
        with pytest.raises(ValueError, match=r"shape \(3,\) and 2 dimension names"):
            place.write("m/a", [1, 2, 3], ("rank", "rank"))
        with pytest.raises(ValueError, match="has no scale beta"):
            place.write("m/b", [1, 2, 3], ("beta",))
        with pytest.raises(ValueError, match="axis 0 of m/c has 2 places"):
            place.write("m/c", [1, 2], ("rank",))
        place.write("m/d", [1, 2, 3], ("rank",))
        with pytest.raises(ValueError, match="holds int64; float64 would not fit"):
            place.write("m/d", [1.5, 2, 3], ("rank",))
        raise ZeroDivisionError


def test_checkpoints_that_do_not_fit_into_one_array_are_said(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="one by one"), create(tmp_path / "x.h5", TWO, ["x", "y"], {}) as results:  # noqa: PT012
        results.place(0).scale("m/neuron", range(3), "1", "neuron")
        results.place(1).scale("m/neuron", range(4), "1", "neuron")
    assert names(tmp_path) == []


# ---- reuse


def test_a_finished_file_is_found_again(tmp_path: Path) -> None:
    assert find(tmp_path / "x.h5", TWO) is None
    made = make(tmp_path / "x.h5", TWO, ["x.pt", "y.pt"])
    assert find(tmp_path / "x.h5", TWO) == made == summary(tmp_path / "x.h5")
    assert [each["loss"] for each in made["checkpoints"]] == [0.5, 1.5]
    assert made["checkpoints"][0]["nothing"] is None
    assert made["checkpoints"][0]["seconds"] > 0


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (Identity("hessian", ["ab" * 32], ONE.arguments), "of surface, not hessian"),
        (Identity("surface", ["cd" * 32], ONE.arguments), "another checkpoint .abababababab, not cdcdcdcdcdcd"),
        (Identity("surface", ["ab" * 32], {"grid": (3, 4), "seed": 1}), "seed was 0, is 1 now"),
        (Identity("surface", ["ab" * 32], {"grid": (3, 5), "seed": 0}), r"grid was \[3, 4\], is \[3, 5\] now"),
        (TWO, "another checkpoint"),
    ],
)
def test_another_result_is_never_reused_nor_replaced_silently(tmp_path: Path, other: Identity, message: str) -> None:
    target = tmp_path / "x.h5"
    make(target, ONE, ["x.pt"])
    before = target.read_bytes()
    for attempt in (lambda: find(target, other), lambda: make(target, other, ["x.pt"])):
        with pytest.raises(BadInput, match=rf"(?s)x\.h5 holds another result: .*{message}.*--overwrite"):
            attempt()
    assert target.read_bytes() == before
    assert find(target, other, overwrite=True) is None
    make(target, other, ["x.pt"] * len(other.checkpoints), overwrite=True)
    assert find(target, other) is not None
    assert names(tmp_path) == ["x.h5"]


@pytest.mark.parametrize("content", [b"", b"text", None])
def test_other_files_at_the_target_are_not_replaced_silently(tmp_path: Path, content: bytes | None) -> None:
    target = tmp_path / "x.h5"
    if content is None:
        with h5py.File(target, "w") as file:
            file["mine"] = 1
    else:
        target.write_bytes(content)
    before = target.read_bytes()
    with pytest.raises(BadInput, match="--overwrite"):
        make(target, ONE, ["x"])
    assert target.read_bytes() == before
    assert names(tmp_path) == ["x.h5"]


def test_a_missing_or_unwritable_folder_is_said_before_any_work(tmp_path: Path) -> None:
    for target, message in ((tmp_path / "no" / "x.h5", "mkdir -p"), (Path("/proc/x.h5"), "cannot write")):
        with pytest.raises(BadInput, match=message):
            make(target, ONE, ["x"])
    assert names(tmp_path) == []


# ---- stops


class Stop(KeyboardInterrupt):
    """Ctrl-C."""


def stop_after(rows: int, target: Path, identity: Identity = ONE, labels: Sequence[str] = ("x.pt",)) -> None:
    """A run that is stopped when it has finished so many rows."""
    with pytest.raises(Stop), create(target, identity, labels, PROVENANCE) as results:  # noqa: PT012
        done = 0
        for index in range(len(labels)):
            place = results.place(index)
            place.scale("surface/alpha", np.linspace(-1, 1, 3), "1", "along the first direction")
            place.scale("surface/beta", np.linspace(-1, 1, 4), "1", "along the second direction")
            loss = place.rows("surface/loss", (3, 4), ("alpha", "beta"), "nat", "mean cross-entropy")
            for row in loss.missing():
                if done == rows:
                    raise Stop
                loss.set(row, (index + 1) * np.arange(4) + row)
                done += 1
            fill(place, index + 1.0)
            results.mark_done(index, {"loss": index + 0.5, "nothing": math.nan, "seconds": 1.0})
        raise Stop


@pytest.mark.parametrize("rows", [1, 3, 4, 6])
def test_a_stopped_run_goes_on_to_the_same_content(tmp_path: Path, rows: int) -> None:
    labels = ["x.pt", "y.pt"]
    make(tmp_path / "whole.h5", TWO, labels)
    stop_after(rows, tmp_path / "x.h5", TWO, labels)
    assert names(tmp_path) == [f".x.h5.{TWO.key[:12]}.part", "whole.h5"]
    with create(tmp_path / "x.h5", TWO, labels, PROVENANCE) as results:
        assert [results.done(index) for index in range(2)] == [rows >= 3, rows >= 6]
        if rows < 6:
            left = results.place(rows // 3).rows("surface/loss", (3, 4), ("alpha", "beta"))
            assert left.missing() == list(range(rows % 3, 3))
        for index in range(2):
            if not results.done(index):
                fill(results.place(index), index + 1.0)
                results.mark_done(index, {"loss": index + 0.5, "nothing": math.nan, "seconds": 2.0})
        results.finish()
    assert same_content(tmp_path / "x.h5", tmp_path / "whole.h5")
    assert names(tmp_path) == ["whole.h5", "x.h5"]


def test_a_run_stopped_before_its_first_row_leaves_nothing(tmp_path: Path) -> None:
    stop_after(0, tmp_path / "x.h5")
    assert names(tmp_path) == []


def test_an_error_keeps_finished_rows(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), create(tmp_path / "x.h5", ONE, ["x"], PROVENANCE) as results:  # noqa: PT012
        fill(results.place(0))
        raise ZeroDivisionError
    assert names(tmp_path) == [part_path(tmp_path / "x.h5", ONE.key).name]


def test_a_block_that_does_not_finish_completes_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="not finished"), create(tmp_path / "x.h5", ONE, ["x"], PROVENANCE):
        pass
    with (  # noqa: PT012
        pytest.raises(RuntimeError, match=r"places \[1\]"),
        create(tmp_path / "x.h5", TWO, ["x", "y"], PROVENANCE) as results,
    ):
        results.mark_done(0, {})
        results.finish()
    assert not (tmp_path / "x.h5").exists()


@pytest.mark.parametrize("damage", ["text", "HDF5", "first"])
def test_a_part_that_cannot_be_read_is_discarded_and_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], damage: str
) -> None:
    stop_after(2, tmp_path / "x.h5")
    part = part_path(tmp_path / "x.h5", ONE.key)
    whole = part.read_bytes()
    part.write_bytes({"text": b"no journal" * 100, "HDF5": h5_bytes(), "first": whole[:50] + b"?" + whole[51:]}[damage])
    make(tmp_path / "x.h5", ONE, ["x.pt"])
    assert f"discarding {part}" in capsys.readouterr().err
    make(tmp_path / "y.h5", ONE, ["x.pt"])
    assert same_content(tmp_path / "x.h5", tmp_path / "y.h5")


def h5_bytes() -> bytes:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file["a"] = np.zeros(1000)
    return buffer.getvalue()


def test_a_kill_in_the_middle_of_any_write_costs_what_was_being_written_only(tmp_path: Path) -> None:
    """The journal, cut anywhere: the rows whose records are whole are there, and the file becomes the same."""
    stop_after(2, tmp_path / "x.h5")
    make(tmp_path / "whole.h5", ONE, ["x.pt"])
    part = part_path(tmp_path / "x.h5", ONE.key)
    content, rows = part.read_bytes(), []
    for length in [*range(0, len(content), 97), len(content)]:
        part.write_bytes(content[:length])
        with create(tmp_path / "x.h5", ONE, ["x.pt"], PROVENANCE, overwrite=True) as results:
            there = "surface/loss" in results.file
            rows.append(int(np.isfinite(results.file["surface/loss"]).all(axis=1).sum()) if there else 0)
            fill(results.place(0))
            results.mark_done(0, {"loss": 0.5, "nothing": math.nan})
            results.finish()
        assert same_content(tmp_path / "x.h5", tmp_path / "whole.h5"), length
    assert rows == sorted(rows)
    assert set(rows) == {0, 1, 2}


def test_every_damaged_part_is_said_and_harmless(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A flipped bit anywhere: what is from there on is computed again, and never taken for what was written."""
    stop_after(2, tmp_path / "x.h5")
    make(tmp_path / "whole.h5", ONE, ["x.pt"])
    part = part_path(tmp_path / "x.h5", ONE.key)
    content = part.read_bytes()
    for at in range(9, len(content), 149):
        part.write_bytes(content[:at] + bytes([content[at] ^ 4]) + content[at + 1 :])
        make(tmp_path / "x.h5", ONE, ["x.pt"], overwrite=True)
        assert same_content(tmp_path / "x.h5", tmp_path / "whole.h5"), at
    assert "is damaged" in capsys.readouterr().err


def test_a_disk_that_takes_no_more_is_said_and_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At every write of a run, one after the other."""
    make(tmp_path / "whole.h5", ONE, ["x.pt"])
    real, said = os.pwrite, []
    for number, error in enumerate(itertools.cycle([errno.ENOSPC, errno.EIO, errno.EDQUOT])):
        left = iter(range(number))

        def pwrite(*arguments: Any, left: Iterator[int] = left, error: int = error) -> int:
            if next(left, None) is None:
                raise OSError(error, os.strerror(error))
            return real(*arguments)

        with monkeypatch.context() as patched:
            patched.setattr(os, "pwrite", pwrite)
            try:
                make(tmp_path / "x.h5", ONE, ["x.pt"])
                break
            except BadInput as refusal:
                said.append(str(refusal))
        assert not (tmp_path / "x.h5").exists()
        make(tmp_path / "x.h5", ONE, ["x.pt"])
        assert same_content(tmp_path / "x.h5", tmp_path / "whole.h5")
        (tmp_path / "x.h5").unlink()
        assert names(tmp_path) == ["whole.h5"]
    assert len(said) > 12
    assert all("x.h5" in each and "same line again" in each and len(each.splitlines()) <= 2 for each in said)


def test_what_does_not_fit_on_the_disk_is_refused_before_it_is_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = types.SimpleNamespace(f_bavail=100, f_frsize=1, f_blocks=1000)
    with create(tmp_path / "x.h5", ONE, ["x"], {}) as results:
        results.place(0).scale("m/row", range(3), "1", "row")
        monkeypatch.setattr(os, "statvfs", lambda _: free)
        results.place(0).rows("m/small", (3,), ("row",))
        results.place(0).scale("m/column", range(3), "1", "column")
        with pytest.raises(BadInput, match=r"x\.h5 needs 144 bytes of room, and its disk has 100 bytes left"):
            results.place(0).rows("m/large", (3, 3), ("row", "column"))
        results.mark_done(0, {})
        results.finish()


def test_what_a_run_killed_at_its_very_end_left_is_removed(tmp_path: Path) -> None:
    stop_after(3, tmp_path / "y.h5")
    make(tmp_path / "x.h5", ONE, ["x.pt"])
    part_path(tmp_path / "y.h5", ONE.key).rename(part_path(tmp_path / "x.h5", ONE.key))
    assert find(tmp_path / "x.h5", ONE) is not None
    assert names(tmp_path) == ["x.h5"]


def test_a_part_of_another_making_is_discarded_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stop_after(2, tmp_path / "x.h5")
    with create(tmp_path / "x.h5", ONE, ["x.pt"], PROVENANCE | {"threads": 2}) as results:
        assert not results.worth_keeping
        fill(results.place(0))
        results.mark_done(0, {})
        results.finish()
    assert "made with other threads" in capsys.readouterr().err


def test_a_second_writer_is_refused_and_does_no_harm(tmp_path: Path) -> None:
    with create(tmp_path / "x.h5", ONE, ["x.pt"], PROVENANCE) as results:
        fill(results.place(0))
        for second in (ONE, TWO):  # with other arguments, too
            with pytest.raises(BadInput, match=r"x\.h5 is being written by process"):
                make(tmp_path / "x.h5", second, ["x.pt"], overwrite=True)
        results.mark_done(0, {"loss": 0.5, "nothing": math.nan})
        results.finish()
    make(tmp_path / "y.h5", ONE, ["x.pt"])
    assert same_content(tmp_path / "x.h5", tmp_path / "y.h5")


def test_a_row_that_came_out_as_nan_is_computed_again(tmp_path: Path) -> None:
    with create(tmp_path / "x.h5", ONE, ["x"], PROVENANCE) as results:
        results.place(0).scale("m/row", range(3), "1", "row")
        rows = results.place(0).rows("m/value", (3,), ("row",))
        rows.set(0, 1.0)
        rows.set(1, math.nan)
        rows.set(2, math.inf)
        assert rows.missing() == [1]
        assert np.array_equal(rows.values, [1, math.nan, math.inf], equal_nan=True)
        results.mark_done(0, {})
        results.finish()


# ---- same content


def test_times_do_not_count_and_everything_else_does(tmp_path: Path) -> None:
    make(tmp_path / "x.h5", ONE, ["x.pt"])
    make(tmp_path / "y.h5", ONE, ["x.pt"])
    with h5py.File(tmp_path / "x.h5") as x, h5py.File(tmp_path / "y.h5") as y:
        assert x["clock"].attrs["summary"] != y["clock"].attrs["summary"]
    assert same_content(tmp_path / "x.h5", tmp_path / "y.h5")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda file: file["surface/loss"].__setitem__((0, 0), np.nextafter(0, 1)), "surface/loss"),
        (lambda file: file["surface"].attrs.__setitem__("centred", False), "surface@centred"),
        (lambda file: file.attrs.__setitem__("seed", 1), "@seed"),
        (lambda file: file["surface/loss"].attrs.__setitem__("units", "bit"), "surface/loss@units"),
        (lambda file: file.create_group("more"), "more"),
        (lambda file: file.__delitem__("surface/centre"), "surface/centre"),
        (lambda file: file["surface/loss"].dims[0].detach_scale(file["surface/alpha"]), "surface/loss"),
    ],
)
def test_every_difference_is_noticed_and_named(tmp_path: Path, change: Any, named: str) -> None:
    make(tmp_path / "x.h5", ONE, ["x.pt"])
    make(tmp_path / "y.h5", ONE, ["x.pt"])
    with h5py.File(tmp_path / "y.h5", "r+") as file:
        change(file)
        seal(file)
    assert not same_content(tmp_path / "x.h5", tmp_path / "y.h5")
    assert named in differences(tmp_path / "x.h5", tmp_path / "y.h5")


def test_there_is_no_clock_in_the_bytes(tmp_path: Path) -> None:
    parts = []
    for name in ("x.h5", "a-longer-name.h5"):
        stop_after(2, tmp_path / name)
        parts.append(part_path(tmp_path / name, ONE.key).read_bytes())
        time.sleep(1.1 * (len(parts) == 1))  # HDF5's own time stamps, if there were any, count seconds
    assert parts[0] == parts[1]
