"""Whether checkpoints with more entropy transfer better: ranks, rank correlations, and the table of them all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from entropy.transfer.ranks import FEWEST, rank_correlation, ranks
from minima.store.hdf5.record import Found, each_checkpoint
from minima.store.table import format_cell, render_table

Summary = dict[str, Any]

ENTROPIES = {
    "entropy": "all hidden neurons",
    "entropy_alive": "alive ones",
    "entropy_last_hidden": "last hidden layer",
}
ACCURACIES = {"probe_accuracy": "probe", "fine_tuned_accuracy": "fine-tuned"}
COLUMNS = ("checkpoint", "entropy", "alive", "last hidden", "rank", "probe [95 %]", "fine-tuned [95 %]")
SHOWN = (
    *("checkpoint", "step", "entropy_rank", *ENTROPIES, *ACCURACIES),
    *("probe_interval", "fine_tuned_interval"),
)


def compared(summaries: Sequence[Summary], seed: int) -> list[Summary]:
    """The summaries with `entropy_rank` (1: highest; ties share a rank), and in all of them the `rank_correlation`.

    `rank_correlation[accuracy][entropy]` has Kendall's tau-b and Spearman's rho over the checkpoints where both are
    known, each with a bootstrap interval. None with fewer than four, and `rank_correlation_note` says so.
    """
    found = {name: _correlations(summaries, name, seed) for name in ACCURACIES}
    none = not any(found.values())
    shared = {
        "rank_correlation": None if none else found,
        "rank_correlation_note": _too_few(len(summaries)) if none else None,
    }
    places = ranks([summary["entropy"] for summary in summaries])
    return [summary | {"entropy_rank": rank} | shared for summary, rank in zip(summaries, places, strict=True)]


def overview(summary: Summary) -> str:
    """What a person reads: one line a checkpoint, the correlations, and what the columns are."""
    target = summary["target"]
    rows = each_checkpoint(summary, [key for key in SHOWN if key in summary])
    places = [each["entropy_rank"] for each in rows]
    table = render_table(COLUMNS, [_row(each, places) for each in rows])
    return f"""\
On {target["spec"]}: {target["classes"]} classes, {target["train"]:,} training and {target["test"]:,} test examples.

{table}

entropy: mean PSP-entropy of the hidden neurons on the target, in bits summed over its classes; =: tied
probe: logistic regression on the features that enter the last linear layer
fine-tuned: all weights trained on, the mask kept, a fresh head

{_correlation_table(summary["rank_correlation"], summary["rank_correlation_note"])}"""


def _row(each: Found, places: Sequence[int | None]) -> list[Any]:
    step, place = each.get("step"), each["entropy_rank"]
    tied = place is not None and places.count(place) > 1
    return [
        Path(each["checkpoint"]).name + ("" if step is None else f"@{step}"),
        *(each[key] for key in ENTROPIES),
        "-" if place is None else f"{place}{'=' if tied else ''}",
        *(_percent(each[f"{kind}_accuracy"], each[f"{kind}_interval"]) for kind in ("probe", "fine_tuned")),
    ]


def _percent(accuracy: float | None, ends: Sequence[float] | None) -> str:
    if accuracy is None or ends is None:
        return "-"
    return f"{100 * accuracy:.1f} % [{100 * ends[0]:.1f}, {100 * ends[1]:.1f}]"


def _correlations(summaries: Sequence[Summary], accuracy: str, seed: int) -> dict[str, Any] | None:
    """Of each kind of entropy with this accuracy; None where too few checkpoints have both."""
    found = {}
    for entropy in ENTROPIES:
        known = [(each[entropy], each[accuracy]) for each in summaries]
        known = [pair for pair in known if None not in pair]
        if len(known) >= FEWEST:
            x, y = zip(*known, strict=True)
            found[entropy] = rank_correlation(x, y, seed) | {"checkpoints": len(known)}
    return found or None


def _too_few(checkpoints: int) -> str:
    return f"too few checkpoints for a rank correlation: {checkpoints}, it takes {FEWEST}"


def _correlation_table(found: dict[str, Any] | None, reason: str | None) -> str:
    if found is None:
        return f"{reason}"
    rows = [
        [f"{entropy}, {label}", each["checkpoints"], *map(_with_ends, (each["kendall"], each["spearman"]))]
        for accuracy, label in ACCURACIES.items()
        for entropy, each in (found[accuracy] or {}).items()
    ]
    headers = ("rank correlation of", "checkpoints", "Kendall tau-b [95 %]", "Spearman rho [95 %]")
    return render_table(headers, rows)


def _with_ends(coefficient: dict[str, float | None]) -> str:
    value, low, high = (format_cell(coefficient[key]) for key in ("value", "low", "high"))
    return f"{value} [{low}, {high}]"
