"""`python -m figures`: whatever a command wrote is drawn, under names that stay; a figure is one new file."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from forks.python import python

from figures.drawing.catalogue import figures
from figures.drawing.fitting import MOST, draw_all
from figures.drawing.reads import Reads
from figures.reading.contents import Contents, contents
from minima.store.hdf5.results import Identity, create

ROOT = Path(__file__).parents[2]
MEASURES = (
    *("sharpness", "hessian", "surface", "topology", "path", "survivors", "stability", "instability", "successive"),
    *("psp", "layers", "transfer", "masks", "criteria", "coded", "robustness", "equilibrium"),
)


@pytest.fixture(scope="module")
def pictures(every_result, tmp_path_factory):
    folder = tmp_path_factory.mktemp("fig")
    files = sorted(every_result.glob("*.h5"))
    done = subprocess.run(
        [python(), "-m", "figures", *files, "-o", folder, "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    return json.loads(done.stdout)


def test_every_result_of_every_command_is_drawn(every_result, pictures):
    drawn = {Path(file).name for picture in pictures["pictures"] for file in picture["files"]}
    results = {path for path in every_result.glob("*.h5") if ".trajectory.h5" not in path.name[-14:]}
    assert {path.name for path in results} == drawn
    assert {contents(path).measure for path in results} == set(MEASURES)
    assert [Path(entry["files"][0]).name for entry in pictures["left_out"]] == ["a.trajectory.h5"]


def test_names_say_the_file_or_that_there_are_several(pictures):
    written = {Path(path).name for picture in pictures["pictures"] for path in picture["written"]}
    expected = ("sharpness_measures.png", "a.trajectory.sharpness.sharpness_measures.svg", "a.lines.surface.png")
    assert {*expected, "ab.successive.successive.svg", "a.psp.pair_entropy.png", "eigenvalues.svg"} <= written


def test_every_figure_says_what_it_reads():
    names = {path.stem for path in (ROOT / "figures").glob("[a-z]*.py")}
    assert set(figures()) == names
    assert not [name for name, figure in figures().items() if figure.meaning.startswith("Figure")]


def file_of(name, subjects, arrays=("x",), **summary):
    names = tuple(f"{name}{number}.pt" for number in range(subjects))
    return Contents(Path(f"{name}.h5"), "psp", names, tuple([summary] * subjects), frozenset(arrays))


def test_pages_have_room_and_large_files_are_split():
    reads = Reads(measure="psp", room=3)
    found = reads.pages([file_of("a", 2), file_of("b", 1), file_of("c", 7)])
    assert [(len(page.files), len(page.checkpoints)) for page in found] == [(2, 0), (1, 3), (1, 3), (1, 1)]
    assert found[-1].checkpoints == ("c6.pt",)


def test_what_a_figure_asks_of_its_files():
    files = [file_of("a", 1, sparsity=0.5, kind=1), file_of("b", 2, sparsity=0.9, kind=2)]
    assert len(Reads(measure="psp", least=2, across="sparsity").pages(files)) == 1
    assert Reads(measure="psp", least=3, across="sparsity").pages(files) == []
    assert len(Reads(measure="psp", alike=("kind",)).pages(files)) == 2
    assert not Reads(measure="psp", arrays=("*/y",)).fits(files[0])
    assert Reads(measure="psp", arrays=("*/y",)).fits(file_of("c", 1, ["fc1/y"]))


def test_a_new_figure_is_one_new_file(every_result, tmp_path, monkeypatch):
    import figures as package

    code = '''
        """Loss against nothing."""
        from figures.drawing.reads import Reads
        READS = Reads(measure="sharpness", arrays=("loss",))
        def draw(inputs, out):
            out.with_name(out.name + ".svg").write_text("<svg/>")
            return [out.with_name(out.name + ".svg")]
    '''
    (tmp_path / "brand_new.py").write_text(textwrap.dedent(code))
    monkeypatch.setattr(package, "__path__", [str(tmp_path)])
    drawn = draw_all([every_result / "b.sharpness.h5"], tmp_path)
    assert [path.name for paths in drawn.written.values() for path in paths] == ["b.sharpness.brand_new.svg"]
    sys.modules.pop("figures.brand_new")


@pytest.mark.parametrize("words", [["nowhere.h5"], []])
def test_what_is_not_there(words, tmp_path):
    line = [python(), "-m", "figures", *words, "-o", tmp_path]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")


def test_what_is_not_drawn_together_is_drawn_apart(every_result, tmp_path, monkeypatch):
    import figures as package

    code = '''
        """One file only."""
        from figures.drawing.reads import Reads
        from minima.store.command import BadInput
        READS = Reads(measure="sharpness", moments=False)
        def draw(inputs, out):
            if len(inputs) > 1:
                raise BadInput("other layers")
            out.with_name(out.name + ".svg").write_text("<svg/>")
            return [out.with_name(out.name + ".svg")]
    '''
    (tmp_path / "lonely.py").write_text(textwrap.dedent(code))
    monkeypatch.setattr(package, "__path__", [str(tmp_path)])
    drawn = draw_all([every_result / "a.sharpness.h5", every_result / "b.sharpness.h5"], tmp_path)
    assert [path.name for paths in drawn.written.values() for path in paths] == [
        "a.sharpness.lonely.svg",
        "b.sharpness.lonely.svg",
    ]
    assert list(drawn.apart.values()) == ["other layers"]
    assert drawn.refused == {}
    sys.modules.pop("figures.lonely")


def write_sharpness(folder, count):
    """A file of so many networks, as `landscape.sharpness` writes them."""
    taken = {"value": 1.0, "stderr": None, "data_stderr_new": 0.1, "seed_stderr": None, "invariant": "none"}
    said = {"loss_unit": "nat", "loss_name": "cross-entropy", "split": "train", "samples": 100}
    names = [f"n{index}.pt" for index in range(count)]
    identity = Identity("sharpness", [f"{index:064d}" for index in range(count)], {})
    with create(folder / "many.h5", identity, names, {"split": "train", "seed": 0}, overwrite=True) as file:
        for index in range(count):
            file.place(index).write("sharpness/lambda_max", 1.0 + index, (), "nat", "largest curvature")
            file.mark_done(index, said | {"measures": {"lambda_max": taken}})
        file.finish()
    return folder / "many.h5"


def test_of_very_many_networks_the_first_pictures_are_drawn_and_the_others_named(tmp_path, monkeypatch):
    import figures as package

    code = '''
        """The names of some networks."""
        from figures.drawing.reads import Reads
        READS = Reads(measure="sharpness", room=8)
        def draw(inputs, out, checkpoint=()):
            out.with_name(out.name + ".svg").write_text(" ".join(checkpoint))
            return [out.with_name(out.name + ".svg")]
    '''
    (tmp_path / "listing.py").write_text(textwrap.dedent(code))
    monkeypatch.setattr(package, "__path__", [str(tmp_path)])
    drawn = draw_all([write_sharpness(tmp_path, 100)], tmp_path)
    sys.modules.pop("figures.listing")
    shown = [path.read_text().split() for paths in drawn.written.values() for path in paths]
    assert [name for names in shown for name in names] == [f"n{index}.pt" for index in range(8 * MOST)]
    assert drawn.beyond["listing"].startswith(f"the first {MOST} of 13 pictures.")
    assert "python -m figures.listing FILE.h5 --checkpoint NAME ..." in drawn.beyond["listing"]
    assert drawn.refused == {}


def test_one_picture_of_too_many_networks_is_refused_with_what_to_type(tmp_path):
    def draw(*flags):
        line = [python(), "-m", "figures.sharpness_measures", write_sharpness(tmp_path, 25), *flags]
        return subprocess.run([*line, "-o", tmp_path / "x"], cwd=ROOT, capture_output=True, text=True, check=False)

    refused = draw()
    assert refused.returncode == 1
    assert "25 in one picture of sharpness_measures cannot be told apart, at most 24 are drawn" in refused.stderr
    assert "Choose with --checkpoint, or type `python -m figures FILE.h5 ...`" in refused.stderr
    assert not (tmp_path / "x.svg").exists()
    assert draw("--checkpoint", "n3.pt", "n20.pt").returncode == 0
    assert (tmp_path / "x.svg").exists()
