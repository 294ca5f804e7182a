"""Studies as TOML files: the bundled ones are sound, and what is wrong in one's own is said by file and key."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from forks.python import python

from figures.reading.names import parse, parse_result
from figures.study.configuration.toml_file import STUDIES, bundled
from figures.study.engine.engine import run_jobs
from figures.study.engine.jobs import Job, Plan, Step, planned
from figures.study.flags import StudyFlags
from figures.study.kinds import read_study
from figures.study.run import run_study
from minima.store.command import BadInput

METHODS = """
name = "test"
model = "mlp:hidden=12"
data = "digits"
seeds = 1
sparsities = [0.9]
dense = "--epochs 2 --batch-size 50"
prune = "--epochs 2"
finish = "--epochs 1 --lr 0.01 --batch-size 50"
sharpness = "--measures lambda_max,adaptive_lambda_max --samples 100"

[arms.random]
method = "random"

[arms.rounds]
method = "iterative-magnitude"
flags = "--rounds 5"
"""
CLAIMS, FINDINGS = (STUDIES / "tiny.toml").read_text(), (STUDIES / "verdicts.toml").read_text()


def refused(tmp_path, text):
    """What is said of a file with this text."""
    path = tmp_path / "c.toml"
    path.write_text(text)
    with pytest.raises(BadInput) as told:
        read_study(path)
    said = str(told.value)
    assert said.startswith(str(path)), said
    assert said.count("\n") <= 3
    return said


@pytest.mark.parametrize("name", bundled())
def test_bundled_studies_are_sound_and_plan_everything_they_need(name):
    plan = read_study(bundled()[name]).plan()
    made = {file for job in plan.jobs for file in job.makes}
    assert set(plan.targets) <= made
    for job in plan.jobs:
        for file in job.needs:
            assert file in made or Path(file).is_file()
            assert not file.startswith(("runs/", "out/")) or file in made


def test_names_that_are_made_are_read_again():
    for name in ("tiny", "first", "verdicts"):
        plan = read_study(bundled()[name]).plan()
        for file in (Path(file) for job in plan.jobs for file in job.makes):
            if file.suffix == ".pt":
                assert parse(file.name).checkpoint == str(file)
            elif file.name.endswith(".trajectory.h5"):
                assert parse(f"{file.name}@3").trajectory == str(file)
            elif file.suffix == ".h5" and ".collapse." not in file.name:
                assert parse_result(file.name).file == str(file)


def test_the_findings_are_planned_whole():
    plan = read_study(bundled()["verdicts"]).plan()
    stages = Counter(job.stage for job in plan.jobs)
    assert stages == {"dense": 24, "cell": 1296, "untrained": 24, "collapse": 2, "descent": 24, "curvature": 24}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('method = "random"', 'method = "chance"', "[arms.random]: there is no method 'chance'. Known: "),
        ('method = "random"', "method = []", "[arms.random]: method = []: expected a text in quotes"),
        ('[arms.random]\nmethod = "random"', '[arms]\nrandom = "random"', "expected a table [arms.random]"),
        ('method = "random"', 'methods = "random"', "no key 'methods'. Did you mean 'method'? Known: name, method"),
        ("[arms.random]", "[arms.dense]", "[arms.dense]: small letters, digits and hyphens only, and not 'dense'"),
        ("[arms.random]", '[arms."../x"]', "small letters, digits and hyphens only"),
        ("seeds = 1", "seeds = 0", "seeds = 0: expected how many, 1 to 1000"),
        ("seeds = 1", "seeds = 1_000_000_000_000", "seeds = 1000000000000: expected how many, 1 to 1000"),
        ("seeds = 1", "seeds = [0, 1]", "seeds = [0, 1]: expected a whole number"),
        ("seeds = 1", "seeds = true", "seeds = True: expected a whole number"),
        ("seeds = 1", "seeds = 2.0", "seeds = 2.0: expected a whole number"),
        ("seeds = 1", "seed = 1", "there is no key 'seed'. Did you mean 'seeds'? Known: name, data"),
        ("seeds = 1", "seeds == 1", "is not TOML: "),
        ('data = "digits"', 'like = "none.toml"', "like = 'none.toml': there is no such file"),
        ('data = "digits"', 'like = "c.toml"', "like = 'c.toml', which is like this one"),
        ('data = "digits"', "like = 3", "like = 3: expected the name of a study"),
        ('data = "digits"', 'data = "digit"', "data: --data digit: there is no such data. Known: "),
        ('data = "digits"', 'data = "npz:none.npz"', "data = 'npz:none.npz': there is no such file, seen from"),
        ('data = "digits"', 'data = "digits"\ndata_root = "none"', "data_root = 'none': there is no such folder"),
        ('data = "digits"', 'data = "dig\\u0000its"', "expected one line of text"),
        ("sparsities = [0.9]", "sparsities = [90]", "sparsity 90: expected a fraction between 0.0001 and 1"),
        ("sparsities = [0.9]", "sparsities = [1e-9]", "expected a fraction between"),
        ("sparsities = [0.9]", "sparsities = [nan]", "expected a number"),
        ("sparsities = [0.9]", "sparsities = [0.9, 0.9]", "sparsity 0.9 stands there twice"),
        ("sparsities = [0.9]", "sparsities = 0.9", "sparsities = 0.9: expected a list in [ ], each of it a number"),
        ("sparsities = [0.9]", 'sparsities = ["0.9"]', "sparsities = '0.9': expected a number"),
        ("sparsities = [0.9]", "", "[arms.random]: no sparsity is asked for"),
        ('model = "mlp:hidden=12"', "", "the key 'model' is missing: expected a text in quotes"),
        ('model = "mlp:hidden=12"', 'model = "mlq"', "model: --model mlq: there is no network named 'mlq'. Known: "),
        ('name = "test"', 'name = "A/b"', "becomes part of file names"),
        ('name = "test"', 'kind = "method"\nname = "test"', "no such kind of study. Known: methods, claims, findings"),
        ('name = "test"', 'kind = ["methods"]\nname = "test"', "expected the name of a kind"),
        (
            "--rounds 5",
            "--turns 5",
            "[arms.rounds]: python -m pruning iterative-magnitude does not take --epochs 2 --tu",
        ),
        ("--rounds 5", "--rounds five", "[arms.rounds]: python -m pruning iterative-magnitude does not take"),
        ("--rounds 5", "--rounds '5", '[arms.rounds]: flags = "--rounds \'5": expected flags as they are typed'),
        ("--rounds 5", "--sparsity 0.5", "[arms.rounds]: --sparsity is given by the study itself"),
        ("--rounds 5", "--rounds 5 --out=x.pt", "[arms.rounds]: flags = '--rounds 5 --out=x.pt': --out is none of"),
        ("--rounds 5", "--help", "--help is none of a study's flags"),
        (
            "--rounds 5",
            "--pace hybrid",
            "[arms.rounds]: python -m pruning iterative-magnitude: --pace hybrid goes with --first",
        ),
        ("--lr 0.01", "--learn 0.01", "finish: python -m minima.train does not take --epochs 1 --learn 0.01"),
        ("--lr 0.01", "--lr -1", "finish: python -m minima.train: --lr -1"),
        ("--epochs 2 --batch-size 50", "--seed 3", "dense: --seed is given by the study itself"),
        (
            "--epochs 2 --batch-size 50",
            "later",
            "dense = 'later': expected flags such as --epochs 5, found 'later' first",
        ),
        (
            "lambda_max,adaptive",
            "lambda_min,adaptive",
            "sharpness: python -m landscape.sharpness: --measures lambda_min",
        ),
    ],
)
def test_a_wrong_comparison_is_refused_by_its_key(old, new, said, tmp_path):
    assert old in METHODS
    assert said in refused(tmp_path, METHODS.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('figures = "fig/tiny"', 'figures = "$(touch x)"', "figures = '$(touch x)': expected a folder of letters"),
        ('figures = "fig/tiny"', 'figures = "{seed}"', "expected a folder of letters"),
        ('figures = "fig/tiny"', 'figures = "fig//tiny/"', "expected a folder of letters"),
        (
            "--measures lambda_max,adaptive_lambda_max",
            "--measures lambda_max",
            "curvature: the claims are judged by adap",
        ),
        ('gradual = "lobster-from-parent"', 'gradual = "gmp"', "[compared]: there is no arm 'gmp'. Known: magnitude, "),
        ('gradual = "lobster-from-parent"', 'gradual = "magnitude"', "expected two arms"),
        ('flags = "--keep 1"', "", "[arms.magnitude]: a compared arm keeps some of its weights: add --keep"),
        ("--schedule constant --keep 1", "--schedule constant", "finish: the curvature is followed along it"),
        ('entropy_split = "train"', 'entropy_split = "both"', "expected one of 'train', 'test'"),
        ("path_sparsities = [0.97]", "path_sparsities = [0.5]", "path_sparsities: sparsity 0.5 is none of those"),
        ("path_sparsities = [0.97]", "path_sparsities = []", "path_sparsities = []: its last one is that of what is"),
        (
            "pictured_seeds = 1",
            "pictured_seeds = 2",
            "[[parts]] of lenet5: pictured_seeds = 2: expected how many, 0 to 1",
        ),
        ('model = "lenet5"', 'model = "lenet300"', "two networks are called lenet300 in names of files"),
        ('arms = ["magnitude", "lobster-from-parent"]', 'arms = ["magnitude"]', "a compared arm is missing in arms"),
        ("classes=0-4", "classes=4-0", "[transfer] source: digits:classes=4-0: the classes 4-0 run backwards"),
        ('flags = "--epochs 0"', 'flags = "--epoch 0"', "[transfer] flags: python -m entropy.transfer does not take"),
        ('flags = "--keep 1"', 'flags = "--keep 0"', "[arms.magnitude]: a compared arm keeps some of its weights"),
        (
            'method = "magnitude"',
            'method = "magnitude"\nsparsities = [0.9]',
            "a compared arm has the sparsities of [[parts]]",
        ),
        ('arms = ["magnitude", "lob', 'arms = ["magnitude", "magnitude", "lob', "arms: magnitude stands there twice"),
        ("[arms.lobster]", "[arms.finish]", "[arms.finish]: a job of the study itself is called so"),
        (
            'weights = "fresh"',
            'weights = "frsh"',
            "[controls.reinitialised]: weights: there is no arm 'frsh'. Known: dense",
        ),
        ('mask = "magnitude"', 'mask = "gmp"', "[controls.shuffled]: mask: there is no arm 'gmp'"),
        (
            "[controls.shuffled]",
            "[controls.dense]",
            "[controls.dense]: small letters, digits and hyphens only, and not",
        ),
        (
            'flags = "--epochs 1"',
            'flags = "--epoch 1"',
            "[controls.reinitialised]: python -m minima.train does not take",
        ),
        ("seeds = 1", "seeds = 1000", "letters, more than a shell takes in one line. Ask for fewer seeds"),
        ("--grid 3", "--grid three", "surface: python -m landscape.surface"),
        ("--points 5", "--points five", "path: python -m landscape.path does not take --points five"),
    ],
)
def test_a_wrong_study_of_the_claims_is_refused_by_its_key(old, new, said, tmp_path):
    assert old in CLAIMS
    assert said in refused(tmp_path, CLAIMS.replace(old, new))


def test_claims_of_one_s_own(tmp_path):
    own = (STUDIES.parent / "claims" / "claims.toml").read_text()
    arms = 'one_shot = "magnitude"', 'gradual = "lobster-from-parent"'
    text = CLAIMS.replace(arms[1], 'gradual = "lobster"').replace('--tolerance 1"', '--tolerance 1 --keep 1"')
    text = text.replace('arms = ["magnitude", "lobster-from-parent"]', 'arms = ["magnitude", "lobster"]')
    assert "but the claims of " in refused(tmp_path, text)
    mine = text.replace('figures = "fig/tiny"', 'figures = "fig/mine"\nclaims = "mine.toml"')
    assert "claims = 'mine.toml': there is no such file" in refused(tmp_path, mine)
    (tmp_path / "mine.toml").write_text(own.replace(arms[1], 'gradual = "lobster"'))
    (tmp_path / "c.toml").write_text(mine)
    jobs = {job.name: job for job in read_study(tmp_path / "c.toml").plan().jobs}
    assert jobs["tiny.claims_table"].steps[0].given[-4:-2] == ("--claims", str(tmp_path / "mine.toml"))
    for old, new, said in [
        ('statistic = "test_error", stage = "unf', 'statistic = "eror", stage = "unf', "there is no statistic 'eror'"),
        ('stage = "unfinished", margin = 0.5', 'stage = "late", margin = 0.5', "expected one of 'unfinished'"),
        ("margin = 0.5", "margin = 0", "each view needs a margin above 0"),
        ("reached_within", "within", "there is no key 'within'"),
    ]:
        (tmp_path / "mine.toml").write_text(own.replace(arms[1], 'gradual = "lobster"').replace(old, new))
        with pytest.raises(BadInput, match=said):
            read_study(tmp_path / "c.toml")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"findings-gentle"]', '"findings"]', "comparisons: two are called 'findings'"),
        ('"findings-gentle"]', '"tiny"]', "is a study of kind 'claims', expected 'methods'"),
        ('"findings-gentle"]', '"none"]', "comparisons = 'none': there is no such file"),
        (
            '"synflow"]',
            '"sinflow"]',
            "claim 'collapse': there is no method of [collapse] 'synflow'. Known: magnitude, random",
        ),
        ('"synflow"]', '"synflow", "snip --turns 5"]', "[collapse] methods: python -m pruning.collapse does not take"),
        ('methods = ["magnitude", "random", "snip", "grasp", "synflow"]', "methods = []", "methods = []: expected for"),
        ("epochs = 4000", "epochs = 40", "[edge.labels.true]: epochs = 40: expected as many as moments, 100"),
        ("--lr 0.5", "--lr 0.5 --epochs 3", "[edge.labels.true] flags: --epochs is given by the study itself"),
    ],
)
def test_a_wrong_study_of_findings_is_refused_by_its_key(old, new, said, tmp_path):
    assert old in FINDINGS
    assert said in refused(tmp_path, FINDINGS.replace(old, new))


def test_a_study_that_is_not_there_or_no_text(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, said in [
        ("nothing", "Known: cifar, digits, findings"),
        ("digit", "Did you mean digits?"),
        (".", "is a folder"),
    ]:
        with pytest.raises(BadInput, match=said):
            run_study(StudyFlags(study=name))
    Path("x.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match=r"x\.toml is no text"):
        run_study(StudyFlags(study="x.toml"))
    with pytest.raises(BadInput, match="--cores 0: expected 1 or more"):
        run_study(StudyFlags(study="first", cores=0))


def test_the_list_names_every_bundled_study():
    told = run_study(StudyFlags(study="list"))
    assert set(told.summary["studies"]) == set(bundled())
    assert all(name in told.table for name in bundled())


def test_what_a_shell_would_read_reaches_the_command_as_it_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    odd = "$(touch a) `touch b` ; touch c & {x} 'd' \\ *"
    script = tmp_path / "telling.py"
    script.write_text("import json, sys\nopen('out/told.json', 'w').write(json.dumps(sys.argv[1:]))\n")
    monkeypatch.setattr("figures.study.engine.engine.PYTHON", f"env PYTHONPATH={tmp_path} {sys.executable} -m")
    step = Step("telling", (), ("--data", odd), ("out/told.json",))
    outcome = run_jobs(planned("odd", [Job("tell", "odd", (), (step,))]), 1)
    assert (outcome.explained, outcome.done) == ("", 1)
    assert json.loads(Path("out/told.json").read_text()) == ["--data", odd]
    assert {path.name for path in tmp_path.iterdir()} <= {"telling.py", "out", "runs", ".snakemake", "__pycache__"}


READ_NO_DATA = ("figures.", "pruning.transplant")


def test_data_that_are_code_are_named_in_every_command_that_reads_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("my.py").write_text("raise SystemExit('nobody asked for this to be run')")
    for text in (METHODS, CLAIMS):
        Path("c.toml").write_text(text.replace('data = "digits"', 'data = "my.py:images"'))
        steps = [step for job in read_study(Path("c.toml")).plan().jobs for step in job.steps]
        for step in steps:
            named = step.given.count("--data")
            assert named == (0 if step.module.startswith(READ_NO_DATA) else 1), step.line


def test_networks_that_are_code_are_named_in_every_command_that_builds_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("net.py").write_text("raise SystemExit('nobody asked for this to be run')")
    for text, model in ((METHODS, "mlp:hidden=12"), (CLAIMS, "lenet5")):
        assert f'model = "{model}"' in text
        Path("c.toml").write_text(text.replace(f'model = "{model}"', 'model = "net.py:build"'))
        steps = [step for job in read_study(Path("c.toml")).plan().jobs for step in job.steps]
        own = [step for step in steps if "net-seed0" in step.line and not step.module.startswith(READ_NO_DATA)]
        assert own
        assert all("--model net.py:build" in step.line for step in own)
    assert "there is no such file" in refused(tmp_path, text.replace(f'model = "{model}"', 'model = "gone.py:build"'))


def test_what_waits_for_a_failed_job_is_found_through_others():
    jobs = [
        Job("make", "c", ("b.pt",), (Step("x", (), (), ("c.pt",)),)),
        Job("make", "a", (), (Step("x", (), (), ("a.pt",)),)),
        Job("make", "b", ("a.pt",), (Step("x", (), (), ("b.pt",)),)),
        Job("make", "d", (), (Step("x", (), (), ("d.pt",)),)),
    ]
    assert [job.name for job in Plan("p", tuple(jobs), ()).behind({"out/logs/a.log"})] == ["b", "c"]
    assert {job.name for job in planned("p", jobs, ["b.pt"]).jobs} == {"a", "b"}
    with pytest.raises(ValueError, match="two jobs"):
        planned("p", [*jobs, jobs[0]])


def test_the_command_refuses_in_a_line_and_without_a_traceback(tmp_path):
    (tmp_path / "mine.toml").write_text(METHODS.replace("seeds = 1", "seeds = 0"))
    line = [python(), "-m", "figures.study", "mine.toml"]
    environment = {"PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run(line, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "error: mine.toml: seeds = 0: expected how many, 1 to 1000\n"
    assert [path.name for path in tmp_path.iterdir()] == ["mine.toml"]
