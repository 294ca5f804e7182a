"""What a page of results costs to look at, and whether it can be read without eyes or mouse.

    python -m figures.page runs/*.h5 -o page.html
    python -m benchmarks.page page.html

Opened in a headless Chromium, which draws 3-D views in software: time to the first paint and until what is in sight is
drawn, frames a second while the first surface turns, and what the accessibility checker axe-core (fetched from the npm
registry, by its hash) finds once every chart is drawn.
"""

from __future__ import annotations

import io
import tarfile
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import tyro

from benchmarks.registry import fetch_pinned
from minima.store.command import BadInput, Command, Report, render_table, run
from tests.page_parts.browser import CHROMIUM, Browser

AXE = "https://registry.npmjs.org/axe-core/-/axe-core-4.14.1.tgz"
SHA512 = "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"
DRAW = """
(async () => {
  const plots = () => document.querySelectorAll('.js-plotly-plot').length;
  for (const section of document.querySelectorAll('section')) {
    section.scrollIntoView();
    for (let before = -1; before !== plots();) {
      before = plots();
      await new Promise((done) => setTimeout(done, 400));
    }
  }
  return plots();
})()
"""
"""charts are drawn when they are scrolled to"""
TURN = """
(async () => {
  const plot = [...document.querySelectorAll('.js-plotly-plot')].find((each) => each._fullLayout?.scene);
  if (!plot) return null;
  plot.scrollIntoView();
  const frames = 30, start = performance.now();
  for (let frame = 0; frame < frames; frame++) {
    const angle = 2 * Math.PI * frame / frames;
    await Plotly.relayout(plot, { 'scene.camera.eye': { x: 1.6 * Math.cos(angle), y: 1.6 * Math.sin(angle), z: 0.9 } });
    await new Promise((done) => requestAnimationFrame(done));
  }
  return 1000 * frames / (performance.now() - start);
})()
"""
CHECK = """
axe.run(document, { resultTypes: ['violations'] }).then((found) =>
  found.violations.map((each) => [each.id, each.impact, each.nodes.length, each.nodes[0].html.slice(0, 100)]))
"""


@dataclass(frozen=True, kw_only=True)
class Look(Command):
    """First paint, frames a second and accessibility of a page, in a headless Chromium."""

    page: tyro.conf.Positional[Path]
    """written by `python -m figures.page`"""


def main(arguments: Look) -> Report:
    """Open, time, turn and check."""
    if CHROMIUM is None:
        raise BadInput("there is no chromium on the path; on Debian: apt install chromium")
    checker = _axe()
    with tempfile.TemporaryDirectory() as folder:
        browser = Browser(Path(folder))
        try:
            start = time.perf_counter()
            browser.open(arguments.page)
            ready = time.perf_counter() - start
            painted, charts, frames = browser.value(PAINT), browser.value(DRAW), browser.value(TURN)
            browser.value(checker + ";0")
            violations = browser.value(CHECK)
            troubles = browser.troubles()
        finally:
            browser.close()
    summary = {
        "bytes": arguments.page.stat().st_size,
        "first_paint_ms": painted,
        "ready_s": ready,
        "charts": charts,
        "frames_per_second": frames,
        "violations": violations,
        "console": troubles,
    }
    return Report(summary, _told(summary))


def _axe() -> str:
    """The checker's script."""
    with tarfile.open(fileobj=io.BytesIO(fetch_pinned(AXE, SHA512))) as archive:
        found = archive.extractfile("package/axe.min.js")
        assert found is not None
        return found.read().decode()


def _told(found: dict[str, object]) -> str:
    heads = ["bytes", "first paint (ms)", "ready (s)", "charts", "frames a second"]
    keys = ["bytes", "first_paint_ms", "ready_s", "charts", "frames_per_second"]
    lines = [render_table(heads, [[found[key] for key in keys]])]
    violations = found["violations"]
    assert isinstance(violations, list)
    heads = ["axe-core", "impact", "elements", "first"]
    lines.append(render_table(heads, violations) if violations else "axe-core: nothing to mend")
    return "\n\n".join([*lines, *map(str, found["console"] or [])])  # type: ignore[call-overload]


if __name__ == "__main__":
    run(Look, main, prog="python -m benchmarks.page")
