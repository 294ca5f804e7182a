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


@pytest.fixture
def browser(tmp_path):
    opened = Browser(tmp_path / "profile")
    yield opened
    opened.close()


def shown(browser, page, tmp_path):
    """Open a page; nothing has failed when this returns."""
    (tmp_path / "page.html").write_text(page.html, encoding="utf-8")
    browser.open(tmp_path / "page.html")
    return browser.value("document.querySelectorAll('.chart').length")


def bring(browser, number):
    """Scroll a chart into sight and wait until it is drawn; where it is on the page."""
    chart = f"document.querySelectorAll('.chart')[{number}]"
    browser.value(f"{chart}.scrollIntoView({{block: 'center', behavior: 'instant'}})")
    browser.until(f"{chart}.dataset.drawn === 'yes' && {chart}.querySelector('.main-svg') !== null")
    return browser.value(
        f"(() => {{ const box = {chart}.querySelector('.plot').getBoundingClientRect();"
        " return {x: box.x + scrollX, y: box.y + scrollY, width: box.width, height: box.height}; })()"
    )


def quiet(browser):
    """Nothing failed, and nothing but the file itself and pictures made in the page was asked for."""
    assert browser.troubles() == []
    assert browser.value("document.getElementById('trouble').hidden")
    addresses = [address for address in browser.requests() if not address.startswith(("data:", "blob:"))]
    assert len(addresses) == 1
    assert addresses[0].startswith("file:")


def colours(png):
    """How many colours a picture has, of those that are more than a few pixels."""
    from matplotlib.image import imread

    pixels = (imread(io.BytesIO(png))[..., :3] * 15).round().astype(int)
    _, counts = np.unique(pixels.reshape(-1, 3), axis=0, return_counts=True)
    return int((counts > 4).sum())


def test_every_chart_is_drawn_and_named(whole, browser, tmp_path):
    for number in range(shown(browser, whole, tmp_path)):
        box = bring(browser, number)
        assert colours(browser.picture(**box)) >= COLOURS, f"chart {number} is empty"
    names = browser.value(
        "[...document.querySelectorAll('.plot')].map((plot) => plot.getAttribute('aria-label') || '')"
    )
    assert all("table" in name for name in names)
    quiet(browser)


def test_keys_and_clicks_drive_it(whole, browser, tmp_path):
    shown(browser, whole, tmp_path)
    surface = browser.value("[...document.querySelectorAll('.chart')].findIndex((each) => each.matches('.surfaces'))")
    bring(browser, surface)
    figure = f"document.querySelectorAll('.chart')[{surface}]"
    before = browser.value(f"{figure}.querySelector('.reading').textContent")
    browser.value(f"{figure}.querySelector('input[type=range]').focus()")
    browser.key("ArrowRight")
    browser.until(f"{figure}.querySelector('.reading').textContent !== {before!r}")
    assert "distance" in browser.value(f"{figure}.querySelector('.reading').textContent")
    layer = browser.value("document.querySelector('#layer').options[1].value")
    browser.value(f"choose({{layer: {layer!r}}})")
    assert browser.value("[...document.querySelectorAll('tr.chosen')].map((row) => row.closest('section').id)") != []
    browser.value("document.querySelector('#networks input').click()")
    assert browser.value("document.querySelectorAll('tr.away').length") > 0
    browser.value("document.getElementById('scale').click(); document.getElementById('theme').click()")
    assert browser.value("document.documentElement.dataset.theme") == "dark"
    quiet(browser)


def test_names_that_are_scripts_do_not_run(nasty, browser, tmp_path):
    for number in range(shown(browser, nasty, tmp_path)):
        bring(browser, number)
    assert browser.value("document.images.length") == 0
    assert browser.value("document.querySelectorAll('main script, .plot a').length") == 0
    assert "alert(1)" in browser.value("document.querySelector('h1').textContent")
    quiet(browser)


def test_it_is_the_browser_that_tells_of_trouble(browser, tmp_path):
    """What the other tests rest on: a failing script and a request are seen."""
    page = (
        "<!doctype html><html data-ready=yes><script>nothing.here</script><img src='http://127.0.0.1:9/x.png'></html>"
    )
    (tmp_path / "page.html").write_text(page)
    browser.open(tmp_path / "page.html")
    browser.until("document.readyState === 'complete'")
    assert browser.troubles()
    assert any(address.startswith("http:") for address in browser.requests())
    assert os.fspath(tmp_path) in browser.requests()[0]
