"""Checkpoints: a network's weights and masks, and everything that is needed to measure it or to train it on.

A file holds plain containers and tensors only, so that `torch.load(path, weights_only=True)` reads it. Tensors with a
mask are packed (`minima.store.checkpoints.packing`). `python -m minima.checkpoint FILE.pt` prints one.
"""

from __future__ import annotations

import hashlib
import io
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minima.store.archive import check_archive
from minima.store.canonical import Canonical
from minima.store.checkpoints.foreign import Foreign, flattened
from minima.store.checkpoints.header import check_header, check_tensors
from minima.store.checkpoints.packing import pack, unpack
from minima.store.checkpoints.safetensors_file import is_index, is_safetensors, parse_safetensors, shards, weights_in
from minima.store.checkpoints.skimming import skim
from minima.store.checkpoints.unpickling import NotPlain, unpickle
from minima.store.description import shown
from minima.store.files import write_atomically
from minima.store.messages import BadInput
from minima.store.plain import plain
from minima.store.provenance import versions
from minima.store.reading import read_bytes

if TYPE_CHECKING:
    from torch import Tensor

FORMAT = "minima-checkpoint"
VERSION = 2
DIGEST = "digest"
"""the entry with the SHA-256 of all others"""


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A network at one point, and where it comes from."""

    model: dict[str, Any]
    """`name`, `arguments`, `input_shape`, `classes`: what minima.zoo.architecture.architecture builds"""
    data: dict[str, Any]
    """`spec`, `root`, `mean`, `std`: what minima.zoo.data.specs loads"""
    state: dict[str, Tensor]
    """the dense state dict; removed weights are 0 in it"""
    masks: dict[str, Tensor] = field(default_factory=dict)
    """bool, True = kept, by parameter name; {} for a dense network"""
    weights_at: dict[int, dict[str, Tensor]] = field(default_factory=dict)
    """state dicts of earlier epochs; epoch 0 is the initialisation"""
    training: dict[str, Any] = field(default_factory=dict)
    seed: int = 0
    metrics: dict[str, Any] = field(default_factory=dict)
    parent: str | None = None
    """the SHA-256 of the file that this one was made from"""
    method: dict[str, Any] | None = None
    """how it was pruned"""
    versions: dict[str, str] = field(default_factory=dict)
    """the software that wrote the file: filled in by `save`"""


HARMLESS = ("torch.nn.modules.", "builtins.", "__builtin__.", "collections.", "numpy.", "_codecs.", "datetime.")
"""whose objects are left out of a foreign file without a word"""
TENSORS = ("state", "masks", "weights_at")
HEADER = tuple(entry.name for entry in fields(Checkpoint) if entry.name not in TENSORS)


def save(checkpoint: Checkpoint, path: Path) -> str:
    """Write the checkpoint, atomically; equal content gives equal bytes, whatever the path.

    Returns:
        the SHA-256 of the bytes written, in hexadecimal.

    Raises:
        ValueError: a mask does not fit its tensor, or a removed weight is not 0.
    """
    import torch

    buffer = io.BytesIO()  # torch.save to a path would put the file's name into the bytes
    torch.save(_contents(checkpoint), buffer)
    write_atomically(path, buffer.getbuffer())
    return hashlib.sha256(buffer.getbuffer()).hexdigest()


def load(path: Path) -> Checkpoint:
    """The checkpoint in a file that `save` wrote.

    Raises:
        BadInput: the file is not there, no checkpoint of this suite, damaged, of a newer version, would run code to
            be read (it is not run), or holds a weight that is not finite.
    """
    found = read(path)
    if isinstance(found, Checkpoint):
        return found
    shown = ", ".join(found.keys[:5]) + (" ..." if len(found.keys) > 5 else "")
    raise BadInput(
        f"{path} is a PyTorch file, but not a checkpoint of this suite (it holds {shown or 'nothing'}).\n"
        "This command takes files of this suite alone. To make one of it, unchanged, type\n"
        f"python -m pruning magnitude {path} --model SPEC --data SPEC --sparsity 0 --epochs 0 -o OURS.pt"
    )


def read(path: Path) -> Checkpoint | Foreign:
    """Read a checkpoint file of ours, or one that others wrote, whose tensors come back for others to interpret.

    Code that such a file names is never run: what only it could make is left out, and said. A folder as transformers
    writes one stands for the weights in it.
    """
    path = weights_in(path)
    content = read_bytes(path)
    if is_safetensors(content):
        return flattened(parse_safetensors(content, path))
    if is_index(path):
        return _read_shards(path, content)
    return _read_pickle(content, path)


def _read_pickle(content: bytes, path: Path) -> Checkpoint | Foreign:
    checked = check_archive(content, path)
    try:
        raw = unpickle(content, path)
    except NotPlain as refusal:
        return _skimmed(content, path, refusal)
    if not isinstance(raw, (Mapping, list, tuple)):
        raise BadInput(f"{path} holds {shown(raw)}, expected a state dict or a checkpoint")
    if not isinstance(raw, Mapping) or raw.get("format") != FORMAT:
        return flattened(raw)
    if not checked:
        raise BadInput(f"{path} is damaged: its bytes are not those that were written. Copy or make it again")
    return _interpret(raw, path)


def _skimmed(content: bytes, path: Path, refusal: BadInput) -> Foreign:
    """The tensors of a file that also holds objects; ours never do, and without tensors there is nothing to read."""
    try:
        raw, skipped = skim(content)
        ours = isinstance(raw, Mapping) and raw.get("format") == FORMAT
        found = flattened(raw)
    except MemoryError:
        raise
    except Exception:  # whatever else is in there, it was turned away already
        raise refusal from None
    if ours or not found.tensors:
        raise refusal
    named = [name for name in skipped if not name.startswith(HARMLESS)]
    if not named:
        return found
    shown = ", ".join(named[:5]) + (f" and {len(named) - 5} more" if len(named) > 5 else "")
    note = f"{path.name}: only its tensors were read; pickled objects were skipped and no code was run: {shown}"
    return replace(found, notes=(note,))


def _read_shards(path: Path, content: bytes) -> Foreign:
    tensors: dict[str, Tensor] = {}
    notes: tuple[str, ...] = ()
    for shard, names in shards(path, content).items():
        found = read(shard)
        if isinstance(found, Checkpoint):
            raise BadInput(f"{path} names {shard.name}, which is a checkpoint of this suite: measure that one")
        if absent := [name for name in names if name not in found.tensors]:
            raise BadInput(f"{path}: {absent[0]} should be in {shard.name}, and is not. Copy the files again")
        tensors |= {name: found.tensors[name] for name in names}
        notes += found.notes
    return flattened(tensors, notes)


def sparsity(masks: Mapping[str, Tensor]) -> float:
    """The fraction of the masked weights that is removed; 0 without masks. Tensors of one axis, the biases and norms
    that go with whole units, are not counted.

    >>> import torch
    >>> sparsity({"fc.weight": torch.tensor([[True, False], [False, False]])})
    0.75
    """
    weights = [mask for mask in masks.values() if mask.ndim > 1]
    total = sum(mask.numel() for mask in weights)
    kept = sum(int(mask.sum()) for mask in weights)
    return (total - kept) / total if total else 0.0


def header(checkpoint: Checkpoint) -> dict[str, Any]:
    """Everything of a checkpoint but its tensors, as plain containers."""
    return {name: plain(getattr(checkpoint, name)) for name in HEADER}


def _contents(checkpoint: Checkpoint) -> dict[str, Any]:
    """The file's containers, as fresh objects, so that how the caller's are shared does not show in the bytes."""
    entries = {"format": FORMAT, "version": VERSION} | header(replace(checkpoint, versions=versions()))
    unknown = [name for name in checkpoint.masks if name not in checkpoint.state]
    if unknown:
        raise ValueError(f"masks of {', '.join(unknown)}, which the state dict does not have")
    weights_at = {int(epoch): _own_all(state) for epoch, state in sorted(checkpoint.weights_at.items())}
    entries |= {"state": _pack_state(checkpoint.state, checkpoint.masks), "weights_at": weights_at}
    return entries | {DIGEST: Canonical().add(entries).hexdigest()}


def _pack_state(state: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> dict[str, Any]:
    """Masked tensors packed; a second name of one (tied weights) as a reference, lest it be stored densely."""
    packed: dict[str, Any] = {}
    for name, tensor in state.items():
        if name in masks:
            try:
                packed[sys.intern(name)] = pack(tensor, masks[name])
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from error
        else:
            twin = next((other for other in masks if _same(tensor, state[other])), None)
            packed[sys.intern(name)] = {"same_as": sys.intern(twin)} if twin else _own(tensor)
    return packed


def _unpack_state(packed: Mapping[str, Any]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    state: dict[str, Tensor] = {}
    masks: dict[str, Tensor] = {}
    for name, entry in packed.items():
        if not isinstance(entry, Mapping):
            state[name] = entry
        elif "same_as" in entry:
            state[name] = unpack(packed[entry["same_as"]])[0]
        else:
            state[name], masks[name] = unpack(entry)
    return state, masks


def _interpret(raw: Mapping[str, Any], path: Path) -> Checkpoint:
    version = raw.get("version")
    if not isinstance(version, int) or version != VERSION:
        newer = isinstance(version, int) and version > VERSION
        raise BadInput(
            f"{path} has checkpoint format {shown(version)}, this version of the suite reads {VERSION}.\n"
            + ("It was written by a newer version: update this one (git pull)" if newer else "Make it again")
        )
    entries = {name: raw[name] for name in HEADER if name in raw}
    check_header(entries, str(path))
    check_tensors(raw, str(path))
    _check_digest(raw, path)
    state, masks = _unpack_state(raw["state"])
    checkpoint = Checkpoint(state=state, masks=masks, weights_at=raw["weights_at"], **entries)
    check_finite(checkpoint, path)
    return checkpoint


def _check_digest(raw: Mapping[str, Any], path: Path) -> None:
    """What was read is what was written; torch itself does not look."""
    try:
        found = Canonical().add({name: entry for name, entry in raw.items() if name != DIGEST}).hexdigest()
    except (TypeError, ValueError, RuntimeError) as error:  # what no checkpoint of ours holds, or too deep
        raise BadInput(f"{path} is damaged: it holds {error}. Copy or make it again") from error
    if raw.get(DIGEST) != found:
        raise BadInput(f"{path} is damaged: its content is not what was written. Copy or make it again")


def check_finite(checkpoint: Checkpoint, path: Path) -> None:
    """Raise a BadInput that names the first tensor with a value that is not finite."""
    moments = [("", checkpoint.state)]
    moments += [(f" of epoch {epoch}", state) for epoch, state in checkpoint.weights_at.items()]
    for moment, state in moments:
        for name, tensor in state.items():
            bad = int((~tensor.isfinite()).sum())
            if bad:
                raise BadInput(
                    f"{path}: {name}{moment} contains {bad} values that are NaN or infinite: its training diverged, "
                    "and there is nothing to measure.\nTrain it again, with a smaller --lr for instance"
                )


def _own(tensor: Tensor) -> Tensor:
    """A copy with a storage of just its size: torch.save writes the whole storage that a view looks into."""
    import torch

    return tensor.detach().cpu().clone(memory_format=torch.contiguous_format)


def _own_all(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {sys.intern(name): _own(tensor) for name, tensor in state.items()}


def _same(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and one.dtype == other.dtype and bool((one == other).all())
