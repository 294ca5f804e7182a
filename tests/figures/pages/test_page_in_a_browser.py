"""The page in headless Chromium: nothing is asked for, nothing fails, everything is drawn, keys and clicks drive it."""

from __future__ import annotations

import io
import os

import numpy as np
import pytest
from page_parts.browser import CHROMIUM, Browser

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here (Debian: apt install chromium)"),
    pytest.mark.slow,
]
COLOURS = 12
"""that a drawn chart has at least"""
HEIGHT, TALLEST = 2400, 700
"""of the window, and of a chart, in pixels"""
DRAWN = (
    "chart.dataset.drawn === 'yes' || chart.getBoundingClientRect().bottom < 0"
    " || chart.getBoundingClientRect().top > innerHeight"
)
"""whether a chart is drawn, or out of sight"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """One for all: its start takes longer than most of what is looked at."""
    opened = Browser(tmp_path_factory.mktemp("profile"), height=HEIGHT)
    yield opened
    opened.close()


def opened(browser, html, folder):
    """Open a page; nothing has failed when this returns."""
    (folder / "page.html").write_text(html, encoding="utf-8")
    browser.events.clear()
    browser.open(folder / "page.html")


@pytest.fixture(scope="module")
def shown(browser, whole, tmp_path_factory):
    """The browser with the page of every command's results."""
    opened(browser, whole.html, tmp_path_factory.mktemp("whole"))
    return browser


def stops(browser):
    """By a window down the page: the charts that are whole in it, by number, and where, once they are drawn."""
    end = browser.value("document.documentElement.scrollHeight")
    for top in range(0, end, HEIGHT - TALLEST):
        browser.value(f"scrollTo({{top: {top}, behavior: 'instant'}})")
        browser.until(f"[...document.querySelectorAll('.chart')].every((chart) => {DRAWN})")
        yield browser.value(
            "[...document.querySelectorAll('.chart .plot')]"
            ".map((plot, number) => [number, plot.getBoundingClientRect()])"
            ".filter(([_, box]) => box.top >= 60 && box.bottom <= innerHeight)"
            ".map(([number, box]) => [number, box.left, box.top, box.right, box.bottom])"
        )


def quiet(browser):
    """Nothing failed, and nothing but the file itself and pictures made in the page was asked for."""
    assert browser.troubles() == []
    assert browser.value("document.getElementById('trouble').hidden")
    addresses = [address for address in browser.requests() if not address.startswith(("data:", "blob:"))]
    assert len(addresses) == 1
    assert addresses[0].startswith("file:")


def colours(pixels):
    """How many colours a picture has, of those that are more than a few pixels."""
    _, counts = np.unique((pixels[..., :3] * 15).round().astype(int).reshape(-1, 3), axis=0, return_counts=True)
    return int((counts > 4).sum())


def test_every_chart_is_drawn_and_named(shown):
    from matplotlib.image import imread

    count, seen = shown.value("document.querySelectorAll('.chart').length"), {}
    for boxes in stops(shown):
        if any(number not in seen for number, *_ in boxes):
            window = imread(io.BytesIO(shown.picture()))
            for number, left, top, right, bottom in boxes:
                seen[number] = colours(window[int(top) : int(bottom), int(left) : int(right)])
    assert sorted(seen) == list(range(count))
    assert [number for number, found in seen.items() if found < COLOURS] == [], "empty charts"
    names = shown.value("[...document.querySelectorAll('.plot')].map((plot) => plot.getAttribute('aria-label') || '')")
    assert all("table" in name for name in names)
    quiet(shown)


def test_keys_and_clicks_drive_it(shown):
    figure = "document.querySelector('.chart.surfaces')"
    shown.value(f"{figure}.scrollIntoView({{block: 'center', behavior: 'instant'}})")
    shown.until(f"{figure}.dataset.drawn === 'yes'")
    before = shown.value(f"{figure}.querySelector('.reading').textContent")
    shown.value(f"{figure}.querySelector('input[type=range]').focus()")
    shown.key("ArrowRight")
    shown.until(f"{figure}.querySelector('.reading').textContent !== {before!r}")
    assert "distance" in shown.value(f"{figure}.querySelector('.reading').textContent")
    layer = shown.value("document.querySelector('#layer').options[1].value")
    shown.value(f"choose({{layer: {layer!r}}})")
    assert shown.value("[...document.querySelectorAll('tr.chosen')].map((row) => row.closest('section').id)") != []
    shown.value("document.querySelector('#networks input').click()")
    assert shown.value("document.querySelectorAll('tr.away').length") > 0
    shown.value("document.getElementById('scale').click(); document.getElementById('theme').click()")
    assert shown.value("document.documentElement.dataset.theme") == "dark"
    quiet(shown)


def test_on_paper_it_is_light_and_whole_and_has_no_controls(shown):
    shown.send("Emulation.setEmulatedMedia", media="print")
    shown.value("dispatchEvent(new Event('beforeprint')); 0")
    shown.until("[...document.querySelectorAll('.plot')].every((plot) => plot.querySelector('.main-svg'))")
    assert shown.value("document.documentElement.dataset.theme") == "light"
    assert shown.value("[...document.querySelectorAll('details.data')].every((each) => each.open)")
    assert shown.value("getComputedStyle(document.querySelector('.controls')).display") == "none"
    assert shown.value("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    shown.value("dispatchEvent(new Event('afterprint')); 0")
    shown.send("Emulation.setEmulatedMedia", media="")
    quiet(shown)


def test_names_that_are_scripts_do_not_run(nasty, browser, tmp_path):
    opened(browser, nasty.html, tmp_path)
    browser.value("document.querySelector('.chart').scrollIntoView({block: 'center', behavior: 'instant'})")
    browser.until("document.querySelector('.chart').dataset.drawn === 'yes'")
    assert browser.value("document.images.length") == 0
    assert browser.value("document.querySelectorAll('main script, .plot a').length") == 0
    assert "alert(1)" in browser.value("document.querySelector('h1').textContent")
    quiet(browser)


def test_it_is_the_browser_that_tells_of_trouble(browser, tmp_path):
    """What the other tests rest on: a failing script and a request are seen."""
    page = (
        "<!doctype html><html data-ready=yes><script>nothing.here</script><img src='http://127.0.0.1:9/x.png'></html>"
    )
    opened(browser, page, tmp_path)
    browser.until("document.readyState === 'complete'")
    assert browser.troubles()
    assert any(address.startswith("http:") for address in browser.requests())
    assert os.fspath(tmp_path) in browser.requests()[0]
