"""What all measuring commands share: their flags, reuse and resumption of results, and what they report."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minima.store.checkpoints.checkpoint import sparsity
from minima.store.checkpoints.safetensors_file import content_hash
from minima.store.command import BadInput, Report, note
from minima.store.files import check_distinct, check_writable
from minima.store.hdf5.record import write
from minima.store.hdf5.results import Identity, create, find, follow
from minima.store.memory import watched_peak
from minima.store.messages import progress_bar
from minima.store.plain import to_json
from minima.zoo.device import resolve_device
from minima.zoo.examples.evaluation import evaluate
from minima.zoo.examples.spending import spending
from minima.zoo.losses.spec import described
from minima.zoo.measuring.identity import deciding
from minima.zoo.measuring.one_table import MANY, one_table
from minima.zoo.ranks import Ranks, joined
from minima.zoo.subject.precision import inputs_dtype
from minima.zoo.subject.subject import Reader, steps_of

if TYPE_CHECKING:
    from minima.store.hdf5.results import Place, Results
    from minima.zoo.subject.subject import Subject
from minima.store.reading import unchanging
from minima.zoo.measuring.flags import Measuring, choice
from minima.zoo.measuring.numbers import level

Summary = dict[str, Any]


Conclusion = Callable[[list["Place"], list[Summary]], list[Summary]]
"""what is to be said of several checkpoints together: from their places and summaries, the summaries with it added"""


TOGETHER = "together"
"""the root attribute of checkpoints that were measured at once: their names, which no axis has"""
SHARED = ("samples", "split", "subspace", "seed", "device", "target", "rank_correlation", "rank_correlation_note")
"""keys that are the same for all checkpoints of one command"""


@unchanging()
def measure_each(
    arguments: Measuring,
    name: str,
    compute: Callable[[Subject, Place], Summary],
    table: Callable[[Summary], str],
    write_level: bool = True,
    conclude: Conclusion | None = None,
) -> Report:
    """Measure every checkpoint by itself. Finished checkpoints of a stopped command are not measured again.

    `compute` writes arrays under the group `name` of its place and returns the measure's own keys of the JSON object.
    `write_level`: also write the checkpoint's loss and accuracy there (a surface has arrays of these names itself).
    """
    reader = Reader(choice(arguments))
    moments = [(path, step) for path in arguments.checkpoints for step in steps_of(path)]

    def work(results: Results, ranks: Ranks) -> None:
        shown = progress_bar(moments, unit="checkpoint") if len(moments) > 1 else moments
        for index, (path, step) in enumerate(shown):
            if not results.done(index):
                subject = replace(reader.read(path, step), ranks=ranks)
                place = results.place(index, subject.task.loss.unit)
                summary = _measure(subject, arguments, place, compute) | ({} if step is None else {"step": step})
                if write_level:
                    write(place, name, level(summary, subject.task.loss.name), summary)
                results.mark_done(index, summary)
        if conclude is not None and len(moments) > 1:
            every = range(len(moments))
            concluded = conclude([results.place(index) for index in every], [results.summary(index) for index in every])
            for index, summary in zip(every, concluded, strict=True):
                results.mark_done(index, summary)

    def first() -> None:
        reader.read(*moments[0])

    names = [path.name if step is None else f"{path.name}@{step}" for path, step in moments]
    return _through_file(arguments, name, [path for path, _ in moments], names, work, table, first)


@unchanging()
def measure_together(
    arguments: Measuring,
    name: str,
    compute: Callable[[list[Subject], Place], Summary],
    table: Callable[[Summary], str],
) -> Report:
    """One measurement of all checkpoints at once (a path between two), reported as one object."""
    reader = Reader(choice(arguments))

    def work(results: Results, ranks: Ranks) -> None:
        if not results.done(0):
            subjects = [replace(reader.read(path), ranks=ranks) for path in arguments.checkpoints]
            first = subjects[0]
            with _costs(first) as costs:
                own = compute(subjects, results.place(0, first.task.loss.unit))
            assumed = replace(first, notes=tuple(said for subject in subjects for said in subject.notes))
            _write_origin(results.place(0), assumed, len(first.x))
            results.mark_done(0, _described(assumed, arguments) | own | costs)

    def first() -> None:
        reader.read(arguments.checkpoints[0])

    return _through_file(arguments, name, list(arguments.checkpoints), [], work, table, first)


def _measure(
    subject: Subject, arguments: Measuring, place: Place, compute: Callable[[Subject, Place], Summary]
) -> Summary:
    """One checkpoint: loss and accuracy, and the measure's own numbers, timed and weighed from tensors in memory on.

    A measure that knows better (it ran passes only to compare with) returns its own `seconds`; one that saw all
    outputs anyway, its own `loss` and `accuracy`; one that looks at some of the examples only, its own `samples`.
    """
    with _costs(subject) as costs:
        own = compute(subject, place)
    _write_origin(place, subject, own.get("samples", len(subject.x)))
    if not {"loss", "score"} <= own.keys():
        level = evaluate(subject.model, subject.x, subject.y, subject.batch_size, task=subject.task)
        own = level.said() | own
    first = {key: own[key] for key in ("loss", "accuracy", "score", "score_name")}
    return first | _described(subject, arguments) | costs | own


def _write_origin(place: Place, subject: Subject, samples: int) -> None:
    """The network and the data as they were found, and what was assumed in reading them, at the root of the file."""
    checkpoint, dtype = subject.checkpoint, str(inputs_dtype(subject.model)).removeprefix("torch.")
    origin = {"model": to_json(checkpoint.model), "data": to_json(checkpoint.data), "samples": samples}
    origin |= {"loss": described(subject.task.loss), "notes": to_json(list(subject.notes)), "dtype": dtype}
    place.attributes("/", **origin)


def _described(subject: Subject, arguments: Measuring) -> Summary:
    return {
        "sparsity": sparsity(subject.checkpoint.masks),
        "samples": len(subject.x),
        "loss_name": described(subject.task.loss),
        "loss_unit": subject.task.loss.unit,
        "notes": list(subject.notes),
        "split": subject.split,
        "seed": arguments.seed,
        "device": str(subject.device),
    }


@contextmanager
def _costs(subject: Subject) -> Iterator[Summary]:
    """What the block costs, by the keys of the JSON object: seconds, memory, and passes where those were counted.

    `memory_gib`: how far resident memory rose above what it was, model and data read (see `store.memory.Peak`).
    `forward_backward_passes`: over all examples, of all ranks together (see `zoo.examples.spending`).
    """
    found: Summary = {"seconds": None, "compile_seconds": 0.0, "memory_gib": None}
    start = time.perf_counter()
    with watched_peak() as peak, spending() as spent:
        yield found
    found |= {"seconds": time.perf_counter() - start, "memory_gib": peak.gib}
    if passes := _of_all_ranks(spent.examples, subject) / len(subject.x):
        found["forward_backward_passes"] = passes


def _of_all_ranks(count: int, subject: Subject) -> float:
    import torch

    counted = torch.tensor([count], dtype=torch.float64, device=subject.device)
    return float(subject.ranks.sum(counted))


def _through_file(
    arguments: Measuring,
    name: str,
    paths: Sequence[Path],
    names: Sequence[str],
    work: Callable[[Results, Ranks], None],
    table: Callable[[Summary], str],
    first: Callable[[], None],
) -> Report:
    """Reuse the finished results file, or fill one by `work`; report what is in it.

    `first` reads a checkpoint: where another result is in the way, what is wrong with the network or the data that were
    named comes before that.
    """
    target = arguments.out or _default_target(arguments.checkpoints, name)
    hashes = {path: content_hash(path) for path in dict.fromkeys(paths)}  # first: says which checkpoint is not there
    check_writable(target)
    check_distinct(target, paths)
    identity = Identity(name, [hashes[path] for path in paths], deciding(arguments))
    try:
        stored = find(target, identity, arguments.overwrite)
    except BadInput:
        first()
        raise
    reused = stored is not None
    if stored is None:
        with joined() as ranks, _opened(target, identity, paths, list(names), arguments, ranks) as results:
            work(results, ranks)
            stored = results.finish()
    else:
        note(f"{target} holds this result already: reusing it")
    each = stored["checkpoints"]
    head = {"checkpoint": [str(path) for path in paths], "sha256": identity.checkpoints}
    if len(each) == 1 and len(paths) == 1:
        head = {key: value[0] for key, value in head.items()}
    text = one_table(target, name, names, each) if len(each) > MANY else _tables(each, names, table)
    return Report(head | _merged(each) | {"out": str(target), "reused": reused}, text)


def _tables(each: Sequence[Summary], names: Sequence[str], table: Callable[[Summary], str]) -> str:
    """A table for each checkpoint, below its name if there are several."""
    headings = [f"{name}\n" for name in names] if len(each) > 1 else [""]
    return "\n\n".join(heading + table(summary) for heading, summary in zip(headings, each, strict=True))


@contextmanager
def _opened(
    target: Path, identity: Identity, paths: Sequence[Path], names: Sequence[str], arguments: Measuring, ranks: Ranks
) -> Iterator[Results]:
    """The file to fill; of several ranks the first has it, the others a copy in memory with the same finished work."""
    if ranks.size > 1 and not arguments.shares_work:
        raise BadInput("this command does not share its work over ranks: type it without torchrun")
    if not ranks.first:
        yield follow(ranks.tell(None), names)
        return
    together = {} if names else {TOGETHER: [path.name for path in paths]}
    with create(target, identity, names, _provenance(arguments) | together, arguments.overwrite) as results:
        if ranks.size > 1:
            ranks.tell(results.image())
        yield results


def _merged(each: Sequence[Summary]) -> Summary:
    """One checkpoint's keys as they are; of several, lists, but for what they share."""
    if len(each) == 1:
        return dict(each[0])
    shared = {key: each[0][key] for key in SHARED if key in each[0]}
    own = [key for key in dict.fromkeys(key for summary in each for key in summary) if key not in shared]
    return {key: [summary.get(key) for summary in each] for key in own} | shared


def _default_target(checkpoints: Sequence[Path], name: str) -> Path:
    stems = [path.absolute().name if path.is_dir() else path.stem for path in checkpoints]
    if len(stems) > 2:
        raise BadInput(f"{len(stems)} checkpoints give one file: name it with -o FILE.{name}.h5")
    return checkpoints[0].parent / f"{'-to-'.join(stems)}.{name}.h5"


def _provenance(arguments: Measuring) -> dict[str, Any]:
    """Root attributes that are known beforehand."""
    import torch

    return {
        "device": str(resolve_device(arguments.device)),
        "threads": torch.get_num_threads(),
        "ranks": int(os.environ.get("WORLD_SIZE", "1")),
        "seed": arguments.seed,
        "split": arguments.split,
        "subspace": getattr(arguments, "subspace", None),
    }
