"""Pieces of the page's HTML, each value escaped: sections, tables, provenance, and what is missing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from figures.page.content.charts import Chart, Lines, Row, Table, View
from figures.page.content.networks import Networks
from figures.page.content.results import Result
from figures.page.content.section import Section
from figures.page.content.typed import again, typed_spec
from minima.store.table import format_cell

MOST_TABLES = 6


def section_html(section: Section, results: Sequence[Result], view: View, networks: Networks) -> str:
    """One section: what it asks, what the numbers say, its charts, its numbers, and where they are from."""
    charts = "".join(_chart(f"{section.name}-{number}", chart) for number, chart in enumerate(view.charts))
    return f"""
<section id="{section.name}" aria-labelledby="{section.name}-title">
<h2 id="{section.name}-title">{escape(section.title)}</h2>
<p class="question">{escape(section.question)}</p>
<p class="says">{escape(view.says)}</p>
<div class="charts">{charts}</div>
<p class="caveat"><strong>What this does not say.</strong> {escape(section.caveat)}</p>
{_tables(view.tables)}
{_provenance(section, results, networks)}
</section>"""


def overview(networks: Networks, shown: Sequence[tuple[Section, Sequence[Result]]]) -> str:
    """A line for each network: what is known of it at once, and which sections show it."""
    rows = []
    for place, network in enumerate(networks.every):
        here = [
            (section, each)
            for section, results in shown
            for each in results
            if not each.together and networks.place(each) == place
        ]
        if here:
            measured = ", ".join(dict.fromkeys(section.title for section, _ in here))
            rows.append(Row([network.label, *_known([each for _, each in here]), measured, network.sha256[:12]], place))
    scores = {each.summary.get("score_name", "accuracy") for _, results in shown for each in results}
    score = "accuracy" if scores <= {"accuracy", None} else "score"
    levels = ("loss (train)", f"{score} (train)", "loss (test)", f"{score} (test)")
    heads = ("network", "removed", *levels, "shown in", "SHA-256")
    table = _table_html(Table("Networks on this page", heads, rows))
    return _measured_on([each for _, results in shown for each in results]) + table if rows else ""


def _measured_on(results: Sequence[Result]) -> str:
    """A sentence of the data, losses and classes of networks behind all numbers."""
    said = {
        "Data": [_spec(each.origin.get("data")) for each in results],
        "Loss": [str(each.summary.get("loss_name", "-")) for each in results],
        "Network": [_class(each.origin.get("model")) for each in results],
        "Examples": [_examples(each) for each in results],
    }
    parts = [
        f"{of}: {'; '.join(dict.fromkeys(word for word in words if word != '-')) or '-'}" for of, words in said.items()
    ]
    return f"<p>{escape('. '.join(parts))}.</p>"


def _class(model: Any) -> str:
    """The network's class or name, as it was typed."""
    if isinstance(model, list):
        return "; ".join(dict.fromkeys(_class(json.loads(each) if isinstance(each, str) else each) for each in model))
    return typed_spec(str(model.get("name", "-"))) if isinstance(model, Mapping) else "-"


def _examples(result: Result) -> str:
    samples = result.summary.get("samples")
    split = result.summary.get("split", result.origin.get("split", "-"))
    return "-" if samples is None else f"{samples:,} ({split})"


def _known(results: Sequence[Result]) -> list[str]:
    """Sparsity, and loss and score of both splits, of the last moment where it is a training."""
    found = {}
    for each in results:
        summary = each.summary
        split = str(summary.get("split", each.origin.get("split")))
        if isinstance(summary.get("loss"), float) and "score" in summary:
            found[split] = [f"{summary['loss']:.4g}", _score(summary)]
    sparsity = results[-1].summary.get("sparsity")
    removed = "-" if sparsity is None else f"{100 * sparsity:.4g} %"
    return [removed, *found.get("train", ["-", "-"]), *found.get("test", ["-", "-"])]


def _score(summary: Mapping[str, Any]) -> str:
    score, name = summary.get("score"), summary.get("score_name")
    if score is None:
        return "-"
    return f"{100 * score:.4g} %" if name in (None, "accuracy") else f"{score:.4g} ({name})"


def missing_list(missing: Mapping[str, str]) -> str:
    """A list of what was not measured, with the line that would."""
    if not missing:
        return ""
    items = "".join(f"<li>{escape(title)}: <code>{escape(command)}</code></li>" for title, command in missing.items())
    return (
        '<section id="missing" aria-labelledby="missing-title"><h2 id="missing-title">Not measured yet</h2>'
        "<p>Each of these appears here once its command was run, in the folder where this page was written, and the "
        f"page written again. What stands in capitals is to be filled in.</p><ul>{items}</ul></section>"
    )


def _chart(key: str, chart: Chart) -> str:
    """A place for a chart: the page's script draws into it, and names it for screen readers."""
    small = " small" if isinstance(chart, Lines) and chart.small else ""
    return (
        f'<figure class="chart {type(chart).__name__.lower()}{small}" data-chart="{key}">'
        f'<figcaption id="{key}-title">{escape(chart.title)}</figcaption>'
        f'<div class="plot" role="img" aria-labelledby="{key}-title"></div></figure>'
    )


def _tables(tables: Sequence[Table]) -> str:
    """All tables; of very many the first alone, and the others behind one more line."""
    shown, rest = (tables, ()) if len(tables) <= MOST_TABLES else (tables[:1], tables[1:])
    found = "".join(_table(table) for table in shown)
    if rest:
        inner = "".join(_table(table) for table in rest)
        found += f"<details class='data'><summary>{len(rest)} further tables</summary>{inner}</details>"
    return found


def _table(table: Table) -> str:
    """Numbers behind a line that opens them."""
    count = f"{len(table.rows)} line{'s' * (len(table.rows) != 1)}"
    return f"<details class='data'><summary>{escape(table.caption)} ({count})</summary>{_table_html(table)}</details>"


def _table_html(table: Table) -> str:
    heads = "".join(f'<th scope="col">{escape(head)}</th>' for head in table.heads)
    rows = "".join(_row(row) for row in table.rows)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(table.caption)}"><table>'
        f"<caption>{escape(table.caption)}</caption><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _row(row: Row) -> str:
    network = "" if row.network is None else f' data-network="{row.network}"'
    layer = f' data-layer="{escape(row.layer)}"' if row.layer else ""
    first, *rest = [escape(format_cell(cell)) for cell in row.cells]
    cells = "".join(f"<td>{cell}</td>" for cell in rest)
    return f'<tr{network}{layer}><th scope="row">{first}</th>{cells}</tr>'


def _provenance(section: Section, results: Sequence[Result], networks: Networks) -> str:
    """Where the numbers are from, and whom to cite."""
    rows = [_origin(each, networks) for each in _one_a_file(results)]
    heads = ("of", "file", "SHA-256 of the checkpoint", "data", "examples", "made with")
    cites = "".join(f"<li>{escape(paper)}</li>" for paper in section.cite)
    lines = dict.fromkeys(again(each, section.command, networks) for each in results)
    commands = "".join(f"<li><code>{escape(line)}</code></li>" for line in lines)
    return (
        "<details class='origin'><summary>Where this is from, how to get it again, and how to cite it</summary>"
        f"<p>Typed in the folder where this page was written, this makes the same numbers again:</p><ul>{commands}</ul>"
        f"{_table_html(Table('Provenance', heads, rows))}<p>Papers:</p><ul>{cites}</ul></details>"
    )


def _one_a_file(results: Sequence[Result]) -> list[Result]:
    """The first moment stands for a whole training."""
    found: dict[Any, Result] = {}
    for each in results:
        found.setdefault((each.path, each.stem), each)
    return list(found.values())


def _origin(result: Result, networks: Networks) -> Row:
    origin = result.origin
    name = result.name if result.together else networks.label(result)
    versions = origin.get("versions") or {}
    made = ", ".join(f"{key} {value}" for key, value in versions.items()) if isinstance(versions, dict) else versions
    hashes = ", ".join(result.sha256)
    cells = [
        name,
        result.path.name,
        hashes,
        _spec(origin.get("data")),
        _examples(result),
        f"{made}, {origin.get('dtype', '-')}",
    ]
    return Row(cells, None if result.together else networks.place(result))


def _spec(data: Any) -> str:
    """What was typed behind --data."""
    if isinstance(data, dict):
        return typed_spec(str(data.get("spec", data)))
    if isinstance(data, list):
        return ", ".join(dict.fromkeys(_spec(json.loads(each) if isinstance(each, str) else each) for each in data))
    return str(data or "-")
