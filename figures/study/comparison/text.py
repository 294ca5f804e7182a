"""A comparison's table for scripts (JSON), for documents (Markdown) and for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from figures.study.comparison.comparison import Cell, Comparison
from figures.study.comparison.values import VALUES, Found
from figures.study.networks.networks import DENSE
from figures.study.verdicts.places import Place, linked
from figures.study.verdicts.places import as_json as places_as_json
from minima.store.plain import to_json
from minima.store.table import format_cell, render_markdown

CODE = "figures/study/comparison/values.py"
"""computes the rows"""
PERCENT = ("error", "sparsity", "effective_sparsity")
SPOKEN = {
    "error": "test error (%)",
    "sparsity": "removed (%)",
    "effective_sparsity": "effectively (%)",
    "empty_layers": "empty layers",
    "disconnected": "units cut off",
    "multiply_adds_reachable": "multiply-adds",
    "training_dense": "training, dense",
    "training_by_density": "training, by density",
    "psp_entropy": "PSP-entropy (bit)",
    "psp_entropy_alive": "of alive neurons (bit)",
}

Rows = Sequence[Mapping[str, Any]]


def as_json(
    comparison: Comparison,
    found: Sequence[Found],
    failed: Sequence[Cell],
    rows: Rows,
    sharpness: Mapping[str, str],
) -> bytes:
    """Everything: the configuration, every network, what is missing, and the rows."""
    cells = [
        _named(cell) | {"stage": stage, "checkpoint": cell.checkpoint(stage), **values} for cell, stage, values in found
    ]
    whole = {
        "comparison": asdict(comparison),
        "values": VALUES | {name: f"sharpness, invariance: {kind}" for name, kind in sharpness.items()},
        "sharpness": dict(sharpness),
        "rows": list(rows),
        "cells": cells,
        "missing": [_named(cell) for cell in failed],
        "places": places_as_json(_places(comparison, rows, sharpness)),
    }
    return (to_json(whole, indent=1) + "\n").encode()


def as_markdown(comparison: Comparison, rows: Rows, sharpness: Mapping[str, str], sources: str = "") -> bytes:
    """A table with median and quartiles, and what its columns mean.

    Args:
        sources: the page that its rows link to, which tells where their numbers come from ("": none).
    """
    headers, lines = spoken_rows(rows, sharpness, quartiles=True)
    lines = [[linked(line[0], sources, _section(comparison)), *line[1:]] for line in lines]
    finish = ("", f"finished: trained on by `{comparison.finish}`, the mask frozen.") if comparison.finish else ()
    meanings = [f"- {_header(key, sharpness)}: {meaning}." for key, meaning in VALUES.items() if key in SPOKEN]
    text = [
        f"# Comparison {comparison.name}",
        "",
        f"`{comparison.model}` on `{comparison.data}`, {comparison.seeds} seeds: median [quartiles]. "
        "Sharpness with its invariance under rescaling in brackets, over the surviving weights.",
        *finish,
        "",
        render_markdown(headers, lines),
        *meanings,
        "",
        "A training step counts 3 forward passes; what a method spends on scores and validation is not counted, and a",
        "layer's density is taken to be the network's.",
    ]
    return ("\n".join(text) + "\n").encode()


def spoken_rows(rows: Rows, sharpness: Mapping[str, str], quartiles: bool = False) -> tuple[list[str], list[list[Any]]]:
    """Headers, and a line for each row."""
    keys = [*SPOKEN, *sharpness]
    before = {"arm": "arm", "asked": "asked (%)", "stage": "stage", "seeds": "seeds"}
    if len({row["stage"] for row in rows}) < 2:
        del before["stage"]
    lines = [
        [
            *(100 * row[key] if key == "asked" else row[key] for key in before),
            *(_cell(key, row.get(key), quartiles) for key in keys),
        ]
        for row in rows
    ]
    return [*before.values(), *(_header(key, sharpness) for key in keys)], lines


def _places(comparison: Comparison, rows: Rows, sharpness: Mapping[str, str]) -> Iterator[Place]:
    """Every row of the table, and the networks that its numbers are computed from."""
    text = f"Comparison {comparison.name}, medians and quartiles"
    headers, lines = spoken_rows(rows, sharpness, quartiles=True)
    first = headers.index("seeds") + 1
    for row, line in zip(rows, lines, strict=True):
        arm, asked = row["arm"], row["asked"]
        said = f"{arm}, {100 * asked:g} %, {row['stage']}, n = {row['seeds']}"
        reads = (arm if arm == DENSE else f"{arm}-{asked!r}",)
        numbers = {head: cell for head, cell in zip(headers[first:], line[first:], strict=True) if cell}
        yield Place(_section(comparison), text, said, numbers, reads, CODE, jobs=f"{comparison.name}-")


def _section(comparison: Comparison) -> str:
    return f"comparison {comparison.name}"


def _header(key: str, sharpness: Mapping[str, str]) -> str:
    return SPOKEN[key] if key in SPOKEN else f"{key} (invariance: {sharpness[key]})"


def _cell(key: str, value: Mapping[str, float | None] | None, quartiles: bool) -> Any:
    if value is None or value["median"] is None:
        return None
    low, median, high = ((100 if key in PERCENT else 1) * (value[name] or 0.0) for name in ("low", "median", "high"))
    return f"{format_cell(median)} [{format_cell(low)}, {format_cell(high)}]" if quartiles else median


def _named(cell: Cell) -> dict[str, Any]:
    method = None if cell.arm is None else cell.arm.method
    return {"arm": cell.called, "method": method, "asked": cell.sparsity, "seed": cell.seed}
