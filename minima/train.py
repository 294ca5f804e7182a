"""`python -m minima.train`: train a network of the zoo, or train finished checkpoints on with their masks frozen."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from minima.store.command import BadInput, Report, note, render_table, run
from minima.zoo.training.flags import Train

COLUMNS = ("out", "epochs", "train_loss", "train_score", "loss", "score")


def main(arguments: Train) -> Report:
    """Train every start to its target."""
    from minima.zoo.data.splits import score_column

    rows = [_train_one(arguments, start, target) for start, target in _targets(arguments)]
    score = score_column(rows)
    headers = ("checkpoint", "epochs", "train loss", f"train {score}", "test loss", f"test {score}")
    table = render_table(headers, [[row[key] for key in COLUMNS] for row in rows])
    table += "".join(_skipped(row) for row in rows if "updates" in row)
    summary = rows[0] if len(rows) == 1 else {key: [row[key] for row in rows] for key in rows[0]}
    return Report(summary, table)


def _skipped(row: Mapping[str, Any]) -> str:
    if not row["updates"]:
        return ""
    skipped, spent = (
        row["skipped_updates"] / row["updates"],
        row["backward_multiply_adds"] / row["full_backward_multiply_adds"],
    )
    return (
        f"\n{row['out']}: {skipped:.2%} of the neurons' updates left out at equilibrium; backward passes without them "
        f"take {spent:.2%} of the multiply-adds"
    )


def _targets(arguments: Train) -> list[tuple[Path | None, Path]]:
    """Each start with its target, all checked before any work."""
    from minima.store.files import check_distinct, check_writable

    starts = arguments.start or (None,)
    if len(starts) > 1 and "{stem}" not in arguments.out:
        raise BadInput(
            f"--out {arguments.out}: {len(starts)} checkpoints need a name with {{stem}} in it, "
            "for example -o 'runs/{stem}.on.pt'"
        )
    pairs = []
    for start in starts:
        target = Path(arguments.out.replace("{stem}", start.name.removesuffix(".pt") if start else "new"))
        check_writable(target)
        check_distinct(target, arguments.start)
        pairs.append((start, target))
    return pairs


def _train_one(arguments: Train, source: Path | None, target: Path) -> dict[str, Any]:
    from minima.store.reading import sha256
    from minima.zoo.data.splits import said_levels
    from minima.zoo.device import resolve_device
    from minima.zoo.training.fit import fit
    from minima.zoo.training.starts import continued, fresh
    from minima.zoo.training.unfinished import reusable, tidy

    start = fresh(arguments) if source is None else continued(arguments, source)
    finished = reusable(target, start.identity(), arguments.overwrite)
    reused = finished is not None
    if finished:
        note(f"{target} is there already, made with these arguments: nothing to do")
        tidy(target, start.identity())
    else:
        finished = fit(start, target, resolve_device(arguments.device))
    return {
        "out": str(target),
        "sha256": sha256(target),
        "reused": reused,
        "epochs": start.plan.epochs,
        **said_levels(finished.metrics),
        **_watched(finished.metrics),
    }


def _watched(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """What freezing neurons at equilibrium left out, where that was asked for."""
    if "equilibrium" not in metrics:
        return {}
    found = metrics["equilibrium"]
    spent, whole = sum(found["backward_multiply_adds"]), sum(found["full_backward_multiply_adds"])
    return {
        "skipped_updates": found["skipped_updates"],
        "updates": found["updates"],
        "backward_multiply_adds": spent,
        "full_backward_multiply_adds": whole,
    }


if __name__ == "__main__":
    run(Train, main, prog="python -m minima.train")
