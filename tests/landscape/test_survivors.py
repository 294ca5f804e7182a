"""`landscape.survivors`: four Hessians on the same data against dense float64 matrices, and what is refused."""

from dataclasses import replace

import h5py
import numpy as np
import pytest
import torch
from oracles.dense_landscape import Dense

from landscape.objective.streams import stream
from landscape.spectrum.data_error import used_share
from landscape.spectrum.example_blocks import deal
from landscape.survivors import controls
from landscape.survivors.controls import random_masks
from landscape.survivors.report import table
from minima.store.checkpoints.checkpoint import load, save
from minima.zoo.subject.subject import load_subject

QUICK = ["--samples", "30", "--top", "4", "--trace", "60", "--masks", "2", "--seed", "3"]


def dense_operators(pruned, parent):
    """Matrix, point and loss of each, as NumPy indexing of the parent's whole Hessian has it."""
    small, large = (load_subject(path, samples=30, seed=3) for path in (pruned, parent))
    own, whole = (Dense(each.model, each.x, each.y, each.masks) for each in (small, large))
    full = whole.hessian()
    yield own.hessian(), own.point(), own.loss(own.w)
    yield full, whole.w, whole.loss(whole.w)
    drawn = [random_masks(small.masks, stream(3, "mask", index)) for index in (1, 2)]
    for masks in (small.masks, *drawn):
        index = Dense(large.model, large.x, large.y, masks).kept
        yield full[index][:, index], whole.w[index], whole.loss(whole.w)


def test_each_hessian_is_the_dense_one(command, pruned, checkpoint, tmp_path):
    target = tmp_path / "x.h5"
    status, found, err = command("survivors", pruned, "--parent", checkpoint, *QUICK, "-o", target)
    assert (status, err) == (0, "")
    names = ["pruned", "parent", "parent-in-mask", "random-mask-1", "random-mask-2"]
    assert [each["name"] for each in found["operators"]] == names
    for each, (matrix, point, loss) in zip(found["operators"], dense_operators(pruned, checkpoint), strict=True):
        np.testing.assert_allclose(each["eigenvalues"], torch.linalg.eigvalsh(matrix).flip(0)[:4], rtol=1e-3)
        assert max(each["residuals"]) <= 1e-3**0.5  # the error is below r^2 / gap
        assert abs(each["trace"] - matrix.trace()) < 4 * each["trace_stderr"]
        adaptive = torch.linalg.eigvalsh(point.abs()[:, None] * matrix * point.abs())[-1].item()
        assert each["adaptive_lambda_max"] == pytest.approx(adaptive, rel=1e-3)
        assert (each["dimension"], each["loss"]) == (len(matrix), pytest.approx(loss.item(), rel=1e-5))
        assert each["weight_norm"] == pytest.approx(point.norm().item(), rel=1e-5)
        assert each["ratios"]["lambda_max"] == each["eigenvalues"][0] / found["operators"][0]["eigenvalues"][0]
    drawn = [each["lambda_max"] for each in found["operators"][3:]]
    assert found["random_masks"]["lambda_max"] == {
        "mean": pytest.approx(np.mean(drawn)),
        "deviation": pytest.approx(np.std(drawn, ddof=1)),
    }
    pooled = found["random_masks"]["data_stderr_new"]
    assert 0 < pooled["trace"] < max(each["data_stderr_new"]["trace"] for each in found["operators"][3:])
    with h5py.File(target) as file:
        new = [each["data_stderr_new"]["eigenvalues"] for each in found["operators"]]
        np.testing.assert_array_equal(file["survivors/eigenvalues_data_stderr_new"], new)
        np.testing.assert_array_equal(file["survivors/trace"], [each["trace"] for each in found["operators"]])
        assert file["survivors/eigenvalues"].shape == (5, 4)
        assert [name.decode() for name in file["survivors/operator"]] == names


def left_out(subject, masks, signs):
    """Numbers of a Hessian without each block in turn: two eigenvalues, probes' trace, adaptive eigenvalue, share."""
    parts = [(subject.x[rows], subject.y[rows]) for rows in deal(subject.y, len(subject.x))]
    dense = [Dense(subject.model, x, y, masks) for x, y in parts]
    sums = torch.stack([len(each.x) * each.hessian() for each in dense])
    scale, signs = dense[0].point().abs(), signs[:, dense[0].kept]
    for out in range(len(parts)):
        rest = (sums.sum(0) - sums[out]) / (len(subject.x) - len(dense[out].x))
        first, second = torch.linalg.eigvalsh(rest).flip(0)[:2].tolist()
        trace = (signs @ rest * signs).sum(1).mean().item()
        adaptive = torch.linalg.eigvalsh(scale[:, None] * rest * scale)[-1].item()
        yield first, second, trace, adaptive, (first + second) / trace


def deviation(left):
    return np.sqrt((len(left) - 1) * np.var(left, axis=0))


def flat(errors, *keys):
    return np.array([*errors["eigenvalues"], *(errors[key] for key in keys)])


def test_the_errors_of_the_examples_are_those_of_leaving_each_block_out(command, pruned, checkpoint):
    arguments = ["--samples", "200", "--top", "2", "--trace", "8", "--masks", "0", "--tolerance", "1e-7"]
    _, found, _ = command("survivors", pruned, "--parent", checkpoint, *arguments)
    small, large = (load_subject(path, samples=200) for path in (pruned, checkpoint))
    size, probes = sum(p.numel() for p in large.model.parameters()), stream(0, "trace")
    signs = torch.stack([2.0 * torch.randint(0, 2, (size,), generator=probes) - 1 for _ in range(8)]).double()
    own, whole = (np.array([*left_out(each, each.masks, signs)]) for each in (small, large))
    ratios = ["lambda_max", "trace", "adaptive_lambda_max"]
    for each, left in zip(found["operators"], (own, whole), strict=False):
        new, some = (flat(each[kind], *ratios[1:], "top_share") for kind in ("data_stderr_new", "data_stderr"))
        np.testing.assert_allclose(new, deviation(left), rtol=0.1)
        np.testing.assert_allclose(some, used_share(200, small.available) * new)
    expected = deviation((whole / own)[:, [0, 2, 3]])
    found = found["operators"][1]["data_stderr_new"]["ratios"]
    np.testing.assert_allclose([found[key] for key in ratios], expected, rtol=0.1)


@pytest.mark.parametrize("flags", [["--temperature", "2", "--logits", "normalised"], ["--temperature", "calibrated"]])
def test_the_scale_of_the_logits_is_that_of_each_network(flags, command, pruned, checkpoint, tmp_path):
    """As of `landscape.hessian` for either."""
    for path in (pruned, checkpoint):
        save(replace(load(path), training={"validation": 0.25, "split_seed": 3}), path)
    _, found, _ = command("survivors", pruned, "--parent", checkpoint, *QUICK, *flags, "-o", tmp_path / "x.h5")
    alone = [
        command("hessian", path, "--samples", "30", "--seed", "3", "--top", "4", *flags, "-o", tmp_path / f"{name}.h5")[
            1
        ]
        for name, path in (("pruned", pruned), ("parent", checkpoint))
    ]
    temperatures = [found["temperature"], found["parent_temperature"]]
    assert temperatures == [each["temperature"] for each in alone]
    for each, own in zip(found["operators"], alone, strict=False):
        assert each["loss"] == own["loss"]
        np.testing.assert_allclose(each["eigenvalues"], own["eigenvalues"], rtol=2e-3)
    assert f"(the parent's by {temperatures[1]:.4g})" in table(found)


def test_memory_reaches_every_hessian_and_changes_no_number(command, pruned, checkpoint, monkeypatch):
    made, build = [], controls.mean_loss
    monkeypatch.setattr(controls, "mean_loss", lambda *args, **rest: made.append(build(*args, **rest)) or made[-1])
    arguments = [pruned, "--parent", checkpoint, *QUICK, "--masks", "0", "--overwrite"]
    (_, some, _), (_, none, _) = (command("survivors", *arguments, "--memory", gib) for gib in ("1", "0"))
    assert [each.keeper.memory for each in made] == [0.75 * 2**30] * 3 + [0] * 3
    for one, other in zip(some["operators"], none["operators"], strict=True):
        np.testing.assert_allclose(one["eigenvalues"], other["eigenvalues"], rtol=1e-5)
        assert one["trace"] == pytest.approx(other["trace"], rel=1e-5)


def test_a_mask_s_eigenvalues_interlace_with_the_parent_s(command, pruned, checkpoint):
    _, found, _ = command("survivors", pruned, "--parent", checkpoint, *QUICK, "--tolerance", "1e-6")
    parent, *inside = (np.array(each["eigenvalues"]) for each in found["operators"][1:])
    assert all((each <= parent * (1 + 1e-9)).all() for each in inside)  # Cauchy


def test_random_masks_keep_each_layer_s_count_and_are_those_of_the_seed():
    masks = {"a": torch.arange(40).view(5, 8) < 9, "b": torch.arange(30) % 3 == 0}
    one, again, other = (random_masks(masks, stream(seed, "mask", 1)) for seed in (0, 0, 1))
    for name, mask in masks.items():
        assert one[name].shape == mask.shape
        assert one[name].sum() == mask.sum()
        assert torch.equal(one[name], again[name])
        assert not torch.equal(one[name], other[name])


def test_the_table_and_several_checkpoints(command, pruned, checkpoint, another, tmp_path):
    more = another("more.pt", sparsity=0.5)
    arguments = [pruned, more, "--parent", checkpoint, "--samples", "20", "--top", "1", "--trace", "2"]
    _, table, _ = command("survivors", *arguments, "-o", tmp_path / "x.h5", as_json=False)
    assert table.count("parent, 3 random masks") == 2 * 2
    _, found, _ = command("survivors", *arguments, "-o", tmp_path / "x.h5")
    assert found["reused"]
    assert len(found["operators"]) == 2


def test_a_parent_that_is_not_the_one_in_the_file_is_said(command, pruned, checkpoint):
    from minima.store.reading import sha256

    for parent, said in ((sha256(checkpoint), False), ("ab" * 32, True)):
        save(replace(load(pruned), parent=parent), pruned)
        arguments = ["--samples", "20", "--top", "1", "--trace", "1", "--masks", "0", "--overwrite"]
        status, found, err = command("survivors", pruned, "--parent", checkpoint, *arguments)
        assert (status, found["random_masks"]) == (0, None)
        assert ("abababababab" in err) == said


def test_what_cannot_be_compared_is_refused(command, pruned, checkpoint, another, tmp_path):
    other = another("wide.pt", model="mlp:hidden=9")
    for arguments, words in (
        ([checkpoint, "--parent", checkpoint], "nothing is removed"),
        ([pruned, "--parent", pruned], "79.9% of its prunable weights are removed"),
        ([pruned, "--parent", other], "is (9,) in wide.pt and (8,) in"),
        ([pruned, "--parent", tmp_path / "none.pt"], "none.pt"),
        ([pruned, "--parent", checkpoint, "--masks", "-1"], "--masks -1"),
        ([pruned, "--parent", checkpoint, "--memory", "-1"], "--memory -1"),
        ([pruned, "--parent", checkpoint, "--top", "9999"], "9999 eigenvalues"),
    ):
        status, _, err = command("survivors", *arguments, "--samples", "20")
        assert status == 1
        assert words in err
        assert err.count("\n") <= 3
