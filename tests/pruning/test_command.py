"""`python -m pruning METHOD`: what it writes, what it says, what it refuses."""

import json
from dataclasses import replace

import pytest
import torch

from minima.store.checkpoints.checkpoint import load, save
from minima.store.command import BadInput
from minima.store.reading import sha256
from minima.zoo.subject.subject import load_subject
from pruning.context.counts import kept_count

PRUNABLE = 64 * 12 + 12 * 10


def survivors(checkpoint):
    return sum(int(mask.sum()) for mask in checkpoint.masks.values())


def test_the_checkpoint_says_where_it_comes_from(dense, tmp_path, prune):
    out = tmp_path / "sparse.pt"
    report = prune("magnitude", dense, "--sparsity", 0.9, "-o", out)
    parent, sparse = load(dense), load(out)
    assert sparse.parent == sha256(dense)
    assert sparse.method == {
        "name": "magnitude",
        "arguments": {"scope": "global", "layer": [], "retrain": None},
        "sparsity": [0.9],
        "seed": 0,
    }
    assert (sparse.model, sparse.data, sparse.seed) == (parent.model, parent.data, parent.seed)
    assert survivors(sparse) == kept_count(PRUNABLE, 0.9)
    assert not sparse.weights_at
    assert report["sha256"] == sha256(out)
    assert report["sparsity"] == sparse.metrics["sparsity"] == pytest.approx(0.9, abs=1 / PRUNABLE)
    assert report["reached"] is True
    assert report["epochs"] == 4
    assert out.stat().st_size <= 1.1 * (4 * survivors(sparse) + PRUNABLE / 8) + 65536


def test_the_numbers_are_those_of_the_network_in_the_file(dense, tmp_path, prune):
    from minima.zoo.examples.evaluation import evaluate

    report = prune("gmp", dense, "--sparsity", 0.8, "-o", tmp_path / "sparse.pt")
    subject = load_subject(tmp_path / "sparse.pt", split="test")
    measured = evaluate(subject.model, subject.x, subject.y)
    assert report["loss"] == pytest.approx(measured.loss, rel=1e-6)
    assert report["accuracy"] == measured.accuracy > 0.5


def test_one_gradual_run_passes_through_every_sparsity(dense, tmp_path, prune):
    words = [dense, "--epochs", 8, "--rounds", 3, "--sparsity", 0.5, 0.8]
    report = prune("iterative-magnitude", *words, "-o", tmp_path / "x-{sparsity}.pt")
    half, fifth = (load(tmp_path / f"x-{sparsity}.pt") for sparsity in ("0.5", "0.8"))
    assert report["out"] == [str(tmp_path / "x-0.5.pt"), str(tmp_path / "x-0.8.pt")]
    assert [survivors(half), survivors(fifth)] == [kept_count(PRUNABLE, s) for s in (0.5, 0.8)]
    assert all((half.masks[name] | ~fifth.masks[name]).all() for name in half.masks)
    assert 0 < report["epochs"][0] < report["epochs"][1] == 8
    assert half.metrics["cuts"] == fifth.metrics["cuts"][: len(half.metrics["cuts"])]


def test_each_sparsity_in_a_run_of_its_own_is_the_single_run(dense, tmp_path, prune):
    words = [dense, "--epochs", 4, "--rounds", 2]
    prune("iterative-magnitude", *words, "--sparsity", 0.5, 0.8, "--each", "-o", tmp_path / "each-{sparsity}.pt")
    prune("iterative-magnitude", *words, "--sparsity", 0.5, "-o", tmp_path / "single.pt")
    assert sha256(tmp_path / "each-0.5.pt") == sha256(tmp_path / "single.pt")
    assert load(tmp_path / "each-0.5.pt").metrics["epochs"] == 4


def test_one_shot_methods_always_run_each(dense, tmp_path, prune):
    report = prune("random", dense, "--epochs", 1, "--sparsity", 0.5, 0.9, "-o", tmp_path / "r-{sparsity}.pt")
    assert report["epochs"] == [1, 1]
    prune("random", dense, "--epochs", 1, "--sparsity", 0.9, "-o", tmp_path / "r-0.9.pt")  # reused, not refused


def test_typed_twice_it_is_reused_and_typed_otherwise_refused(dense, tmp_path, prune, capsys):
    out = tmp_path / "x.pt"
    words = [dense, "--epochs", 1, "-o", out]
    first = prune("magnitude", *words, "--sparsity", 0.5)
    again = prune("magnitude", *words, "--sparsity", 0.5)
    assert (first["reused"], again["reused"], first["sha256"]) == (False, True, again["sha256"])
    assert "there already" in capsys.readouterr().err
    other_parent = tmp_path / "other.pt"
    save(replace(load(dense), seed=9), other_parent)
    for method, other in (
        ("magnitude", [*words, "--sparsity", 0.6]),
        ("magnitude", [*words, "--sparsity", 0.5, "--lr", 0.2]),
        ("random", [*words, "--sparsity", 0.5]),
        ("magnitude", [other_parent, *words[1:], "--sparsity", 0.5]),
    ):
        with pytest.raises(BadInput, match="--overwrite"):
            prune(method, *other)
        assert sha256(out) == first["sha256"]
    assert prune("magnitude", *words, "--sparsity", 0.6, "--overwrite")["sha256"] != first["sha256"]


def test_another_order_makes_a_sibling(dense, tmp_path, prune):
    words = [dense, "--epochs", 1, "--sparsity", 0.5]
    prune("magnitude", *words, "-o", tmp_path / "a.pt")
    prune("magnitude", *words, "-o", tmp_path / "b.pt", "--order-seed", 8)
    one, other = load(tmp_path / "a.pt"), load(tmp_path / "b.pt")
    assert all(torch.equal(one.masks[name], other.masks[name]) for name in one.masks)
    assert not torch.equal(one.state["fc1.weight"], other.state["fc1.weight"])


def test_the_recipe_comes_from_the_parent_and_the_flags(dense, tmp_path, prune):
    def recipe(method, *flags):
        prune(method, dense, "--epochs", 2, "--sparsity", 0.5, "-o", tmp_path / "x.pt", "--overwrite", *flags)
        return load(tmp_path / "x.pt").training["recipe"]

    parent = load(dense).training["recipe"]
    assert recipe("magnitude") == parent | {"lr": pytest.approx(0.01), "schedule": "constant"}
    assert recipe("iterative-magnitude", "--rounds", 2, "--rewind", 1) == parent
    assert recipe("gmp", "--start", "initialisation") == parent
    assert recipe("gmp", "--lr", 0.5, "--optimiser", "adam")["lr"] == 0.5
    assert load(tmp_path / "x.pt").training["validation"] == 0.1


def test_a_rate_that_is_not_the_recipes_is_written_down_for_who_measures_the_trajectory(dense, tmp_path, prune):
    from landscape.stability.threshold import moment

    for flags, known in (([], True), (["--retrain", "llr"], False)):
        words = [dense, "--epochs", 2, "--sparsity", 0.5, "--lr", 0.01, "--overwrite", "-o", tmp_path / "x.pt", *flags]
        prune("magnitude", *words, "--schedule", "constant")
        assert (moment(load(tmp_path / "x.pt"), 1, 1000).unknown is None) == known


def test_without_epochs_the_weights_are_those_of_the_parent(dense, tmp_path, prune):
    prune("magnitude", dense, "--sparsity", 0.5, "--epochs", 0, "-o", tmp_path / "x.pt")
    parent, sparse = load(dense).state, load(tmp_path / "x.pt")
    assert all(torch.equal(sparse.state[name], parent[name] * mask) for name, mask in sparse.masks.items())
    removed = torch.cat([parent[name][~mask].abs() for name, mask in sparse.masks.items()])
    kept = torch.cat([parent[name][mask].abs() for name, mask in sparse.masks.items()])
    assert removed.max() <= kept.min()


def test_by_layer_every_layer_keeps_the_same_fraction(dense, tmp_path, prune):
    prune("magnitude", dense, "--scope", "layer", "--sparsity", 0.75, "--epochs", 0, "-o", tmp_path / "x.pt")
    masks = load(tmp_path / "x.pt").masks
    assert {name: int(mask.sum()) for name, mask in masks.items()} == {"fc1.weight": 192, "fc2.weight": 30}


def test_a_sparse_checkpoint_is_pruned_further_or_trained_on_but_never_grown(dense, tmp_path, prune):
    prune("magnitude", dense, "--sparsity", 0.5, "--epochs", 0, "-o", tmp_path / "half.pt")
    prune("magnitude", tmp_path / "half.pt", "--sparsity", 0.5, "--epochs", 1, "-o", tmp_path / "on.pt")
    prune("gmp", tmp_path / "half.pt", "--sparsity", 0.9, "--epochs", 2, "-o", tmp_path / "more.pt")
    half, on, more = (load(tmp_path / f"{name}.pt") for name in ("half", "on", "more"))
    assert all(torch.equal(half.masks[name], on.masks[name]) for name in half.masks)
    assert not (more.masks["fc1.weight"] & ~half.masks["fc1.weight"]).any()
    assert survivors(more) == kept_count(PRUNABLE, 0.9)
    with pytest.raises(BadInput, match="444 left"):
        prune("magnitude", tmp_path / "half.pt", "--sparsity", 0.4, "-o", tmp_path / "no.pt")


def test_sparsity_zero_is_the_dense_control(dense, tmp_path, prune):
    report = prune("magnitude", dense, "--sparsity", 0, "--epochs", 1, "-o", tmp_path / "x.pt")
    assert (report["sparsity"], report["reached"], load(tmp_path / "x.pt").masks) == (0, True, {})


def test_a_target_that_is_not_reached_is_written_and_said(dense, tmp_path, prune, capsys):
    words = [dense, "--sparsity", 0.5, 0.99, "--epochs", 2, "--tolerance", 1e-6, "--plateau", 0]
    report = prune("lobster", *words, "-o", tmp_path / "x-{sparsity}.pt")
    assert report["reached"][1] is False
    said = capsys.readouterr().err
    assert "reached: false" in said
    assert "a larger --strength, --tolerance or --epochs, or a smaller --plateau" in said
    sparse = load(tmp_path / "x-0.99.pt")
    assert survivors(sparse) > kept_count(PRUNABLE, 0.99)
    assert report["sparsity"][1] == sparse.metrics["sparsity"] < 0.99
    assert sparse.metrics["reached"] is False


def test_the_trajectory_shows_weights_and_masks_on_the_way(dense, tmp_path, prune):
    from minima.store.checkpoints.trajectory import load_step, read_steps

    words = [dense, "--sparsity", 0.5, 0.8, "--epochs", 4, "--keep", 2, "-o", tmp_path / "x-{sparsity}.pt"]
    assert prune("gmp", *words)["reused"] == [False, False]
    assert prune("gmp", *words)["reused"] == [True, True]
    path, final = tmp_path / "x-0.8.trajectory.h5", load(tmp_path / "x-0.8.pt")
    assert read_steps(path) == [0, 2, 4]
    moments = [load_step(path, step) for step in (0, 2, 4)]
    assert torch.equal(moments[0].state["fc1.weight"], load(dense).state["fc1.weight"])
    assert torch.equal(moments[2].state["fc1.weight"], final.state["fc1.weight"])
    assert torch.equal(moments[2].masks["fc1.weight"], final.masks["fc1.weight"])
    assert kept_count(PRUNABLE, 0.8) < survivors(moments[1]) < PRUNABLE


@pytest.mark.parametrize(
    ("method", "words", "said"),
    [
        ("magnitude", ["--sparsity", 1.2], "--sparsity"),
        ("magnitude", ["--sparsity", "nan"], "--sparsity"),
        ("magnitude", ["--sparsity"], "--sparsity"),
        ("magnitude", ["--sparsity", 0.5, 0.9], "{sparsity}"),
        ("magnitude", ["--sparsity", 0.5, "--epochs", -1], "--epochs"),
        ("magnitude", ["--sparsity", 0.5, "--lr", 1e30], "--lr"),
        ("magnitude", ["--sparsity", 0.5, "--validation", 2], "--validation 2"),
        ("magnitude", ["--sparsity", 0.5, "--validation", 0.9999], "--validation"),
        ("magnitude", ["--sparsity", 0.5, "--validation", "nan"], "--validation nan"),
        ("magnitude", ["--sparsity", 0.5, "--keep", -2], "--keep -2"),
        ("magnitude", ["--sparsity", 0.5, "--momentum", 2], "--momentum 2"),
        ("magnitude", ["--sparsity", 0.5, "--gamma", 0], "--gamma 0"),
        ("magnitude", ["--sparsity", 0.5, "--milestones", 0.5, 15], "--milestones 15"),
        ("iterative-magnitude", ["--sparsity", 0.5, "--epochs", 3], "--rounds"),
        ("iterative-magnitude", ["--sparsity", 0.5, "--rewind", 7], "--rewind 7"),
        ("iterative-magnitude", ["--sparsity", 0.5, "--rewind", -2], "--rewind -2"),
        ("iterative-magnitude", ["--sparsity", 0.5, "--rounds", 0], "--rounds 0"),
        ("iterative-magnitude", ["--sparsity", 0.5, "--fraction", 1], "--fraction 1"),
        ("iterative-magnitude", ["--sparsity", 0.5, "--pace", "constant", "--rounds", 0], "--rounds 0"),
        ("iterative-magnitude", ["--sparsity", 0.5, "--pace", "hybrid"], "--first"),
        (
            "iterative-magnitude",
            ["--sparsity", 0.5, "--pace", "hybrid", "--first", 0.6, "--step", 0.1],
            r"--first 0\.6.* not beyond --sparsity 0\.5",
        ),
        ("iterative-magnitude", ["--sparsity", 0.5, "--wait", 0], "--wait 0"),
        ("iterative-magnitude", ["--sparsity", 0.5, "--wait", 2, "--retrain", "llr"], "give one of them"),
        ("iterative-magnitude", ["--sparsity", 0.5, "--wait", 2, "--validation", 0], "--validation"),
        ("magnitude", ["--sparsity", 0.5, "--scope", "given"], "--layer"),
        ("magnitude", ["--sparsity", 0.5, "--scope", "given", "--layer", "fc9=0.5"], "--layer fc9: .*fc1, fc2"),
        ("magnitude", ["--sparsity", 0.5, "--scope", "given", "--layer", "fc1=0.1"], "give a --sparsity from"),
        ("magnitude", ["--sparsity", 0.5, "--warm-up", 1], "--warm-up 1"),
        ("magnitude", ["--sparsity", 0.5, "--last", -1], "--last -1"),
        ("taylor", ["--sparsity", 0.5, "--batches", 0], "--batches 0"),
        ("rise", ["--sparsity", 0.5, "--rewind", 7], "--rewind 7"),
        ("egp", ["--sparsity", 0.5, "--least", 2], "--least 2"),
        ("egp", ["--sparsity", 0.9, "--epochs", 2], "--epochs 4"),
        ("ice", ["--sparsity", 0.5, "--threshold", -1], "--threshold -1"),
        ("ice", ["--sparsity", 0.5, "--freeze", 1], "--freeze 1"),
        ("ice", ["--sparsity", 0.5, "--centre", 0.5], "--centre 0.5"),
        ("ice", ["--sparsity", 0.5, "--validation", 0], "--validation"),
        ("early-magnitude", ["--sparsity", 0.5, "--tau", 2], "--tau 2"),
        ("early-magnitude", ["--sparsity", 0.5, "--when", "edge", "--optimiser", "adam"], "--optimiser sgd"),
        ("gmp", ["--sparsity", 0.5, "--frequency", 10_000], "--frequency"),
        ("gmp", ["--sparsity", 0.5, "--frequency", -1], "--frequency -1"),
        ("gmp", ["--sparsity", 0.5, "--begin", -0.5], "--begin -0.5"),
        ("gmp", ["--sparsity", 0.5, "--begin", 0.8, "--end", 0.5], "--begin 0.8 --end 0.5"),
        ("gmp", ["--sparsity", 0.5, "--end", "nan"], "--end nan"),
        ("lobster", ["--sparsity", 0.5, "--validation", 0], "--validation"),
        ("lobster", ["--sparsity", 0.5, "--validation", 1e-5], "--validation 1e-05"),
        ("lobster", ["--sparsity", 0.5, "--tolerance", -1], "--tolerance -1"),
        ("lobster", ["--sparsity", 0.5, "--tolerance", "nan"], "--tolerance nan"),
        ("lobster", ["--sparsity", 0.5, "--strength", -3], "--strength -3"),
        ("lobster", ["--sparsity", 0.5, "--strength", 3], "--strength 3"),
        ("lobster", ["--sparsity", 0.5, "--plateau", -1], "--plateau -1"),
    ],
)
def test_bad_input_names_the_flag_and_writes_nothing(dense, tmp_path, prune, method, words, said):
    with pytest.raises(BadInput, match=said):
        prune(method, dense, *words, "-o", tmp_path / "x.pt")
    assert not [path for path in tmp_path.iterdir() if path.suffix != ".part"]


def test_the_parent_is_never_overwritten(dense, prune):
    before = sha256(dense)
    with pytest.raises(BadInput, match="is what is to be read"):
        prune("magnitude", dense, "--sparsity", 0.5, "-o", dense, "--overwrite")
    assert sha256(dense) == before


def test_data_that_is_code_is_repeated_as_it_was_typed(dense, tmp_path, prune, monkeypatch):
    (tmp_path / "mine.py").write_text(
        "from minima.zoo.data.specs import load_data, resolve_data\n"
        "def make():\n    return load_data(resolve_data('digits'))\n"
    )
    (tmp_path / "other.py").write_text((tmp_path / "mine.py").read_text())
    monkeypatch.chdir(tmp_path)
    from minima.zoo.data.specs import resolve_data

    save(replace(load(dense), data=resolve_data("mine.py:make")), tmp_path / "mine.pt")
    words = [tmp_path / "mine.pt", "--sparsity", 0.5, "--epochs", 1, "-o", tmp_path / "x.pt"]
    with pytest.raises(BadInput, match="--data"):
        prune("magnitude", *words)
    with pytest.raises(BadInput, match=r"other\.py:make"):
        prune("magnitude", *words, "--data", "other.py:make")
    assert prune("magnitude", *words, "--data", "mine.py:make")["reused"] is False
    assert prune("magnitude", *words, "--data", tmp_path / "mine.py:make")["reused"] is True


def test_a_file_without_its_first_weights_cannot_start_there(dense, tmp_path, prune):
    save(replace(load(dense), weights_at={}), tmp_path / "bare.pt")
    with pytest.raises(BadInput, match="--start initialisation"):
        prune("lobster", tmp_path / "bare.pt", "--sparsity", 0.5, "-o", tmp_path / "x.pt")


@pytest.mark.parametrize("method", ["snip", "grasp", "synflow", "sbp-sr", "gmp"])
def test_a_pruned_file_is_refused_by_what_the_method_has(method, dense, tmp_path, prune):
    """--start is named by gmp alone, which has it."""
    prune("magnitude", dense, "--sparsity", 0.5, "--epochs", 0, "-o", tmp_path / "half.pt")
    words = ["--start", "initialisation"] if method == "gmp" else []
    with pytest.raises(BadInput, match="made by magnitude of another file") as refused:
        prune(method, tmp_path / "half.pt", "--sparsity", 0.8, *words, "-o", tmp_path / "x.pt")
    said = str(refused.value)
    assert ("--start" in said) == (method == "gmp")
    assert sha256(dense)[:12] in said


def test_weights_that_are_kept_at_zero_are_counted_apart(dense, tmp_path, prune):
    report = prune("set", dense, "--sparsity", 0.5, "--epochs", 4, "--weight-decay", 0, "-o", tmp_path / "x.pt")
    made = load(tmp_path / "x.pt")
    zeros = sum(int((made.state[name][mask] == 0).sum()) for name, mask in made.masks.items())
    assert report["zeros_kept"] == made.metrics["zeros_kept"] == zeros > 0
    assert report["sparsity"] == pytest.approx(0.5, abs=1e-3)


def test_what_does_not_train_is_in_the_table_and_in_the_description(dense, tmp_path, capsys):
    from minima.checkpoint import Show
    from minima.checkpoint import main as show
    from pruning.__main__ import main

    with pytest.raises(SystemExit):
        main(["rise", str(dense), "--sparsity", "0.9", "--epochs", "1", "-o", str(tmp_path / "x.pt")])
    header, _, row = capsys.readouterr().out.splitlines()
    assert "frozen, not removed" in header
    assert "0.8998" in row  # of 888 weights 799
    described = show(Show(file=tmp_path / "x.pt")).table.splitlines()
    assert "0.89977" in next(line for line in described if "sparsity" in line)


@pytest.fixture
def shell(capsys):
    """shell(*words) -> (exit status, stdout, stderr) of `python -m pruning`."""
    from pruning.__main__ import main

    def call(*words):
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        return ended.value.code, *capsys.readouterr()

    return call


def test_from_the_shell(dense, tmp_path, shell):
    words = [dense, "--epochs", 1, "-o", tmp_path / "x.pt"]
    status, out, _ = shell("magnitude", *words, "--sparsity", 0.9, "--json")
    assert status == 0
    expected = {"checkpoint", "out", "sparsity", "reached", "epochs", "loss", "accuracy", "seconds", "wall_seconds"}
    assert expected <= json.loads(out).keys()
    status, out, err = shell("magnitude", dense, "--sparsity", 1.2, "-o", tmp_path / "y.pt")
    assert (status, out) == (1, "")
    assert "error: --sparsity 1.2" in err
    assert "Traceback" not in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.pt"]
    status, out, _ = shell("magnitude", *words, "--sparsity", 0.9)
    assert status == 0
    assert "x.pt" in out


def test_the_list_names_every_method_and_other_words_are_wrong_syntax(shell):
    status, out, _ = shell("list", "--json")
    listed = json.loads(out)
    assert status == 0
    assert {"gmp", "iterative-magnitude", "lobster", "magnitude", "random"} <= listed.keys()
    assert {"taylor", "rise", "ice", "egp", "nepenthe", "early-magnitude"} <= listed.keys()
    assert "accuracy drop" in listed["ice"]["parts"].values()
    assert listed["gmp"]["paper"] == "Zhu & Gupta 2018"
    assert listed["lobster"]["parts"]["select"] == "loss bound"
    for words in (["prune"], [], ["magnitude"], ["magnitude", "x.pt", "--sparsity", "much", "-o", "y.pt"]):
        assert shell(*words)[0] == 2


NET = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.shift, self.made = nn.Parameter(torch.ones(1, 64)), nn.Parameter(torch.randn(8, 64))
        self.last = nn.Linear(8, 10)

    def forward(self, x):
        return self.last(torch.sigmoid(nn.functional.linear(x.flatten(1) + self.shift, self.made)))
"""


def test_weights_that_units_have_entries_in_are_counted_and_others_are_named(tmp_path, prune, capsys):
    (tmp_path / "net.py").write_text(NET)
    space: dict = {}
    exec(NET, space)
    torch.save(space["Net"]().state_dict(), tmp_path / "net.pt")
    flags = "--model", f"{tmp_path}/net.py:Net", "--data", "digits", "--epochs", 0
    report = prune("filters", tmp_path / "net.pt", "--units", 0.4, *flags, "-o", tmp_path / "units.pt")
    assert (report["units"], report["reached"]) == (0.5, True)  # of 8 the first 4
    assert "these are not, and stay whole: shift\n" in capsys.readouterr().err
    prune("magnitude", tmp_path / "net.pt", "--sparsity", 0.4, *flags, "-o", tmp_path / "weights.pt")
    assert "these are not, and stay whole: shift, made\n" in capsys.readouterr().err
