"""What benchmarks/ adds to timing: its data, the counting of products, the picture."""

import doctest
import json

import numpy as np
import pytest
import torch

from benchmarks import alternate, digits32, masks, picture, row
from benchmarks.counting import courses
from benchmarks.known import check
from benchmarks.reference import Reference
from benchmarks.tool import Method
from minima.store.command import BadInput
from minima.zoo.data.specs import load_data, resolve_data


@pytest.mark.parametrize("module", [alternate, picture, row])
def test_examples(module):
    assert doctest.testmod(module).failed == 0


def test_the_digits_enlarged_are_the_digits():
    spec = f"{digits32.__file__}:make"
    large, small = load_data(resolve_data(spec), run_code=True), load_data(resolve_data("digits"))
    assert large.x_train.shape == (1437, 3, 32, 32)
    assert torch.equal(large.y_test, small.y_test)
    assert (large.x_test[:, 1, 2::4, 3::4] - small.x_test[:, 0]).abs().max() < 1 / 255


def exact():
    """diag(10, 9, ..., 1, 0, 0)"""
    return Reference(torch.arange(10, 0, -1).double(), torch.zeros(10), torch.eye(10, 12))


def solver(products, error):
    def solve(product, dimension, seed):
        for _ in range(products + seed):
            image = product(torch.ones(dimension))
        assert image.tolist() == [*range(10, 0, -1), 0, 0]
        return np.array([6, 7, 8, 9, 10.0]) * (1 + error)

    return solve


def test_products_are_counted_at_the_usual_setting_and_at_the_first_that_reaches():
    settings = {"loose": solver(2, 0.1), "right": solver(5, 1e-4), "tight": solver(9, 0.0)}
    found = list(courses(Method("m", ("t",), settings, "loose"), exact(), seeds=3))
    assert [(course.setting, course.products, course.reaches) for course in found] == [
        ("loose", 3, False),
        ("right", 6, True),
    ]
    assert found[1].error == pytest.approx(1e-4)
    assert [course.setting for course in courses(Method("m", ("t",), settings, "right"), exact(), 1)] == ["right"]


def test_a_missing_or_wrong_eigenvalue_counts():
    assert exact().error([10, 9, 8, 7]) == float("inf")
    assert exact().error([10, 8, 7, 6, 5]) == pytest.approx(1 / 6)
    assert exact().disagreement(lambda v: 1.01 * exact().product(v)) == pytest.approx(0.01, rel=1e-3)


def test_a_picture_is_drawn(tmp_path):
    rows = [
        {"work": work, "tool": tool, "seconds": s, "relative": s, "error": None, "counted": s > 2}
        for work in (row.PRODUCT, row.TRACE, row.EIGENVALUES)
        for tool, s in ((row.OURS, 1.0), ("slow", 30.0), ("swift", 0.9), (row.FLOOR, 0.5))
    ]
    results = {"networks": {name: {"images": 1024, "rows": rows} for name in ("lenet5", "resnet20")}}
    written = picture.draw(json.loads(json.dumps(results)), tmp_path / "peers")
    text = written[0].read_text()
    assert all(word in text for word in ("30×", "0.9×", "ResNet-20, 1,024 images", "swift"))
    assert row.FLOOR not in text


def test_a_picture_is_drawn_of_what_was_measured(tmp_path):
    rows = [
        {"work": row.PRODUCT, "tool": tool, "seconds": s, "relative": s, "error": None, "counted": False}
        for tool, s in ((row.OURS, 1.0), ("slow", 30.0))
    ]
    results = {"networks": {"resnet20-mnist-seed1": {"images": 1024, "rows": rows}}}
    text = picture.draw(results, tmp_path / "peers")[0].read_text()
    assert "ResNet-20 on MNIST, seed 1, 1,024 images" in text
    assert picture.TITLES[row.PRODUCT] in text
    assert picture.TITLES[row.TRACE] not in text


def test_names_that_are_none_are_told():
    with pytest.raises(BadInput, match="--networks 'mpl': there is no such name here; there are 'mlp', 'vit'"):
        check("--networks", ["vit", "mpl"], ["mlp", "vit"])


def test_masks_are_timed(tmp_path, monkeypatch):
    monkeypatch.setattr(masks, "OUT", tmp_path / "masks.json")
    report = masks.main(masks.Masks(network="mlp:hidden=8", batch_size=4, rounds=1))
    assert report.summary["costs"]["dense step"]["dense steps"] == 1
    assert json.loads((tmp_path / "masks.json").read_text())["costs"] == report.summary["costs"]
