"""The page as a file: what is in it, that only its own scripts run, and what is said of what is missing."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import shlex
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from forks.python import python
from page_parts.written_surfaces import surfaces

from figures.page.compute import compute, sections
from figures.page.content.quantised import quantised
from figures.page.content.typed import module_of
from minima.store.messages import BadInput

ROOT = Path(__file__).parents[3]


class Parsed(HTMLParser):
    """Elements and their texts; scripts apart."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.scripts, self.open = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "br", "img", "input"):
            self.open.append(tag)
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "script":
            self.scripts[-1] += data


def parsed(page):
    found = Parsed(page.html)
    assert not found.open, "every element ends"
    return found


def attributes(found, tag):
    return [attrs for name, attrs in found.elements if name == tag]


def test_every_section_is_there_and_none_is_missing(whole):
    assert set(whole.sections) == {section.name for section in sections()}
    assert whole.missing == {}
    found = parsed(whole)
    ids = [attrs.get("id") for attrs in attributes(found, "section")]
    assert [name for name in ids if name in whole.sections] == [section.name for section in sections()]
    charts = json.loads(found.scripts[0])["charts"]
    assert {attrs["data-chart"] for attrs in attributes(found, "figure")} == set(charts)
    assert {key.rpartition("-")[0] for key in charts} == set(whole.sections)
    assert whole.networks == ("a", "b", "a (training)")


def test_data_and_page_stay_small(whole):
    assert whole.data_bytes < 5_000_000
    assert len(whole.html) < 3_000_000


def test_the_same_results_give_the_same_page(nasty, tmp_path):
    surfaces(tmp_path / "x.h5", ["a.pt"])
    assert compute([tmp_path / "x.h5"]).html == compute([tmp_path / "x.h5"]).html


def test_the_policy_names_its_own_scripts_only(nasty):
    found = parsed(nasty)
    (policy,) = [attrs["content"] for attrs in attributes(found, "meta") if "http-equiv" in attrs]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy.partition("script-src")[2].partition(";")[0]
    own = base64.b64encode(hashlib.sha256(found.scripts[-1].encode()).digest()).decode()
    assert f"'sha256-{own}'" in policy
    kinds = [attrs.get("type") for attrs in attributes(found, "script")]
    assert kinds == ["application/json", "text/plain", None]


@pytest.mark.parametrize("page", ["nasty", "whole"])
def test_nothing_is_loaded_from_anywhere(page, request):
    found = parsed(request.getfixturevalue(page))
    assert not [attrs for _, attrs in found.elements if "src" in attrs or "onclick" in attrs or "onerror" in attrs]
    links = [attrs["href"] for _, attrs in found.elements if "href" in attrs]
    assert all(link.startswith("#") for link in links)


def test_names_are_text(nasty):
    found = parsed(nasty)
    assert not attributes(found, "img")
    labels = [network["label"] for network in json.loads(found.scripts[0])["networks"]]
    assert labels[0].startswith("</script><script>alert(1)")
    assert "alert(1)</script>" not in nasty.html
    assert re.search(r"<title>title &lt;/script&gt;", nasty.html)


def test_lines_make_the_results_again(whole, every_result, every_line):
    """Flag by flag what was typed, whatever the results' names; words in another order."""
    found = [html.unescape(line) for line in re.findall(r"<li><code>(python .*?)</code>", whole.html)]
    lines = {frozenset(shlex.split(line.replace(f"{every_result}/", ""))) for line in found}
    known = {module_of(section.command) for section in sections()}
    typed = [f"python -m {line}" for line in every_line if line.split()[0] in known]
    assert lines == {frozenset(shlex.split(line)) for line in typed}


def test_pairs_and_results_of_any_name_are_found_beside_a_checkpoint(every_result, tmp_path, plotly):
    for name in ("a.pt", "a-b.path.h5", "ab.transfer.h5", "cd.instability.h5"):
        shutil.copy(every_result / name, tmp_path / name)
    page = compute([tmp_path / "a.pt"])
    assert page.sections == {"path": 1, "transfer": 1}
    assert page.networks == ("a",)
    assert "a to b, line" in page.html


def test_what_would_make_the_missing_carries_model_data_and_loss(tmp_path, plotly):
    typed = {
        "model": {"spec": f"{tmp_path}/my nets.py:Net", "sha256": "0"},
        "data": {"spec": f"npz:{tmp_path}/x.npz", "root": None, "mean": [0.5], "std": [1.0]},
        "loss": {"spec": "mse"},
        "zeros": "keep",
        "samples": 10,
    }
    surfaces(tmp_path / "x.h5", ["net.pt"], spoil=False, arguments=typed)
    missing = compute([tmp_path / "x.h5"]).missing
    named = f"--model '{tmp_path}/my nets.py:Net' --data npz:{tmp_path}/x.npz --mean 0.5 --loss mse --zeros keep"
    assert missing["sharpness"] == f"python -m landscape.sharpness net.pt {named}"
    assert missing["path"] == f"python -m landscape.path net.pt OTHER.pt {named}"
    assert missing["topology"] == f"python -m landscape.topology {tmp_path}/x.h5"


def test_what_is_not_finite_is_said(nasty):
    assert "3 of 81 points are not finite" in nasty.html


def test_arrays_come_back_within_half_a_step():
    values = np.array([[1e-3, 1.0], [50.0, np.nan], [np.inf, -np.inf]])
    packed = quantised(values, logarithmic=True)
    codes = np.frombuffer(base64.b64decode(packed["data"]), "<u2").reshape(packed["shape"])
    assert codes[1, 1] == 65535
    assert codes[2].tolist() == [65534, 65533]
    back = np.exp(packed["low"] + codes[:2] / 65532 * (packed["high"] - packed["low"]))
    np.testing.assert_allclose(back.ravel()[:3], values.ravel()[:3], rtol=np.log(50e3) / 65532)


def test_of_a_checkpoint_what_stands_beside_it(every_result, tmp_path, plotly):
    for name in ("b.pt", "b.sharpness.h5", "a.sharpness.h5"):
        shutil.copy(every_result / name, tmp_path / name)
    page = compute([tmp_path / "b.pt"])
    assert page.sections == {"sharpness": 1}
    assert page.missing["spectrum"] == f"python -m landscape.hessian {tmp_path / 'b.pt'} --density --trace 20"
    assert "landscape.hessian" in page.html
    shutil.copy(every_result / "c.pt", tmp_path / "b.pt")
    with pytest.raises(BadInput, match=r"no results stand beside .*b\.pt"):
        compute([tmp_path / "b.pt"])


def test_forty_networks_fit(tmp_path, plotly):
    surfaces(tmp_path / "x.h5", [f"net-{number}.pt" for number in range(40)], spoil=False)
    page = compute([tmp_path])
    assert len(page.networks) == 40
    assert page.data_bytes < 500_000


def test_by_command_line(every_result, tmp_path, plotly):
    line = [python(), "-m", "figures.page", every_result / "b.pt", "-o", tmp_path / "page.html", "--json"]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (tmp_path / "page.html").stat().st_size == said["bytes"]
    assert said["networks"] == ["b"]
    assert {entry["name"] for entry in said["sections"]} == {
        "sharpness",
        "spectrum",
        "survivors",
        "surface",
        "entropy",
        "masks",
        "path",
        "successive",
        "transfer",
    }


@pytest.mark.parametrize("words", [["nowhere.pt"], []])
def test_what_is_not_there(words, tmp_path):
    line = [python(), "-m", "figures.page", *words, "-o", tmp_path / "page.html"]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr
