"""Numbers said once: in the file with unit and meaning, in the JSON object by key, in the table by column."""

import math

import numpy as np
import pytest

from minima.store.hdf5 import record
from minima.store.hdf5.record import Number
from minima.store.hdf5.results import Identity, create, in_memory

TRACE = Number("trace", "nat", "trace of the Hessian", ("layer",), column="trace")
COUNT = Number("layer_weights", "1", "weights of the layer", ("layer",), key="weights", kind=float)
NAMED = Number("longest", "1", "name of the longest weight", ("layer",), kind=str)
ROWS = [
    {"name": "conv1", "trace": 2.5, "weights": 10, "longest": "conv1.weight"},
    {"name": "fc1", "trace": None, "weights": None, "longest": None},
]


def attributes(file, name):
    return {key: file[name].attrs[key] for key in ("units", "long_name")}


def test_the_file_holds_each_number_with_its_unit_its_meaning_and_its_scale(tmp_path):
    path = tmp_path / "x.h5"
    with create(path, Identity("x", ["0" * 64], {}), ["net.pt"], {}) as results:
        place = results.place(0)
        place.scale("x/layer", [row["name"] for row in ROWS], "1", "layer")
        record.write(place, "x", [TRACE, COUNT, NAMED], ROWS)
        record.write(place, "x", [Number("depth", "1", "layers")], {"depth": 2}, invariant="none")
        results.mark_done(0, {})
        results.finish()
    xarray = pytest.importorskip("xarray")
    with xarray.open_dataset(path, engine="h5netcdf", group="x") as found:
        assert found["trace"].dims == ("layer",)
        np.testing.assert_array_equal(found["trace"], [2.5, np.nan])
        np.testing.assert_array_equal(found["layer_weights"], [10.0, np.nan])
        assert list(found["longest"].values) == ["conv1.weight", ""]
        assert found["trace"].attrs["units"] == "nat"
        assert found["layer_weights"].attrs["long_name"] == "weights of the layer"
        assert int(found["depth"]) == 2
        assert found["depth"].attrs["invariant"] == "none"


def test_nats_stand_for_the_unit_of_the_loss_that_is_measured(tmp_path):
    path = tmp_path / "x.h5"
    with create(path, Identity("x", ["0" * 64], {}), ["net.pt"], {}) as results:
        record.write(results.place(0, "m^2"), "x", [Number("trace", "nat", "trace")], {"trace": 1.0})
        assert attributes(results.file, "x/trace") == {"units": "m^2", "long_name": "trace"}
        results.mark_done(0, {})
        results.finish()


def test_what_one_checkpoint_lacks_another_may_have():
    whole = Number("weights", "1", "weights", kind=float)
    place = in_memory()
    record.write(place, "x", [whole], {"weights": None})
    assert math.isnan(place.read("x/weights"))
    record.write(place, "x", [whole], {"weights": 3})  # a whole number among real ones
    assert place.read("x/weights") == 3.0


def test_a_number_that_was_not_found_is_no_number_of_the_result():
    with pytest.raises(KeyError, match="trace"):
        record.write(in_memory(), "x", [Number("trace", "nat", "trace")], {"loss": 1.0})


def test_the_table_shows_what_has_a_column_and_the_names_of_the_rows():
    lines = record.table([TRACE, COUNT], ROWS, named="layer").splitlines()
    assert [line.split() for line in lines] == [["layer", "trace"], ["-----", "-----"], ["conv1", "2.5"], ["fc1", "-"]]


def test_an_error_stands_beside_its_number():
    error = TRACE.beside("stderr", "standard error of it", key="error")
    assert error == Number("trace_stderr", "nat", "standard error of it", ("layer",), key="error")
    assert TRACE.beside("stderr", "").key == "trace_stderr"


def test_one_checkpoint_and_several_are_read_alike():
    one = {"checkpoint": "a.pt", "loss": 1.0, "interval": [0.0, 1.0]}
    two = {"checkpoint": ["a.pt", "b.pt"], "loss": [1.0, 2.0], "interval": [[0.0, 1.0], None], "seed": 0}
    assert record.each_checkpoint(one, ["loss", "interval"]) == [one]
    assert record.each_checkpoint(two, ["loss", "interval"]) == [
        {"loss": 1.0, "interval": [0.0, 1.0]},
        {"loss": 2.0, "interval": None},
    ]
