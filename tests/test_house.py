"""The rules of the house: who may import whom, how long things are, and how soon a command answers."""

import ast
import os
import subprocess
import sys
import tomllib
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ORDER = {
    "minima.store": set(),
    "minima.zoo": {"minima.store"},
    "landscape": {"minima.store", "minima.zoo"},
    "entropy": {"minima.store", "minima.zoo"},
    "pruning": {"minima.store", "minima.zoo", "landscape", "entropy"},
    "figures": {"minima.store"},
    "figures.study": {"figures", "minima.store", "minima.zoo", "landscape", "entropy", "pruning"},
    "figures.page": {"figures", "figures.study", "minima.store"},
    "minima": {"minima.store", "minima.zoo"},
}
"""what each package may import beside itself; the commands of `minima` are the door, and nothing imports them"""
ROOMS = {
    "minima.store": ["", "hdf5", "checkpoints"],
    "minima.zoo": ["", "losses", "examples", "architecture anatomy", "data", "subject", "training measuring"],
    "landscape": [
        "passes",
        "objective",
        "spectrum symmetry",
        "hessian sharpness surface path",
        "survivors stability topology instability successive",
        "",
    ],
    "entropy": ["counting", "information", "layers psp transfer", ""],
    "pruning": [
        "context",
        "spaces scorers selection schedules triggers updates",
        "unit_criteria",
        "scopes recoveries",
        "regrow",
        "drops composition",
        "methods layer_methods running",
        "masks collapse export shrink transplant criteria coded equilibrium watermark",
        "linearising tuning robustness",
        "",
    ],
    "figures": ["reading statistics", "drawing", "", "study"],
    "figures.page": ["content", "sections", ""],
    "figures.study": [
        "engine verdicts",
        "configuration",
        "networks shipping",
        "claims comparison",
        "findings",
        "questions",
        "",
    ],
}
"""the rooms of each package, later ones importing earlier ones only; "" are the modules that lie in no room"""
REGISTRIES = ("pruning.methods", "figures")
"""folders of one-file members, which may hold more modules than others"""
MEMBERS = (
    "pruning.methods",
    "pruning.layer_methods",
    "pruning.export.formats",
    "pruning.robustness.trials",
    "landscape.sharpness.measures",
    "landscape.spectrum.operators",
    "landscape.surface.fields",
    "landscape.surface.planes",
    "landscape.path.curves",
    "entropy.layers.estimators",
    "minima.zoo.losses.named",
    "minima.zoo.architecture.models",
    "minima.zoo.data.datasets",
    "figures.page.sections",
)
"""the registries of docs/extending.md whose members are found by a command before it imports torch"""
LATE = 60
"""imports of our own inside functions, registries and doors excluded: 234 before the rooms, 117 asked for"""
PACKAGES = ("minima", "landscape", "entropy", "pruning", "figures")
MODULES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
NAMES = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in MODULES}
COMMANDS = [
    "pruning.tuning",
    "minima.train",
    "minima.checkpoint",
    "minima.results",
    "minima.verify",
    "landscape.sharpness",
    "landscape.hessian",
    "landscape.surface",
    "landscape.path",
    "landscape.instability",
    "landscape.successive",
    "landscape.topology",
    "landscape.stability",
    "landscape.survivors",
    "figures.study",
    "figures.page",
    "pruning.coded",
    "pruning.collapse",
    "pruning.criteria",
    "pruning.masks",
    "pruning.robustness",
    "pruning.equilibrium",
    "pruning.watermark",
    "pruning.transplant",
    "pruning.export",
    "pruning.shrink",
    "entropy.psp",
    "entropy.transfer",
    "entropy.layers",
    "pruning",
    "figures.study.engine.chain",
    "minima",
    "landscape",
    "entropy",
    "figures",
]


def imported(tree):
    """Absolute names a module imports, anywhere in it, annotations included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, "imports are absolute"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in NAMES else node.module


IMPORTS = {name: set(imported(ast.parse(path.read_text()))) for name, path in NAMES.items()}


def home(name):
    """The longest of the packages of `ORDER` that a module lies in."""
    return max((package for package in ORDER if f"{name}.".startswith(f"{package}.")), key=len, default=None)


def room(package, name):
    """The room of a package that one of its modules lies in; "" for none."""
    first = name.removeprefix(package).removeprefix(".").partition(".")[0]
    return first if (ROOT / package.replace(".", "/") / first).is_dir() else ""


@pytest.mark.parametrize("name", NAMES)
def test_module_keeps_the_rules(name):
    text = NAMES[name].read_text()
    tree, at_home = ast.parse(text), home(name)
    for other in IMPORTS[name]:
        assert home(other) in {None, at_home, *ORDER[at_home]}, f"{at_home} does not import {other}"
    if at_home == "figures":
        assert "torch" not in {other.partition(".")[0] for other in IMPORTS[name]}
    assert ast.get_docstring(tree), "a module says what it is"
    assert text.count("\n") <= 300
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            assert not body or body[-1].end_lineno - body[0].lineno < 40, f"{node.name} is long"


@pytest.mark.parametrize("package", ROOMS)
def test_rooms_keep_their_order(package):
    rank = {each or "": number for number, rooms in enumerate(ROOMS[package]) for each in rooms.split() or [""]}
    inside = [name for name in NAMES if home(name) == package and NAMES[name].name != "__init__.py"]
    assert {room(package, name) for name in inside} <= set(rank), "every room has its place in the order"
    for name in inside:
        for other in IMPORTS[name]:
            if home(other) == package and room(package, other) != room(package, name):
                assert rank[room(package, other)] < rank[room(package, name)], f"{name} imports {other}"


def test_no_circles():
    TopologicalSorter({name: IMPORTS[name] & set(NAMES) - {name} for name in NAMES}).prepare()


def late_imports(tree):
    """The import statements of our own modules inside functions, by their lines."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    inside = [
        node for function in functions for node in ast.walk(function) if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    return {node.lineno for node in inside if {name.partition(".")[0] for name in imported(node)} & set(PACKAGES)}


def test_imports_stand_at_the_top():
    """A command imports its work late, so that --help is quick, and so do members of registries; others do not."""
    doors = {name for name in NAMES if name.rpartition(".")[2] in ("__main__", "door")} | set(COMMANDS)
    others = [name for name in NAMES if name not in doors and name.rpartition(".")[0] not in MEMBERS]
    late = {name: late_imports(ast.parse(NAMES[name].read_text())) for name in others}
    assert sum(map(len, late.values())) <= LATE, {name: lines for name, lines in late.items() if lines}


def test_folders_are_small():
    counts = {}
    for name, path in NAMES.items():
        if path.name != "__init__.py":
            package = name.rpartition(".")[0]
            counts[package] = counts.get(package, 0) + 1
    assert not {package: count for package, count in counts.items() if count > 21 and package not in REGISTRIES}


def test_there_is_no_drawer_for_everything():
    assert not [path for path in MODULES if path.stem in ("utils", "helpers", "misc", "common")]


@pytest.mark.parametrize("module", COMMANDS)
def test_help_answers_before_the_heavy_imports(module):
    code = (
        f"import sys, runpy; sys.argv = ['x', '--help']\n"
        f"try: runpy.run_module('{module}', run_name='__main__', alter_sys=True)\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "heavy = {'torch', 'scipy', 'sklearn', 'matplotlib', 'snakemake'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    assert "usage" in done.stdout.lower()


SOON = 6
"""times as long as the import of what reads flags"""


@pytest.mark.parametrize("line", [[module, "--help"] for module in COMMANDS] + [["pruning", "list"]])
def test_answers_about_as_soon_as_flags_can_be_read(line):
    """The least processor time of five, beside that of importing what reads flags: what else runs stretches both."""

    def spent(words):
        before = os.times()
        subprocess.run([sys.executable, *words], capture_output=True, cwd=ROOT, check=True)
        after = os.times()
        return after.children_user + after.children_system - before.children_user - before.children_system

    own, least = float("inf"), float("inf")
    for _ in range(5):
        own, least = min(own, spent(["-m", *line])), min(least, spent(["-c", "import tyro"]))
        if own < SOON * least:
            return
    assert own < SOON * least, (own, least)


def test_what_is_not_python_is_installed_with_its_package():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    for package in PACKAGES:
        found = {path for path in (ROOT / package).rglob("*") if path.is_file() and "__pycache__" not in path.parts}
        files = {path for path in found if path.suffix not in (".py", ".md") and "results" not in path.parts}
        globs = (*declared["*"], *declared.get(package, ()))
        assert files <= {path for glob in globs for path in (ROOT / package).glob(glob)}
