"""A comparison's table for scripts (JSON), for documents (Markdown) and for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from figures.study.comparison.comparison import Cell, Comparison
from figures.study.comparison.values import VALUES, Found
from minima.store.plain import to_json
from minima.store.table import format_cell, render_markdown

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
    }
    return (to_json(whole, indent=1) + "\n").encode()


def as_markdown(comparison: Comparison, rows: Rows, sharpness: Mapping[str, str]) -> bytes:
    """A table with median and quartiles, and what its columns mean."""
    headers, lines = spoken_rows(rows, sharpness, quartiles=True)
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
