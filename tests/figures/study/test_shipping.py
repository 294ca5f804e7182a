"""Shipped results: whole jobs only, byte for byte, never rewritten; redrawn, also in part; and every number traced."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import pytest

from figures.study.claims.claims import load_claims
from figures.study.claims.forest import draw as forest
from figures.study.configuration.study import Conclusion, Study
from figures.study.configuration.toml_file import find_study
from figures.study.engine.jobs import Job, Plan, Step, planned
from figures.study.engine.record import write_record
from figures.study.kinds import read_study
from figures.study.shipping.archive import RESULTS, Shipped, archive_of, read_record, read_results, write_archive
from figures.study.shipping.redraw import redraw
from figures.study.shipping.remaining import remaining
from figures.study.shipping.ship import ship
from figures.study.shipping.sources import sources
from figures.study.shipping.store import has_results, lay_out, progress, shipped_jobs
from figures.study.shipping.trace import chosen, places_on, told
from figures.study.verdicts.places import SOURCES, anchor
from minima.store.command import BadInput


def job(name, makes, needs=(), module="minima.train"):
    step = Step(module, (*needs, "-o", makes[-1]), ("--epochs", "2"), tuple(makes))
    return Job("work", name, tuple(needs), (step,))


@pytest.fixture
def study(tmp_path, monkeypatch):
    """A network that is made, and a measure of it that is not."""
    monkeypatch.chdir(tmp_path)
    network, trajectory, measured = (
        "runs/s-m-seed0.dense.pt",
        "runs/s-m-seed0.dense.trajectory.h5",
        "out/s-m-seed0.psp.h5",
    )
    jobs = [job("s-m-seed0.dense", [network, trajectory]), job("s-m-seed0.psp", [measured], [network], "entropy.psp")]
    for folder in ("runs", "out/logs"):
        Path(folder).mkdir(parents=True)
    Path(network).write_bytes(b"weights")
    Path(trajectory).write_bytes(b"more weights")
    Path(jobs[0].log).write_text("said\nprocessor seconds: 1.50 user, 0.25 system\n")
    plan = planned("s", jobs)
    write_record(plan)
    return plan


def finish(plan, content=b"numbers"):
    Path(plan.jobs[1].makes[0]).write_bytes(content)


def test_whole_jobs_are_shipped_with_hashes_and_commands(study):
    (first,) = ship(study, Path("kept"))
    assert first == archive_of(Path("kept"), "s", "s-m-seed0.dense")
    record = read_record(first)
    assert record.commands == (study.jobs[0].line,)
    assert record.clock == {"processor_seconds": 1.75}
    assert read_results(first) == {}, "neither networks nor trajectories"
    finish(study)
    (second,) = ship(study, Path("kept"))
    assert read_results(second) == {"s-m-seed0.psp.h5": b"numbers"}
    assert read_record(second).needs == {name: record.makes[name] for name in ("s-m-seed0.dense.pt",)}
    assert ship(study, Path("kept")) == []
    done = progress(study, shipped_jobs(study, Path("kept")))
    assert (done.jobs, done.done, done.networks, done.networks_done) == (2, 2, 1, 1)


def test_pictures_and_the_page_are_no_part_of_how_far_a_study_is(study):
    """They are not shipped, whole or not: what is shipped draws them again."""
    finish(study)
    ship(study, Path("kept"))
    needs = study.jobs[1].makes
    shown = [dataclasses.replace(job(f"s-{stage}", [f"fig/{stage}"], needs), stage=stage) for stage in ("draw", "page")]
    more = planned("s", [*study.jobs, *shown])
    assert ship(more, Path("kept")) == []
    assert progress(more, shipped_jobs(more, Path("kept"))).said.startswith("2 of 2 jobs")


def test_a_shipped_job_is_never_rewritten(study):
    finish(study)
    paths = ship(study, Path("kept"))
    before = [path.read_bytes() for path in paths]
    finish(study, b"other numbers")
    ship(study, Path("kept"))
    assert [path.read_bytes() for path in paths] == before
    record = read_record(paths[1])
    with pytest.raises(BadInput, match="never rewritten"):
        write_archive(paths[1], dataclasses.replace(record, commands=("entropy.psp --order 2",)), {})


def test_what_another_command_made_is_not_shipped(study):
    finish(study)
    other = [dataclasses.replace(study.jobs[1].steps[0], flags=("--order", "2"))]
    changed = planned("s", [study.jobs[0], dataclasses.replace(study.jobs[1], steps=tuple(other))])
    assert [path.stem for path in ship(changed, Path("kept"))] == ["s-m-seed0.dense"]


def test_equal_content_gives_equal_bytes(study):
    finish(study)
    assert [p.read_bytes() for p in ship(study, Path("a"))] == [p.read_bytes() for p in ship(study, Path("b"))]


def test_damage_is_told(study):
    finish(study)
    path = ship(study, Path("kept"))[1]
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(BadInput, match="damaged"):
        read_results(path)


@pytest.fixture(scope="module")
def kept(invented, tmp_path_factory):
    """The results of the study digits that its table of claims reads, shipped; and the plan of these jobs."""
    whole = read_study(find_study("digits")).plan()
    table = next(job for job in whole.jobs if job.name == "digits.claims_table")
    needed = [job for job in whole.jobs if set(job.makes) & set(table.needs)]
    folder = tmp_path_factory.mktemp("kept")
    for each in needed:
        results = {
            Path(file).name: (invented / Path(file).name).read_bytes() for file in each.makes if file[:3] == "out"
        }
        made = {name: _sha256(content) for name, content in results.items()}
        needs = {Path(file).name: _sha256(file.encode()) for file in each.needs}
        commands = tuple(step.line for step in each.steps)
        shipped = Shipped("digits", each.name, each.stage, commands, needs, made, {}, "", {"processor_seconds": 36.0})
        write_archive(archive_of(folder, "digits", each.name), shipped, results)
    return Plan("digits", (*needed, table), ()), folder


def _sha256(content):
    import hashlib

    return hashlib.sha256(content).hexdigest()


def test_what_is_shipped_comes_back_byte_for_byte(kept, invented, tmp_path):
    plan, folder = kept
    for file in lay_out(plan, folder, tmp_path, shipped_jobs(plan, folder)):
        assert (tmp_path / file).read_bytes() == (invented / Path(file).name).read_bytes()


class Planned(Study):
    """A study that is its plan, and says at the end what was not there."""

    def __init__(self, plan):
        self.own = plan

    @classmethod
    def read(cls, table, path):
        raise NotImplementedError

    def plan(self):
        return self.own

    def conclude(self, missing, sources=""):  # noqa: ARG002 (it writes no pages)
        Path("fig").mkdir(exist_ok=True)
        Path("fig/missing.json").write_text(json.dumps(sorted(missing)))
        return Conclusion({}, "")


def test_what_a_study_concludes_is_redrawn_of_what_is_shipped(study, tmp_path):
    finish(study)
    ship(study, Path("kept"))
    written = redraw(Planned(study), Path("kept"), tmp_path / "page")
    assert [path.name for path in written] == ["missing.json"]
    assert json.loads(written[0].read_text()) == []
    archive_of(Path("kept"), "s", "s-m-seed0.dense").unlink()
    (again,) = redraw(Planned(study), Path("kept"), tmp_path / "page")
    assert json.loads(again.read_text()) == sorted(study.jobs[0].makes)
    assert Path.cwd() == tmp_path


def test_a_page_of_statements_is_redrawn_whole_from_what_the_suite_ships(tmp_path):
    """Without a network: errors, costs and verdicts come from the results alone."""
    study = read_study(find_study("verdicts-shortcuts"))
    names = {path.name for path in redraw(study, RESULTS, tmp_path)}
    assert {"findings.md", "findings.json", "findings.svg", "findings.png"} <= names
    found = json.loads((tmp_path / "findings.json").read_text())
    assert "confirmed" in json.dumps(found)
    places = places_on(tmp_path)
    assert {place.section for place in places} >= {"entropy-guided", "test error, findingsshortcuts"}
    shipped = shipped_jobs(study.plan(), RESULTS)
    assert all(any(place.rests_on(job) for job in shipped) for place in places), "every row has results behind it"
    assert "](sources.md#numbers-entropy-guided)" in (tmp_path / "findings.md").read_text()
    assert (
        "](sources.md#numbers-comparison-findingsshortcuts)"
        in (tmp_path / "findingsshortcuts.comparison.md").read_text()
    )


@pytest.fixture(scope="module")
def page(kept, tmp_path_factory):
    """The folder of that table, redrawn."""
    plan, folder = kept
    out = tmp_path_factory.mktemp("page")
    written = redraw(Planned(plan), folder, out)
    assert {path.suffix for path in written} == {".svg", ".png", ".md", ".json"}
    return out


def test_tables_are_redrawn_and_their_numbers_traced(kept, page, tmp_path):
    plan, folder = kept
    assert "Partial" not in (page / "claims.md").read_text()
    table = json.loads((page / "claims.json").read_text())
    (claim,) = [each for each in table["claims"][table["gradual"]] if each["name"] == "sharper"]
    places = places_on(page)
    assert {place.section for place in chosen(places, "sharper")} == {"sharper"}
    printed = f"{claim['views'][0]['median']:+.3g}"
    found = next(place for place in chosen(places, printed) if place.section == "sharper")
    assert found.numbers["median"].startswith(printed)
    lines = told(found, "digits", shipped_jobs(plan, folder), folder)
    assert sum("digits-lenet300-seed" in line and line.endswith(".curvature.zip") for line in lines) == 12
    assert any("landscape.sharpness" in line for line in lines)
    assert not any("psp-test" in line for line in lines), "errors have no part in it"
    assert len(forest([page / "claims.json"], tmp_path / "forest")) == 4


def headings(text):
    return {anchor(line.lstrip("# ")) for line in text.splitlines() if line.startswith("#")}


def test_every_number_of_a_page_links_to_its_sources(page):
    text, told_there = (page / "claims.md").read_text(), (page / SOURCES).read_text()
    cells = [line.split("|") for line in text.splitlines() if line.startswith("| |")]
    judged = [row for row in cells if len(row) == 11 and row[4].strip().isdigit()]
    assert len(judged) == sum(len(claim.views) for claim in load_claims().claims)
    assert all("](sources.md#numbers-" in row[5] for row in judged if row[5].strip() != "–")
    errors = text.partition("## Test error, pooled")[2].partition("##")[0]
    means = [line.split("|")[5] for line in errors.splitlines() if line.startswith("| ") and "method" not in line]
    assert means
    assert all("](sources.md#numbers-test-error)" in mean for mean in means)
    asked = set(re.findall(rf"{SOURCES}#([^)]+)", text)) | set(re.findall(r"\(#([^)]+)\)", told_there))
    assert asked
    assert asked <= headings(told_there)
    links = re.findall(r"\]\(([^)#]+)\)", told_there)
    assert links
    assert all((page / link).resolve().is_file() for link in links)
    assert "nothing that is shipped" not in told_there


def test_a_network_that_was_another_one_when_it_was_read_is_told(study, tmp_path):
    finish(study)
    ship(study, Path("kept"))
    shipped = shipped_jobs(study, Path("kept"))
    assert "made again" not in sources("s", [], shipped, Path("kept"), tmp_path)
    reader = shipped["s-m-seed0.psp"]
    shipped[reader.job] = dataclasses.replace(
        reader, needs={"s-m-seed0.dense.pt": "f" * 64, "s-m-seed0.x.pt": "e" * 64}
    )
    said = sources("s", [], shipped, Path("kept"), tmp_path)
    assert "- s-m-seed0.psp: 1 of the networks that it read had been made again: their" in said
    assert "- s-m-seed0.psp: the making of 1 of the networks that it read is not shipped." in said


def test_commands_of_all_seeds_stand_once(tmp_path):
    def made(seed, extra=""):
        line = f"pruning gmp runs/s-m-seed{seed}.dense.pt --order-seed {1000 + seed}{extra}"
        return Shipped("s", f"s-m-seed{seed}.gmp", "prune", (line,), {}, {}, {"python": "3"}, "one")

    jobs = [made(3), made(11), made(4, " --epochs 2")]
    page = sources("s", [], {job.job: job for job in jobs}, tmp_path, tmp_path)
    assert page.count("pruning gmp") == 2
    assert (
        "2 jobs, N being the seed:\n\n    python -m pruning gmp runs/s-m-seedN.dense.pt --order-seed 1000+N\n" in page
    )


def test_without_results_nothing_is_drawn(kept, tmp_path):
    with pytest.raises(BadInput, match="no results of the study digits are shipped"):
        redraw(Planned(kept[0]), tmp_path, tmp_path / "page")


def test_a_study_of_which_only_networks_are_made_has_no_results(study):
    ship(study, Path("kept"))
    assert shipped_jobs(study, Path("kept"))
    assert not has_results(study, Path("kept"))
    finish(study)
    ship(study, Path("kept"))
    assert has_results(study, Path("kept"))


def elsewhere(monkeypatch, tmp_path):
    """Another folder, without anything but what was shipped."""
    other = tmp_path / "elsewhere"
    other.mkdir()
    monkeypatch.chdir(other)
    return tmp_path / "kept"


def test_what_is_shipped_is_not_done_again_on_another_machine(study, monkeypatch, tmp_path):
    finish(study)
    ship(study, Path("kept"))
    todo = remaining(study, elsewhere(monkeypatch, tmp_path))
    assert (todo.jobs, todo.targets) == ((), ())
    assert Path("out/s-m-seed0.psp.h5").read_bytes() == b"numbers"


def test_a_network_that_a_further_job_needs_is_made_again(study, monkeypatch, tmp_path, capsys):
    ship(study, Path("kept"))
    kept = elsewhere(monkeypatch, tmp_path)
    assert remaining(study, kept).jobs == study.jobs
    assert "made again" in capsys.readouterr().err
    Path("runs").mkdir()
    Path("runs/s-m-seed0.dense.pt").write_bytes(b"weights")
    assert remaining(study, kept).jobs == study.jobs[1:]


def test_what_other_commands_shipped_is_refused(study, monkeypatch, tmp_path):
    ship(study, Path("kept"))
    step = dataclasses.replace(study.jobs[0].steps[0], flags=("--epochs", "3"))
    changed = planned("s", [dataclasses.replace(study.jobs[0], steps=(step,)), study.jobs[1]])
    with pytest.raises(BadInput, match="other commands"):
        remaining(changed, Path("kept"))
