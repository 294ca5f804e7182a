"""The trials that were asked for, one after the other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from minima.store.command import BadInput, note
from minima.store.hdf5.record import by_key, write
from minima.store.messages import progress_bar
from pruning.robustness.bench import Bench
from pruning.robustness.level import Level, Refused
from pruning.robustness.numbers import BITS, NUMBERS, under
from pruning.robustness.scale import scale_of
from pruning.robustness.trial import Trial
from pruning.watermark.mark import carried, mark_in

if TYPE_CHECKING:
    from pathlib import Path

    from minima.store.hdf5.results import Place
    from minima.zoo.subject.subject import Subject


def compute(
    subject: Subject,
    place: Place,
    chosen: Sequence[Trial],
    seed: int,
    input_range: tuple[float, float] | None = None,
    watermark: Path | None = None,
) -> dict[str, Any]:
    """Put a subject to these trials, write levels to its place, return what the JSON object says of them.

    A watermark is read where the checkpoint carries one, or where another that it was made from does (`watermark`).
    A trial that does not apply (of inputs, where those are tokens) is left out and said; the others are made.

    Raises:
        BadInput: none of them applies.
    """
    if subject.y is None:
        raise BadInput(f"{subject.name}: the data have no targets, so that there is no loss to look at")
    scale = scale_of(subject, input_range)
    mark = carried(subject.checkpoint, subject.model) if watermark is None else mark_in(watermark, subject.model)
    bench, refused = Bench(subject, scale, mark), {}
    clean = bench.clean()
    start = bench.start(clean)
    for trial in progress_bar(chosen, desc=subject.name, unit="trial"):
        if trial.name not in place.kept():
            levels = trial.all_levels()
            try:
                found = [start, *trial.measure(bench, levels[1:], seed)]
            except Refused as reason:
                refused[trial.name] = str(reason)
                note(f"{subject.name}: {trial.name} is left out: {reason}")
                continue
            _write(place, trial, levels, found)
            place.keep(trial.name, _entry(trial, levels, found))
    if not place.kept():
        reasons = "; ".join(f"{name}: {why}" for name, why in refused.items())
        raise BadInput(f"{subject.name}: no trial applies: {reasons}")
    said = {"input_range": None if scale.range is None else list(scale.range), "input_range_note": scale.said()}
    return clean.said() | said | {"robustness": place.kept(), "refused": refused}


def _entry(trial: Trial, levels: Sequence[float], found: Sequence[Level]) -> dict[str, Any]:
    """A trial in the JSON object; numbers that nobody has are left out."""
    columns = by_key(NUMBERS, [vars(level) for level in found])
    if all(math.isnan(each) for each in columns[BITS.key]):
        del columns[BITS.key]
    return asdict(trial) | {"levels": list(levels)} | columns


def _write(place: Place, trial: Trial, levels: Sequence[float], found: Sequence[Level]) -> None:
    """A trial's numbers: /robustness/NAME/loss, loss_stderr, score, ... over the scale `level`."""
    group = f"robustness/{trial.name}"
    place.scale(f"{group}/level", list(levels), "1", trial.strength)
    write(place, group, under(trial.meaning), [vars(level) for level in found])
