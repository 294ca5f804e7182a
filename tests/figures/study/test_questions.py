"""Pages of questions say what the studies' tables say, no more; every claim that is judged bears on one question."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from figures.study.questions.evidence import beside, found_on
from figures.study.questions.page import ORDER, markdown, urgency
from figures.study.questions.questions import load_questions
from figures.study.questions.write import write_pages
from minima.store.command import BadInput

STUDY = Path(__file__).parents[3] / "figures" / "study"


def view(statistic="lambda_max", direction="above", low=-2.0, high=-1.0, verdict="contradicted"):
    printed = {
        "view": f"{statistic} in words",
        "expected": "> 0",
        "pairs": "8",
        "median": "-1.5",
        "interval": f"{low} to {high}",
        "p": "0.008",
        "equivalent": "1.000 (±0.2)",
    }
    return {
        **{"statistic": statistic, "stage": "finished", "direction": direction, "margin": 0.2, "sparsities": [0.9]},
        **{"n": 8, "median": (low + high) / 2, "low": low, "high": high, "verdict": verdict, "printed": printed},
    }


def claim(name, verdict, *views):
    return {"name": name, "text": f"the claim {name}", "source": "", "verdict": verdict, "views": list(views)}


def written(folder, study, claims, secondary=(), seeds=8, planned=8):
    table = {
        **{"model": "lenet300", "seeds": list(range(seeds)), "seeds_planned": planned},
        **{"one_shot": "magnitude", "gradual": "gmp", "claims": {"gmp": claims}, "secondary": list(secondary)},
    }
    path = folder / study / "claims.json"
    path.parent.mkdir()
    path.write_text(json.dumps(table))
    return path


def question(name):
    return next(each for each in load_questions() if each.name == name)


def test_every_claim_of_every_file_bears_on_one_question():
    asked = [name for each in load_questions() for name in each.claims]
    assert len(set(asked)) == len(asked)
    files = [*STUDY.glob("claims/*.toml"), *STUDY.glob("findings/*.toml")]
    claimed = {table["name"] for path in files for table in tomllib.loads(path.read_text()).get("claim", [])}
    assert claimed == set(asked)


def test_a_page_says_what_the_tables_say(tmp_path):
    views = [view(), view("adaptive_lambda_max", low=-1.0, high=1.0, verdict="undecided")]
    others = [claim("another arm", "no verdict", view(verdict="no verdict"), view("test_error"))]
    whole = written(tmp_path, "one", [claim("sharper", "undecided", *views)], others)
    partial = written(tmp_path, "two", [claim("sharper", "no verdict", view(verdict="no verdict"))], seeds=2)
    asked = question("sharpness")
    page = markdown(asked, found_on(asked, [whole, partial]), beside(asked, [whole, partial]), ["x.svg"])
    assert "the claim sharper (LeNet-300-100, 8 seeds; [one](one)): **undecided**" in page
    assert "LeNet-300-100, 2 of 8 seeds; [two](two)): **not yet judged**" in page
    median = "[-1.5](one/sources.md#numbers-sharper)"
    row = f"| lambda_max in words | > 0 | 8 | {median} | -2.0 to -1.0 | 0.008 | 1.000 (±0.2) | contradicted |"
    assert page.count(row) == 1
    assert "of 2 views 1 against them, 1 cannot be told from zero. Whoever reports one of them alone" in page
    assert "| **one: the claim another arm** |" in page
    assert "test_error in words" not in page, "the question does not rest on it"
    assert "python -m figures.study trace one sharper" in page


def test_what_speaks_against_the_papers_comes_first(tmp_path):
    claims = [
        claim("sharper", "confirmed", view()),
        claim("less-class-specific", "contradicted", view("alive_entropy")),
        claim("one-basin", "undecided", view("excess_error_barrier")),
    ]
    table = written(tmp_path, "one", claims)
    _, told = write_pages([table], tmp_path)
    titles = [question(name).title for name in ("class-specificity", "basin", "sharpness")]
    assert [next(place for place, words in enumerate(told) if title in words) for title in titles] == [0, 1, 2]
    assert all("Not yet measured" in words for words in told[3:])
    assert {path.name for path in tmp_path.glob("*.md")} == {f"{each.name}.md" for each in load_questions()}


def test_a_study_under_way_does_not_order_the_index(tmp_path):
    table = written(tmp_path, "one", [claim("sharper", "contradicted", view())], seeds=2)
    assert urgency(found_on(question("sharpness"), [table])) == len(ORDER)


def test_a_key_that_is_none_is_refused(tmp_path):
    path = tmp_path / "questions.toml"
    path.write_text('[[question]]\nname = "x"\ntitel = "x"\n')
    with pytest.raises(BadInput, match="titel"):
        load_questions(path)
