"""What reports say of losses of their own units, of networks without classes, and of surfaces that turned out exact."""

from __future__ import annotations

from landscape.hessian.report import table as hessian_table
from landscape.surface.report import table as surface_table
from landscape.survivors.compute import _ratio
from minima.store.hdf5.results import Results

LEVEL = {"loss": 0.5, "loss_name": "mse", "loss_unit": "1", "score": None, "score_name": None}
"""of a regression"""
WHERE = {
    "samples": 10,
    "split": "train",
    "dimension": 5,
    "subspace": "survivors",
    "weight_norm": 1,
    "gradient_norm": 0,
    "gradient_curvature": 1,
}


def test_what_is_in_units_of_the_loss_has_its_unit():
    file = Results(1)
    place = file.place(0, "1")
    place.write("sharpness/trace", 1.0, (), "nat")
    place.write("psp/entropy", 1.0, (), "bit")
    assert file.file["sharpness/trace"].attrs["units"] == "1"
    assert file.file["psp/entropy"].attrs["units"] == "bit"


def test_a_multiple_of_what_may_be_zero_is_none():
    assert _ratio(3.0, 0.9, 0.5) is None
    assert _ratio(3.0, -0.9, 0.5) is None
    assert _ratio(3.0, 0.0, None) is None
    assert _ratio(3.0, 1.5, 0.5) == 2.0


def test_outliers_of_a_network_without_classes():
    spectrum = {
        "operator": "hessian",
        "eigenvalues": [2.0],
        "residuals": [1e-4],
        "data_stderr_new": None,
        "trace": None,
    }
    density = {"edge": 1.0, "width": 0.1, "left_out_at_zero": 0}
    outliers = {"edge": 1.0, "count": 1, "complete": True, "classes": None, "top_share": None}
    rest = {"converged": True, "products": 3, "passes": 9.0, "density": density, "outliers": outliers}
    words = hessian_table(LEVEL | WHERE | spectrum | rest)
    assert "1 eigenvalue beyond it\n" in words
    assert "classes" not in words


def test_a_surface_whose_every_point_was_evaluated_is_exact():
    error = {
        "asked": 0.1,
        "kept": True,
        "cells_beyond": 0.0,
        "held_out": 5,
        "held_out_beyond": 0,
        "held_out_largest": 0,
    }
    surface = {"shape": [9, 9], "points": 81, "lines": 0, "forward_passes": 81.0, "not_finite": 0}
    surface |= {"loss_at_centre": 0.5, "loss_min": 0.5, "loss_max": 2.0}
    surface |= {"direction_norms": [1.0, 1.0], "relative_direction_norms": [0.1, 0.1]}
    whole = surface_table(LEVEL | WHERE | surface | {"error": error | {"exact_points": 81}})
    some = surface_table(LEVEL | WHERE | surface | {"error": error | {"exact_points": 20}})
    assert "estimated" not in whole
    assert "exact" in whole
    assert "estimated to be off by more than 0.1 x max(loss, 1);" in some
