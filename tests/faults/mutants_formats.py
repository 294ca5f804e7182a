"""Every format: its base, how it is mutated, and the door by which a command reads it."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import torch

from tests.faults import mutants_arrays as arrays
from tests.faults import mutants_texts as texts
from tests.faults import mutants_torch as of_torch
from tests.faults.damage import read_arrays, read_moments
from tests.faults.mutants_bases import NETWORK, Bases
from tests.faults.mutants_bytes import mutated
from tests.faults.mutants_commands import LINES, command
from tests.faults.mutants_hdf5 import sealed

Mutation = Callable[[bytes, Random], tuple[str, bytes]]


@dataclass(frozen=True)
class Format:
    """One of them."""

    base: str
    """the whole file, below the folder of bases"""
    read: Callable[[Path], object]
    mutations: tuple[Mutation, ...]
    summed: bool = False
    """whether it carries checksums: what is read of flipped bytes must be what was written"""
    base_is_read: bool = True
    """whether the base itself is read without a word"""
    whole_command: bool = False
    """which may write beside the mutant"""
    beside: str | None = None
    """a folder that the mutant is put into, in the place of the base"""

    def mutant(self, content: bytes, draw: Random) -> tuple[str, bytes]:
        """What was done to the base, and what came of it."""
        return draw.choice(self.mutations)(content, draw)

    def put(self, content: bytes, bases: Bases, folder: Path) -> Path:
        """Where the mutant lies, for its reader; what lay there is overwritten."""
        if self.beside is None:
            path = folder / Path(self.base).name
        else:
            whole, path = bases.folder / self.beside, folder / self.base
            if not path.parent.exists():
                shutil.copytree(whole, path.parent)
        path.write_bytes(content)
        return path


def formats(bases: Bases) -> dict[str, Format]:
    """All of them by name."""
    ours = _Reader()
    foreign = _Reader(model=NETWORK, data="digits")
    zipped = partial(of_torch.archive, canary=bases.canary)
    structure = of_torch.structure
    toml = lambda content, draw: texts.toml(content.decode(), draw, bases.canary)  # noqa: E731
    pickles = lambda _, draw: of_torch.old_pickles(draw, bases.canary)  # noqa: E731
    made: dict[str, Format] = {
        "checkpoint": Format("dense.pt", ours.network, (mutated, structure, structure, zipped), summed=True),
        "pruned checkpoint": Format("pruned.pt", ours.network, (mutated, structure, structure, zipped), summed=True),
        "foreign": Format("foreign.pt", foreign.network, (mutated, structure, zipped), summed=True),
        "legacy": Format("legacy.pt", foreign.network, (mutated, _legacy, zipped_legacy(zipped))),
        "safetensors": Format("foreign.safetensors", foreign.network, (mutated, arrays.safetensors)),
        "index": Format(
            "sharded/model.safetensors.index.json", foreign.network, (mutated, texts.index), beside="sharded"
        ),
        "npz": Format("data.npz", _data("npz"), (mutated, _of(arrays.npz, bases.arrays)), summed=True),
        "npy": Format("npy/x_train.npy", _folder, (mutated, _of(arrays.npy, bases.arrays["x_train"])), beside="npy"),
        "data safetensors": Format("data.safetensors", _data("safetensors"), (mutated, arrays.safetensors)),
        "groups": Format("npy/y_train.npy", _npy, (mutated, _of(arrays.npy, bases.arrays["y_train"]))),
        "idx": Format("images", _idx, (mutated, _of(arrays.idx, False))),
        "idx.gz": Format("images.gz", _idx, (mutated, _of(arrays.idx, True)), summed=True),
        "cifar": Format("cifar", _cifar, (mutated, pickles, pickles)),
        "study": Format("study.toml", _study, (mutated, toml, toml)),
        "statements": Format("findings.toml", _statements, (mutated, toml)),
        "claims": Format("claims.toml", _claims, (mutated, toml)),
    }
    for measure in ("psp", "surface", "hessian"):
        made[f"results of {measure}"] = Format(f"{measure}.h5", _results, (mutated, sealed, sealed), summed=True)
    made["trajectory"] = Format("run.trajectory.h5", _trajectory, (mutated, sealed, sealed), summed=True)
    for kind, read in {"model": _model, "data": _spec, "loss": _loss}.items():
        made[f"spec of {kind}"] = Format("study.toml", read, (_of(texts.spec, kind),), base_is_read=False)
    for name, lines in LINES.items():
        for line in lines:
            called = f"{name}: {' '.join(line.split()[:2]).replace(' MUTANT', '')}"
            made[called] = replace(made[name], read=command(line, NETWORK), summed=False, whole_command=True)
    return made


def zipped_legacy(zipped: Mutation) -> Mutation:
    """Bare pickles in the place of the whole file."""

    def mutate(_: bytes, draw: Random) -> tuple[str, bytes]:
        state = torch.nn.Linear(2, 2).state_dict()
        return zipped(of_torch.saved({"state_dict": state}), draw)

    return mutate


def _legacy(content: bytes, draw: Random) -> tuple[str, bytes]:
    import io

    tree = torch.load(io.BytesIO(content), weights_only=True)
    said, changed = of_torch.structure(of_torch.saved(tree), draw)
    made = torch.load(io.BytesIO(changed), weights_only=False)
    return f"legacy {said}", of_torch.saved(made, _use_new_zipfile_serialization=False)


def _of(mutate: Callable[[Any, Random], tuple[str, bytes]], given: Any) -> Mutation:
    return lambda _, draw: mutate(given, draw)


class _Reader:
    """Reads networks as commands do; the data are read once, before the forks."""

    def __init__(self, **choice: Any) -> None:
        from minima.zoo.subject.subject import Choice, Reader

        self.reader = Reader(Choice(samples=16, **choice))

    def network(self, path: Path) -> object:
        from minima.checkpoint import _text, describe
        from minima.store.checkpoints.checkpoint import header

        found = self.reader.read(path.parent if path.suffix == ".json" else path)
        checkpoint = found.checkpoint
        if found.ours:
            _text(describe(checkpoint) | {"checkpoint": "", "sha256": ""})
        earlier = {f"{epoch}.{k}": v for epoch, state in checkpoint.weights_at.items() for k, v in state.items()}
        tensors = [dict(found.model.state_dict()), found.masks, earlier]
        return [_digest(each) for each in tensors], header(checkpoint) if found.ours else None


def _digest(tensors: Mapping[str, Any]) -> str:
    made = hashlib.sha256()
    for name, tensor in tensors.items():
        array = tensor.detach().contiguous().numpy() if torch.is_tensor(tensor) else tensor
        made.update(f"{name} {array.dtype} {array.shape}".encode() + array.tobytes())
    return made.hexdigest()


def _data(kind: str) -> Callable[[Path], object]:
    def read(path: Path) -> object:
        from minima.zoo.data.specs import load_data

        found = load_data({"spec": f"{kind}:{path}", "root": None, "mean": [0.0], "std": [1.0]})
        held = {key: value for key, value in vars(found).items() if hasattr(value, "dtype")}
        return found.classes, _digest(held)

    return read


def _folder(path: Path) -> object:
    return _data("npy")(path.parent)


def _npy(path: Path) -> object:
    from minima.zoo.data.numpy_files import read_npy

    return _digest({"": read_npy(path)})


def _idx(path: Path) -> object:
    from minima.zoo.data.idx import read_idx

    return _digest({"": read_idx(path.parent, path.stem, advice="get it")})


def _cifar(path: Path) -> object:
    from minima.zoo.data.datasets.cifar100 import CIFAR100

    class Here(CIFAR100):
        folder, files = ".", {"train": (path.name,)}  # type: ignore[assignment]

    return _digest(Here().read(path.parent))


def _results(path: Path) -> object:
    """All that is in it, and what is said of it."""
    from minima.results import Show, main

    said = {key: value for key, value in main(Show(file=path)).summary.items() if key not in ("file", "sha256")}
    return said, [_hashed(each) for each in read_arrays(path)]


def _trajectory(path: Path) -> object:
    return _results(path), [_hashed(each) for each in read_moments(path)]


def _hashed(entry: object) -> str:
    """Of an array, lest all be in memory at once."""
    return hashlib.sha256(repr(entry).encode("utf8", "replace")).hexdigest()


def _study(path: Path) -> object:
    from figures.study.kinds import read_study

    return [(job.name, job.line) for job in read_study(path).plan().jobs]


def _statements(path: Path) -> object:
    from figures.study.findings.statements import load_findings

    found = load_findings(path)
    return found.reached_within, found.claims


def _claims(path: Path) -> object:
    from figures.study.claims.views import read_claims

    return read_claims(path)


def _model(path: Path) -> object:
    from minima.zoo.architecture.architecture import describe, parse_architecture, shapes_of

    return shapes_of(describe(parse_architecture(_text_of(path)), (1, 8, 8), 10))


def _spec(path: Path) -> object:
    from minima.zoo.data.specs import load_data, resolve_data

    found = load_data(resolve_data(_text_of(path)))
    return found.classes


def _loss(path: Path) -> object:
    from minima.zoo.losses.spec import described, parse_loss

    return described(parse_loss(_text_of(path)))


def _text_of(path: Path) -> str:
    return path.read_bytes().decode("utf8", "surrogatepass")
