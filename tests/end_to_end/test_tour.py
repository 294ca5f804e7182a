"""From nothing to numbers, as the README's tour goes: every measure on every checkpoint, from any directory."""

import math

import pytest

MEASURES = {
    "landscape.sharpness": ["--measures", "lambda_max,adaptive_lambda_max,average"],
    "landscape.hessian": ["--top", 3],
    "landscape.surface": ["--grid", 3],
    "entropy.psp": [],
    "entropy.transfer": ["--to", "digits:classes=5-9", "--epochs", 1],
    "entropy.layers": ["--zeta", 0.5],
}
SHARED_KEYS = {
    "checkpoint",
    "sha256",
    "loss",
    "accuracy",
    "samples",
    "seed",
    "out",
    "seconds",
    "compile_seconds",
    "wall_seconds",
}


@pytest.mark.parametrize("module", MEASURES)
@pytest.mark.parametrize("name", ["net.pt", "net.magnitude-0.8.pt"])
def test_every_measure_takes_every_checkpoint(trained, command, module, name, tmp_path):
    checkpoint = trained / name
    report = command(module, checkpoint, *MEASURES[module], cwd=tmp_path)
    assert set(report) >= SHARED_KEYS
    assert report["checkpoint"] == str(checkpoint)
    assert report["out"] == str(checkpoint.with_name(f"{name.removesuffix('.pt')}.{module.split('.')[1]}.h5"))
    assert 0 < report["accuracy"] <= 1
    assert math.isfinite(report["loss"])
    assert not list(tmp_path.iterdir())


def test_path_between_two(trained, command):
    report = command("landscape.path", trained / "net.magnitude-0.8.pt", trained / "net.gmp-0.8.pt")
    assert set(report) >= {"barrier", "losses", "t", "checkpoint", "sha256"}
    assert report["t"][0] == 0
    assert report["t"][-1] == 1
    assert set(report["barrier"]) >= {"loss", "error"}


def test_the_mask_is_what_was_asked_for(trained, command):
    for method in ("magnitude", "gmp"):
        report = command("minima.checkpoint", trained / f"net.{method}-0.8.pt")
        assert report["sparsity"] == pytest.approx(0.8, abs=1e-3)
