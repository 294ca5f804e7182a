"""The HTML file: what is shown, escaped, and a policy under which only its own scripts run and nothing is asked for.

Everything that comes from a file (names above all) is escaped where it stands: in HTML by `html.escape`, in the data by
JSON without `<`, `>` and `&`. Scripts run by their hashes only, so that what slipped through would not run either.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

from figures.page.content.charts import View
from figures.page.content.networks import Networks
from figures.page.content.results import Result
from figures.page.content.section import Section
from figures.page.html_parts import missing_list, overview, section_html
from figures.page.plotly_bundle import packed, script
from minima.store import __version__
from minima.store.plain import to_json

SCRIPTS = ("data.js", "look.js", "lines.js", "maps.js", "surfaces.js", "page.js")
"""in this order they are one script"""


@dataclass(frozen=True)
class Shown:
    """A section of this page."""

    section: Section
    results: Sequence[Result]
    view: View


def document(title: str, networks: Networks, shown: Sequence[Shown], missing: Mapping[str, str]) -> tuple[str, int]:
    """The page, and how many bytes of it are data."""
    data = _data(networks, shown)
    own = "\n".join(_asset(name) for name in SCRIPTS)
    library = script()
    parts = {
        "title": escape(title),
        "policy": _policy(own, library),
        "style": _asset("page.css"),
        "overview": overview(networks, [(each.section, each.results) for each in shown]),
        "menu": "".join(f'<li><a href="#{each.section.name}">{escape(each.section.title)}</a></li>' for each in shown),
        "sections": "\n".join(section_html(each.section, each.results, each.view, networks) for each in shown),
        "missing": missing_list(missing),
        "version": escape(__version__),
        "data": data,
        "library": packed(),
        "script": own,
    }
    return Template(_asset("page.html")).substitute(parts), len(data.encode())


def _data(networks: Networks, shown: Sequence[Shown]) -> str:
    content: dict[str, Any] = {
        "networks": [
            {"label": each.label, "short": short, "training": each.training, "look": each.look}
            for each, short in zip(networks.every, networks.short(), strict=True)
        ],
        "charts": {
            f"{each.section.name}-{number}": chart.plain()
            for each in shown
            for number, chart in enumerate(each.view.charts)
        },
    }
    return in_script(content)


def in_script(content: Any) -> str:
    """Strict JSON that can stand in a script element: it cannot end the element, nor begin a comment.

    >>> in_script({"name": "</script><b>"})
    '{"name":"\\\\u003c/script\\\\u003e\\\\u003cb\\\\u003e"}'
    """
    text = to_json(content, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _policy(*scripts: str) -> str:
    """Nothing is loaded from anywhere, and only these scripts run."""
    allowed = " ".join(f"'sha256-{_digest(text)}'" for text in scripts)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _asset(name: str) -> str:
    return (files("figures.page") / "assets" / name).read_text(encoding="utf-8").strip()
