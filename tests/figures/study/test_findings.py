"""The verdicts on the findings: invented tables whose answer is known, read back from what is written."""

from __future__ import annotations

import json

import numpy as np
import pytest

from figures.study.comparison.comparison import Cell, Comparison
from figures.study.comparison.text import as_json
from figures.study.comparison.values import VALUES
from figures.study.configuration.toml_file import bundled
from figures.study.findings import draw as findings
from figures.study.findings.inputs import read_inputs
from figures.study.findings.outcome import judge
from figures.study.findings.statements import FINDINGS, load_findings
from figures.study.findings.values import sample, summarise
from figures.study.kinds import read_study
from minima.store.command import BadInput
from minima.store.hdf5.results import Identity, create

SEEDS = 12
HARM = {"snip-it": -3.0, "snip-it-during": 3.0, "set": 0.0, "rigl": 0.01}
ORDER = ("retrain-llr", "retrain-slr", "retrain-clr", "retrain-lrw", "retrain-ft")
"""as invented: its second and third are the wrong way round"""
EMPTY = {"snip": 2, "snip-it": 0, "snip-it-during": 3}
COMPRESSION = {"magnitude": 10, "random": 30, "snip": 100, "grasp": 120, "synflow": 9000}


@pytest.fixture(scope="session")
def comparisons():
    return [read_study(bundled()[name]).comparison for name in ("findings", "findings-gentle")]


def cell_of(cell: Cell, rng: np.random.Generator, harm: dict[str, float]) -> dict[str, float]:
    """Per cent: what an arm adds to the error of its seed."""
    added = harm.get(cell.called, 0.0)
    if cell.called == "iterative-magnitude":
        added = 1.0 if cell.sparsity < 0.8 else -1.0
    if cell.called in ORDER:
        added = float(ORDER.index(cell.called))
    noise = 3.0 if cell.called == "set" else 0.05
    error = 0.2 + 0.01 * (cell.seed + added + noise * rng.normal())
    lowest = {"egp": 0.5, "nepenthe": 0.5}.get(cell.called, 2.0) + 0.01 * rng.normal()
    values = {"error": error, "sparsity": cell.sparsity, "psp_entropy_lowest": lowest}
    return dict.fromkeys(VALUES, 0.0) | values | {"reached": None, "empty_layers": EMPTY.get(cell.called, 0)}


def unchanged(_, values):
    return values


def write_table(path, comparison: Comparison, change=unchanged, harm=HARM):
    """As a study of kind `methods` writes it; a cell that `change` makes None is missing."""
    rng = np.random.default_rng(0)
    found = [(cell, stage, cell_of(cell, rng, harm)) for cell in comparison.cells() for stage in comparison.stages]
    changed = [(cell, stage, change(cell, values)) for cell, stage, values in found]
    path.write_bytes(as_json(comparison, [each for each in changed if each[2] is not None], [], [], {}))
    return path


def write_results(path, measure, found):
    """A results file of these summaries, by checkpoint."""
    with create(path, Identity(measure, ["0" * 64] * len(found), {}), list(found), {}) as file:
        for index, summary in enumerate(found.values()):
            file.mark_done(index, summary)
        file.finish()
    return path


def write_collapse(path, model, compression=COMPRESSION, seeds=SEEDS):
    rng = np.random.default_rng(1)
    found = {}
    for seed in range(seeds):
        logs = {method: float(np.log10(c) + 0.01 * rng.normal()) for method, c in compression.items()}
        methods = {method: {"compression": 10**log, "log_compression": log} for method, log in logs.items()}
        found[f"findings-{model}-seed{seed}.untrained.pt"] = {"weights": 1, "layers": 3, "methods": methods}
    return write_results(path, "collapse", found)


def write_edge(path, labels, seed, level):
    """Three hundred steps, of which the last hundred are at `level`."""
    lr, base = 0.02, f"findings-mlp-seed{seed}.edge-{labels}.trajectory.h5"
    found = {
        f"{base}@{step}": {
            "update": step,
            "lambda_max": 2 / lr * (level + 0.001 * (step % 3 - 1) if step >= 200 else step / 1000),
            "learning_rate": lr if step < 300 else None,
            "accuracy": step / 300,
        }
        for step in range(0, 301, 10)
    }
    return write_results(path, "stability", found)


@pytest.fixture(scope="session")
def study(tmp_path_factory, comparisons):
    """All of it, at two learning rates."""
    folder = tmp_path_factory.mktemp("study")
    made = [write_table(folder / "a.json", comparisons[0])]
    made += [write_table(folder / "b.json", comparisons[1], harm=HARM | {"rigl": -2.0, "snip-it": 3.0})]
    made += [write_collapse(folder / f"{model}.h5", model) for model in ("lenet300", "resnet20")]
    made += [
        write_edge(folder / f"{labels}{seed}.h5", labels, seed, 1.04 + 0.003 * seed)
        for labels in ("true", "random")
        for seed in range(1, SEEDS)
    ]
    return made


@pytest.fixture(scope="session")
def written(study, tmp_path_factory):
    return findings.draw(study, tmp_path_factory.mktemp("fig") / "findings")


def by_name(setting):
    return {claim["name"]: claim for claim in setting["claims"]}


def test_the_answers_that_were_put_in(written):
    told = json.loads(written[-1].read_text())
    assert [setting["learning_rate"] for setting in told["settings"]] == [0.05, 0.02]
    verdicts, gentle = (
        {name: claim["verdict"] for name, claim in by_name(setting).items()} for setting in told["settings"]
    )
    assert verdicts == {
        "one-shot-then-gradual": "confirmed",
        "iterative-snip": "confirmed",
        "iterative-snip-during": "contradicted",
        "collapse": "confirmed",
        "retraining": "confirmed",
        "rigl": "equivalent",
        "set": "undecided",
        "entropy-guided": "confirmed",
        "edge": "confirmed",
    }
    assert gentle == verdicts | {"iterative-snip": "undecided", "rigl": "confirmed"}


def test_the_markdown_has_both_settings_and_where_an_order_is_broken(written):
    text = written[-2].read_text()
    assert "| statement | source | findings, learning rate 0.05 | findingsgentle, learning rate 0.02 |" in text
    assert "| RigL beats a static sparse network | Evci et al. 2020 | **equivalent**, p 1.000 | **confirmed**" in text
    assert text.count("LLR: retrain-slr below retrain-clr: -") == text.count(" below ") == 4
    assert "| λ₁ · lr / 2, last third of the steps, true labels | 1 to 1.15 | 11 | 1.06 | " in text
    assert "| rigl | 90 % | as left by the method | 12 | 25." in text


def test_the_same_bytes_in_any_order_of_the_inputs(study, written, tmp_path):
    again = findings.draw(study[::-1], tmp_path / "findings")
    assert [path.name for path in again] == ["findings.svg", "findings.png", "findings.md", "findings.json"]
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in written]


def test_nothing_is_measured_without_inputs_and_families_stay_whole(study, tmp_path):
    findings.draw(study[:1], tmp_path / "x")
    part = by_name(json.loads((tmp_path / "findings.json").read_text())["settings"][0])
    assert {part[name]["verdict"] for name in ("collapse", "edge")} == {"not yet measured"}
    assert part["iterative-snip"]["p_adjusted"] == pytest.approx(8 / 2**11)  # Page's p is smaller
    findings.draw(study[2:], tmp_path / "x")
    (setting,) = json.loads((tmp_path / "findings.json").read_text())["settings"]
    assert setting["comparison"] is None
    assert {name for name, claim in by_name(setting).items() if claim["verdict"] == "confirmed"} == {"collapse", "edge"}


def samples(path, claim):
    """The sample of a claim's first view, and its verdict."""
    told, inputs = load_findings(), read_inputs([path])
    (setting,) = inputs.settings
    view = next(each for each in told.claims if each.name == claim).views[0]
    verdicts = {j.claim.name: j.views[0].verdict for j in judge(told, inputs, setting).judgements}
    return sample(view, inputs, setting, told.reached_within), verdicts[claim]


def test_seeds_that_lack_a_network_or_fell_short_are_left_out_and_counted(tmp_path, comparisons):
    def change(cell, values):
        if (cell.called, cell.sparsity, cell.seed) == ("rigl", 0.95, 3):
            return None
        short = (cell.called, cell.sparsity, cell.seed) == ("static", 0.98, 5)
        dead = {"psp_entropy_lowest": None, "psp_entropy_alive": None} if cell.seed == 7 else {}
        return values | dead | {"sparsity": cell.sparsity - (0.0021 if short else 0.0019)}

    path = write_table(tmp_path / "t.json", comparisons[0], change)
    found, _ = samples(path, "rigl")
    assert (len(found.rows), found.lacking, found.unreached) == (10, 1, 1)
    cells = {(c["arm"], c["asked"], c["seed"], c["stage"]): c for c in json.loads(path.read_text())["cells"]}
    errors = [
        [[100 * cells[arm, s, seed, "unfinished"]["error"] for s in (0.9, 0.95, 0.98)] for arm in ("static", "rigl")]
        for seed in range(SEEDS)
        if seed not in (3, 5)
    ]
    np.testing.assert_allclose(found.rows[:, 0], np.diff(np.mean(errors, axis=2))[:, 0])
    entropy, _ = samples(path, "entropy-guided")
    assert (len(entropy.rows), entropy.lacking) == (SEEDS - 1, 1)


@pytest.mark.parametrize(("claim", "arm"), [("retraining", "retrain-ft"), ("rigl", "static")])
def test_measured_but_nowhere_reached_gives_no_verdict(claim, arm, tmp_path, comparisons):
    def short(cell, values):
        return values | {"sparsity": 0.5} if cell.called == arm else values

    found, verdict = samples(write_table(tmp_path / "t.json", comparisons[0], short), claim)
    assert (len(found.rows), found.unreached, verdict) == (0, SEEDS, "no verdict")
    absent = write_table(tmp_path / "u.json", comparisons[0], lambda cell, v: None if cell.called == arm else v)
    found, verdict = samples(absent, claim)
    assert (len(found.rows), found.lacking, verdict) == (0, SEEDS, "not yet measured")


def test_the_slope_is_that_of_polyfit(study):
    told, inputs = load_findings(), read_inputs(study[:1])
    view = told.claims[0].views[4]
    assert view.kind == "slope"
    cells = {(c["arm"], c["asked"], c["seed"], c["stage"]): c for c in json.loads(study[0].read_text())["cells"]}
    x = -np.log10(1 - np.array(view.sparsities))
    expected = []
    for seed in range(SEEDS):
        first, last = (
            [100 * cells[arm, s, seed, "unfinished"]["error"] for s in view.sparsities]
            for arm in ("magnitude", "iterative-magnitude")
        )
        expected.append(np.polyfit(x, np.subtract(last, first), 1)[0])
    found = sample(view, inputs, inputs.settings[0], told.reached_within)
    np.testing.assert_allclose(found.rows[:, 0], expected)


def test_an_arm_of_two_methods_is_their_mean(study):
    told, inputs = load_findings(), read_inputs(study[2:3])
    view = next(claim for claim in told.claims if claim.name == "collapse").views[0]
    found = summarise(view, sample(view, inputs, None, told.reached_within))
    logs = [inputs.collapse["lenet300", method, 4]["log_compression"] for method in ("snip", "grasp")]
    assert sample(view, inputs, None, 0.0).rows[4, 2] == pytest.approx(np.mean(logs))
    assert found.mean_ranks == (1.0, 2.0, 3.0, 4.0)


def test_what_settles_beyond_the_edge_contradicts(tmp_path):
    paths = [write_edge(tmp_path / f"{s}.h5", "true", s, 1.3 + 0.01 * s) for s in range(1, SEEDS)]
    told, inputs = load_findings(), read_inputs(paths)
    assert inputs.edge["edge-true", 2]["edge"] == pytest.approx(1.32)
    judgement = judge(told, inputs, None).judgements[-1]
    assert [view.verdict for view in judgement.views] == ["contradicted", "not yet measured"]
    assert judgement.verdict == "undecided"


@pytest.mark.parametrize("path", sorted(FINDINGS.parent.glob("*.toml")), ids=lambda path: path.stem)
def test_every_bundled_file_of_statements_can_be_judged(path, tmp_path):
    """What a study of hours ends in: values of trainings along the edge, where none of its networks is pruned."""
    labels = {view.labels for claim in load_findings(path).claims for view in claim.views if view.table == "edge"}
    written = [write_edge(tmp_path / f"{name}{seed}.h5", name, seed, 1.0) for name in labels for seed in range(3)]
    measured = [
        view for each in judge(load_findings(path), read_inputs(written), None).judgements for view in each.views
    ]
    assert {view.view.labels for view in measured if view.summary is not None} == labels


def test_a_value_of_the_edge_that_is_none_is_refused_when_the_file_is_read(tmp_path):
    path = tmp_path / "f.toml"
    path.write_text(
        "reached_within = 0.002\n[[claim]]\nname = 'mine'\ntext = 't'\nsource = 's'\nmargin = 0.1\n"
        "value = 'edges'\ndirection = 'zero'\n"
        "views = [{ kind = 'range', table = 'edge', labels = 'true' }]\n"
    )
    with pytest.raises(BadInput, match=r"claim 'mine': there is no value 'edges'\. Known: edge, edge_along"):
        load_findings(path)


VIEW = '{ kind = "difference", value = "error", arms = ["static", "rigl"], sparsities = [0.9], direction = "below", '
VIEW += 'margin = 0.5, stage = "finished" }'


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("difference", "diference", "no kind 'diference'"),
        ('"below"', '"under"', "no direction of a difference 'under'"),
        ('stage = "finished"', 'stage = "late"', "no stage 'late'"),
        (', stage = "finished"', "", "has no stage"),
        ("margin", "margen", "no key 'margen'"),
        ("margin = 0.5, ", "", "needs a margin"),
        ('"static", ', "", "1 arms, expected 2"),
        ("difference", "slope", "two sparsities"),
        ('kind = "difference"', 'kind = "trend"', "no direction of a trend 'below'"),
        ('"error"', '"eror"', "no value 'eror'"),
        ('"rigl"', '"rig"', "no arm 'rig'"),
        ('value = "error", ', "", "has no value"),
    ],
)
def test_what_is_misspelt_is_named_with_file_and_claim(before, after, words, study, tmp_path):
    path, inputs = tmp_path / "f.toml", read_inputs(study[:1])
    claim = '[[claim]]\nname = "mine"\ntext = "t"\nsource = "s"\nviews = [{}]\n'
    path.write_text("reached_within = 0.002\n" + claim.format(VIEW))
    judge(load_findings(path), inputs, inputs.settings[0])
    path.write_text("reached_within = 0.002\n" + claim.format(VIEW.replace(before, after)))
    with pytest.raises(BadInput) as told:
        judge(load_findings(path), inputs, inputs.settings[0])
    assert f"{path}: claim 'mine': " in str(told.value)
    assert words in str(told.value)


def test_inputs_that_are_refused(study, tmp_path):
    with pytest.raises(BadInput, match="two comparisons of one name"):
        read_inputs([study[0], study[0]])
    with pytest.raises(BadInput, match="another file says the same"):
        read_inputs([study[2], study[2]])
    (tmp_path / "x.json").write_text("[]")
    with pytest.raises(BadInput, match="is neither a table"):
        read_inputs([tmp_path / "x.json"])
    other = write_results(tmp_path / "y.h5", "hessian", {"findings-mlp-seed1.dense.pt": {}})
    with pytest.raises(BadInput, match="result of hessian"):
        read_inputs([other])
