"""Bad input: exit 1, a message that helps, and nothing written."""

import pickle

import pytest
import torch

from minima.store.checkpoints.checkpoint import load, save

MEASURING = ["landscape.sharpness", "landscape.hessian", "landscape.surface", "entropy.psp"]


class Evil:
    """A pickle that creates a file when it is loaded without care."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


def make(kind, folder, trained):
    """Words of a command line that is bad in this way, and what the message must say."""
    path, net = folder / "bad.pt", trained / "net.pt"
    if kind in CONTENTS:
        CONTENTS[kind](path, net)
    return {
        "foreign without words": ([path], "--model"),
        "NaN weights": ([path], "fc1.bias"),
        "names code": ([path], "evil.py:make"),
        "misfit": ([path, "--model", "mlp", "--data", "digits"], "fc1.weight"),
        "unwritable": ([net, "-o", "/proc/none/x.h5"], "/proc/none"),
        "absent data": ([net, "--data", "mnist", "--data-root", folder / "void"], "void"),
        "too many samples": ([net, "--samples", 99999], "--samples"),
    }.get(kind, ([path], "bad.pt"))


CONTENTS = {
    "text": lambda path, _: path.write_text("these are not weights"),
    "truncated": lambda path, net: path.write_bytes(net.read_bytes()[: net.stat().st_size // 2]),
    "evil pickle": lambda path, _: path.write_bytes(pickle.dumps(Evil(str(path.with_name("ran"))))),
    "evil torch file": lambda path, _: torch.save({"state_dict": Evil(str(path.with_name("ran")))}, path),
    "foreign without words": lambda path, _: torch.save({"w": torch.ones(3)}, path),
    "misfit": lambda path, _: torch.save({"w": torch.ones(3)}, path),
    "NaN weights": lambda path, net: rewrite(path, net, lambda c: c.state["fc1.bias"].fill_(float("nan"))),
    "names code": lambda path, net: rewrite(path, net, lambda c: c.model.update(name="evil.py:make")),
}


def rewrite(path, net, change):
    """A checkpoint of ours with something changed in it."""
    checkpoint = load(net)
    change(checkpoint)
    save(checkpoint, path)


KINDS = [
    "absent",
    "text",
    "truncated",
    "evil pickle",
    "evil torch file",
    "foreign without words",
    "misfit",
    "unwritable",
    "absent data",
    "too many samples",
    "NaN weights",
    "names code",
]


@pytest.mark.parametrize("kind", KINDS)
def test_bad_input_is_explained(kind, trained, command, tmp_path):
    words, said = make(kind, tmp_path, trained)
    module = MEASURING[KINDS.index(kind) % len(MEASURING)]
    before = sorted(tmp_path.iterdir()), sorted(trained.iterdir())
    message = command(module, *words, fails=True, cwd=tmp_path)
    assert said in message
    assert (sorted(tmp_path.iterdir()), sorted(trained.iterdir())) == before
    assert not (tmp_path / "ran").exists()


def test_a_path_needs_two_of_one_kind(trained, command, tmp_path):
    torch.save({"w": torch.ones(3)}, tmp_path / "theirs.pt")
    assert "theirs.pt" in command("landscape.path", trained / "net.pt", tmp_path / "theirs.pt", fails=True)
    assert "two" in command("landscape.path", trained / "net.pt", "-o", tmp_path / "x.h5", fails=True)
    assert [path.name for path in tmp_path.iterdir()] == ["theirs.pt"]


def test_a_sparsity_beyond_one(trained, command, tmp_path):
    words = [trained / "net.pt", "--sparsity", 1.2, "-o", tmp_path / "x.pt"]
    assert "1.2" in command("pruning", "magnitude", *words, fails=True)
    assert not list(tmp_path.iterdir())


def test_results_of_another_checkpoint_are_not_touched(trained, command, tmp_path):
    out = tmp_path / "psp.h5"
    command("entropy.psp", trained / "net.pt", "-o", out)
    content = out.read_bytes()
    message = command("entropy.psp", trained / "net.gmp-0.8.pt", "-o", out, fails=True)
    assert "--overwrite" in message
    assert out.read_bytes() == content
