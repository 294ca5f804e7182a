"""The jobs that make and measure the networks of a study of the claims: each takes many, for torch starts slowly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from figures.reading.names import RUNS, Name
from figures.study.claims.networks import Seed, finished
from figures.study.engine.jobs import Job

SIBLING_ORDER = 1000
"""added to the seed: the order of the examples a sibling sees"""


def making(seed: Seed) -> Iterator[Job]:
    """Training, pruning and the common finish of one seed."""
    keys, part, parent = seed.keys, seed.part, seed.dense
    needs = (parent.checkpoint,)
    yield Job("train", parent.stem, (), (keys.trained(parent, part.model),))
    for network in seed.longer:
        step = keys.trained_on([parent], network.checkpoint, [network.checkpoint], keys.longer, "longer", part.model)
        yield Job("train", network.stem, needs, (step,))
    for name in part.arms:
        networks = seed.made([name], seed.all_sparsities)
        step = keys.pruned(keys.arm(name), parent, networks, keeps=name in keys.both, model=part.model)
        yield Job("prune", seed.result(name).stem, needs, (step,))
    for name in part.controls:
        yield from (keys.control(name).job(keys, each, part.model) for each in seed.made([name], seed.all_sparsities))
    for name in keys.both if part.path_sparsities else ():
        siblings = seed.pruned([name], part.path_sparsities, sibling=True)
        step = keys.pruned(keys.arm(name), parent, siblings, order_seed=SIBLING_ORDER + seed.seed, model=part.model)
        yield Job("sibling", seed.result(f"{name}.sibling").stem, needs, (step,))
    start, ends = seed.unfinished, [finished(name) for name in seed.unfinished]
    made = [name.checkpoint for name in ends] + [name.trajectory for name in ends]
    step = keys.trained_on(start, f"{RUNS}/{{stem}}.finished.pt", made, keys.finish, model=part.model)
    yield Job("finish", seed.result("finish").stem, _files(start), (step,))


def measuring(seed: Seed) -> Iterator[Job]:
    """The jobs that measure the networks of one seed, each into a file of its own."""
    keys, part = seed.keys, seed.part
    for split in sorted({"test", keys.entropy_split}):
        extra: tuple[str, ...] = ("--split", split)
        yield _measure(seed, "entropy", f"psp-{split}", _files(seed.everything), "entropy.psp", extra, "entropy")
    if part.curvature_sparsities:
        yield _measure(seed, "curvature", "curvature", seed.curved, "landscape.sharpness", flags="curvature")
    for measure, ends in seed.pairs.items():
        yield _measure(seed, "path", measure, _files(ends), "landscape.path", flags="path")
    if part.transfer_sparsities:
        yield _transfer(seed)
    number, shown = seed.seed - part.first_seed, _files(seed.shown)
    pairs = ("--split", keys.entropy_split, "--order", "2")
    if number < part.pairs_seeds:
        extra = (*pairs, "--pairs", "sampled")
        yield _measure(seed, "entropy", "psp-sampled-pairs", shown, "entropy.psp", extra, "entropy")
    if number < part.pictured_seeds:
        along = [name.trajectory for name in seed.pruned(keys.both, part.path_sparsities[-1:])]
        for space, files in (("survivors", shown), ("full", shown[1:])):
            extra = ("--subspace", space)
            yield _measure(seed, "spectrum", f"hessian-{space}", files, "landscape.hessian", extra, "hessian")
        extra = ("--split", keys.entropy_split)
        yield _measure(seed, "entropy", "psp-training", along, "entropy.psp", extra, "entropy")
    if number < min(part.pictured_seeds, 1):
        extra = (*pairs, "--selectivity")
        yield _measure(seed, "entropy", "psp-pairs", shown, "entropy.psp", extra, "entropy")
        yield _measure(seed, "surface", "surface", shown, "landscape.surface", flags="surface")
        yield _measure(seed, "sharpness", "sharpness", shown, "landscape.sharpness", flags="sharpness")  # to be read


def _measure(
    seed: Seed,
    stage: str,
    measure: str,
    files: Sequence[str],
    module: str,
    extra: Sequence[str] = (),
    flags: str = "",
) -> Job:
    """One measure of many files; `flags`: the key that holds them."""
    keys, named = seed.keys, seed.result(measure)
    own = getattr(keys, flags) if flags else ""
    step = keys.measured(module, files, named.file, flags=own, key=flags, extra=extra, model=seed.part.model)
    return Job(stage, named.stem, tuple(files), (step,))


def _transfer(seed: Seed) -> Job:
    """Networks that see half of the classes, pruned, and probed on the other half, in one process."""
    keys, part, parent = seed.keys, seed.part, seed.source
    half = keys.transfer
    assert half is not None, "checked with the configuration"
    data = f"{keys.data}:{half.source}"
    steps, networks = [keys.trained(parent, part.model, data)], [parent]
    for name in keys.both:
        own = seed.pruned([name], part.transfer_sparsities, source=True)
        steps.append(keys.pruned(keys.arm(name), parent, own, data=data, model=part.model))
        networks += own
    named = seed.result("transfer")
    root = ("--data-root", keys.data_root) if keys.data_root else ()
    extra, files = ("--to", f"{keys.data}:{half.target}", *root), _files(networks)
    said: dict[str, Any] = {"flags": half.flags, "key": "[transfer] flags", "extra": extra, "data": data}
    steps.append(keys.measured("entropy.transfer", files, named.file, **said, model=part.model))
    return Job("transfer", named.stem, (), tuple(steps))


def _files(names: Sequence[Name]) -> tuple[str, ...]:
    return tuple(name.checkpoint for name in names)
