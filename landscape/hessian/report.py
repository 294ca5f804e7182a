"""What a person reads of `landscape.hessian`."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from landscape.objective.position import heading
from landscape.spectrum.examples_legend import of_examples
from landscape.spectrum.operator import operators
from minima.store.table import render_table, to_one_place

LARGEST = 5
"""layers whose shares of the trace are named"""


def table(summary: dict[str, Any]) -> str:
    """What a person reads: a line for each eigenvalue."""
    title = operators()[summary["operator"]].title
    lines = [heading(summary), "", _eigenvalues(f"{title} eigenvalue", summary, "", itertools.count(1))]
    if "bottom_eigenvalues" in summary:
        ranks = itertools.count(summary["dimension"], -1)
        lines += ["", _eigenvalues(f"smallest {title} eigenvalue", summary, "bottom_", ranks)]
    if summary["trace"]:
        lines += ["", _trace_line(summary)]
    if "density" in summary:
        lines.append(_density_line(summary))
    if summary.get("layers"):
        keys = ("name", "dimension", "eigenvalue", "residual", "trace", "trace_stderr")
        head = ["layer", "weights", "eigenvalue", "relative residual", "trace", "±"]
        lines += ["", render_table(head, [[layer[key] for key in keys] for layer in summary["layers"]])]
    if summary["data_stderr_new"]:
        lines += ["", f"± of examples: {of_examples(summary['used_share'])}"]
    if not summary["converged"]:
        lines.append("\nNot all eigenvalues are within the tolerance: see the residuals, or allow a larger --tolerance")
    lines.append(
        f"\n{summary['products']} products with vectors for the eigenvalues; "
        f"all took as long as {summary['passes']:.0f} passes forward and backward"
    )
    return "\n".join(lines)


def _eigenvalues(head: str, summary: dict[str, Any], end: str, ranks: Iterator[int]) -> str:
    """Those of one end of the spectrum, whose keys begin with `end`."""
    columns = {head: summary[f"{end}eigenvalues"], "relative residual": summary[f"{end}residuals"]}
    if errors := summary[f"{end}data_stderr_new"]:
        columns["± of examples"] = errors
    rows = [[next(ranks), *row] for row in zip(*columns.values(), strict=True)]
    return render_table(["rank", *columns], rows)


def _trace_line(summary: dict[str, Any]) -> str:
    """The trace with its errors, and the layers that most of it comes from."""
    trace = summary["trace"]
    errors = {"draws": trace["stderr"], "examples": trace["data_stderr_new"]}
    known = {of: error for of, error in errors.items() if error is not None}
    value, *shown = to_one_place(trace["value"], *known.values())
    line = f"trace {value}" + "".join(f" ± {error} ({of})" for of, error in zip(known, shown, strict=True))
    by_layer = [] if summary.get("layers") else summary.get("layer_traces", [])  # which have probes of their own
    if layers := sorted(by_layer, key=lambda layer: -layer["trace"])[:LARGEST]:
        shares = (f"{layer['name']} {layer['trace']:.3g}" for layer in layers)
        line += f"; most of it in {', '.join(shares)}"
    return line


def _density_line(summary: dict[str, Any]) -> str:
    density = summary["density"]
    edge = (density | summary.get("outliers", {}))["edge"]
    lines = [f"density: the bulk ends at {edge:.4g} (kernel of deviation {density['width']:.2g})"]
    if density["left_out_at_zero"]:
        lines.append(f"removed weights, an atom of {density['left_out_at_zero']:.2%} at zero, are left out")
    if "outliers" in summary:
        found = summary["outliers"]
        many = f"{found['count']}" if found["complete"] else f"at least {found['count']}"
        lines.append(f"{many} eigenvalue{'s' * (found['count'] != 1)} beyond it{_share(found)}")
    else:
        lines.append("--trace N beside --density also counts the eigenvalues beyond it")
    return "\n".join(lines)


def _share(found: dict[str, Any]) -> str:
    """Of networks with classes: what as many eigenvalues have of the trace, or what to type to know it."""
    classes = found["classes"]
    if classes is None:
        return ""
    if found["top_share"] is None:
        return f", {classes} classes; --top {classes + 2} tells more"
    return f", {classes} classes; the top {classes} sum to {found['top_share']:.0%} of the trace"
