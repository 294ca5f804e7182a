"""Trajectories: a network's weights at kept epochs or steps of its training, in one HDF5 file.

While a run lasts, each kept moment is a small file of its own in a hidden folder beside the target, written atomically:
a kill at whatever moment loses none, and going on from an earlier moment is forgetting the later ones. `finish` makes
one HDF5 file of them: the checkpoint's header as JSON, the scale `step`, `state/NAME` with a leading axis `step`,
`masks/NAME`, packed bits, where weights were removed, and `numbers/NAME` where more is known of each moment.
"""

from __future__ import annotations

import io
import json
import math
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from minima.store.checkpoints.checkpoint import Checkpoint, check_finite, header
from minima.store.checkpoints.header import HEADER, check_header
from minima.store.files import complete, part_path, write_atomically
from minima.store.hdf5.opening import opened
from minima.store.messages import BadInput
from minima.store.plain import to_json
from minima.store.provenance import versions

if TYPE_CHECKING:
    import h5py
    from torch import Tensor

FORMAT = "minima-trajectory"
VERSION = 1
HEADER_FILE = "header.json"
NUMBERS = "numbers"
"""the group of what is known of each moment beside its weights"""

Unit = Literal["epoch", "step"]
Tensors = Mapping[str, "Tensor"]


class LostTrajectory(BadInput):
    """The kept moments of a stopped run are gone, or another run's: the run has to start again."""


class TrajectoryWriter:
    """Keeps the weights of chosen moments of a run, and makes one file of them at its end.

    The caller holds the lock of its own target (`minima.store.files.hold`) while it keeps a trajectory beside it.
    """

    def __init__(self, path: Path, header: Checkpoint, unit: Unit) -> None:
        """Start anew: what a stopped run kept for `path` is forgotten.

        Args:
            path: `NAME.trajectory.h5`, which appears when the run is finished.
            header: what stays the same from moment to moment; its `masks` hold where `append` is given none.
            unit: what the numbers of `append` count.
        """
        self.path, self._header, self._unit = path, header, unit
        self._folder = _folder(path)
        if self._folder.exists():
            shutil.rmtree(self._folder)
        self._folder.mkdir()
        write_atomically(self._folder / HEADER_FILE, _describe(header, unit).encode())

    @classmethod
    def resume(cls, path: Path, last_step: int, header: Checkpoint, unit: Unit) -> TrajectoryWriter:
        """Go on with what a stopped run kept, without the moments after `last_step`: those will come again.

        Raises:
            LostTrajectory: what it kept is not there any more, or belongs to a run with another header.
        """
        writer = cls.__new__(cls)
        writer.path, writer._header, writer._unit, writer._folder = path, header, unit, _folder(path)
        if not writer._folder.exists() and path.is_file() and is_trajectory(path):
            return writer._reopened(last_step)
        description = writer._folder / HEADER_FILE
        if not description.is_file() or description.read_text() != _describe(header, unit):
            raise LostTrajectory(
                f"{path}: the weights that the stopped run kept are gone, or were replaced by another run's.\n"
                "The run has to start again: repeat it with --overwrite"
            )
        for step in writer.steps():
            if step > last_step:
                writer._file(step).unlink()
        return writer

    def append(self, step: int, state: Tensors, masks: Tensors, numbers: Mapping[str, float] | None = None) -> None:
        """Keep a moment: it survives a kill from here on. Without `masks` the header's hold.

        `numbers`: what else is known of it, such as the learning rate of the next step.
        """
        import torch

        if step < 0:
            raise ValueError(f"step {step} of a trajectory is negative")
        buffer = io.BytesIO()
        tensors = {"state": dict(state), "masks": dict(masks or self._header.masks)}
        own = {NUMBERS: dict(numbers)} if numbers else {}
        torch.save({key: _detached(group) for key, group in tensors.items()} | own, buffer)
        write_atomically(self._file(step), buffer.getvalue())

    def numbers(self, step: int) -> dict[str, float]:
        """What `append` was given of a moment beside its weights."""
        return self._moment(step)[2]

    def steps(self) -> list[int]:
        """The moments kept so far."""
        return sorted(int(file.stem) for file in self._folder.glob("[0-9]*.pt"))

    def finish(self) -> None:
        """The run is over: make one file of what it kept, under the name given."""
        import h5py

        part = part_path(self.path, "assembled")
        with h5py.File(part, "w") as file:
            _assemble(file, self.steps(), self._moment, _describe(self._header, self._unit), self._unit)
        complete(part, self.path)
        shutil.rmtree(self._folder)

    def _reopened(self, last_step: int) -> TrajectoryWriter:
        """A run that was stopped after `finish`, but before it was over, takes its file apart again."""
        with opened(self.path, FORMAT, VERSION) as file:
            if file.attrs["header"] != _describe(self._header, self._unit):
                raise LostTrajectory(f"{self.path} is another run's: repeat this one with --overwrite")
        fresh = TrajectoryWriter(self.path, self._header, self._unit)
        for step in read_steps(self.path):
            if step <= last_step:
                fresh.append(step, *_read(self.path, step))
        return fresh

    def _file(self, step: int) -> Path:
        return self._folder / f"{step}.pt"

    def _moment(self, step: int) -> tuple[Tensors, Tensors, dict[str, float]]:
        from minima.store.checkpoints.unpickling import unpickle

        moment = unpickle(self._file(step).read_bytes(), self._file(step))
        return moment["state"], moment["masks"], dict(moment.get(NUMBERS, {}))


def is_trajectory(path: Path) -> bool:
    """Whether the file is a trajectory, finished and whole enough to be opened."""
    from minima.store.checkpoints.unpickling import HDF5

    with path.open("rb") as file:
        if file.read(len(HDF5)) != HDF5:
            return False
    try:
        with opened(path) as file:
            return bool(file.attrs.get("format") == FORMAT)
    except BadInput:
        return False


def read_steps(path: Path) -> list[int]:
    """The kept moments, ascending."""
    with opened(path, FORMAT, VERSION) as file:
        return [int(step) for step in file["step"]]


def load_step(path: Path, step: int) -> Checkpoint:
    """The network at one kept moment.

    Raises:
        BadInput: the file is no trajectory, that moment was not kept, or a weight is not finite there.
    """
    state, masks, numbers = _read(path, step)
    with opened(path, FORMAT, VERSION) as file:
        entries = json.loads(file.attrs["header"])["header"]
    check_header(entries, str(path))
    entries = {name: entries[name] for name in HEADER}
    if numbers:
        entries["training"] = entries["training"] | {"moment": numbers}
    checkpoint = Checkpoint(state=state, masks=masks, **entries)
    check_finite(checkpoint, path)
    return checkpoint


def _read(path: Path, step: int) -> tuple[dict[str, Tensor], dict[str, Tensor], dict[str, float]]:
    import torch

    from minima.store.checkpoints.packing import unpack_bits

    with opened(path, FORMAT, VERSION) as file:
        steps = [int(kept) for kept in file["step"]]
        if step not in steps:
            raise BadInput(f"{path} does not hold {file.attrs['unit']} {step}. It holds {_some(steps)}")
        row = steps.index(step)
        names = json.loads(file.attrs["names"])
        state = {name: torch.as_tensor(file["state"][name][row]) for name in names}
        bits = {name: torch.as_tensor(file["masks"][name][row]) for name in names if name in file["masks"]}
        told = {name: float(each[row]) for name, each in file[NUMBERS].items()} if NUMBERS in file else {}
    masks = {name: unpack_bits(packed, state[name].shape) for name, packed in bits.items()}
    return state, masks, {name: value for name, value in told.items() if not math.isnan(value)}


def _assemble(file: h5py.File, steps: Sequence[int], moment: Any, description: str, unit: Unit) -> None:
    """One dataset for each tensor, filled moment by moment, so that one moment at a time is in memory."""
    import numpy as np

    from minima.store.checkpoints.packing import pack_bits
    from minima.store.hdf5.labelled import make_scale

    first = moment(steps[0])[0] if steps else {}
    file.attrs.update(format=FORMAT, version=VERSION, unit=unit, header=description, names=json.dumps(list(first)))
    scale = make_scale(file, "step", np.array(steps, dtype=np.int64), unit, f"{unit}s of training done")
    groups = {key: file.create_group(key) for key in ("state", "masks")}
    for row, step in enumerate(steps):
        state, masks, numbers = moment(step)
        for name, tensor in state.items():
            _put(groups["state"], name, row, tensor.numpy(), scale)
        for name, mask in masks.items():
            _put(groups["masks"], name, row, pack_bits(mask).numpy(), scale)
        for name, number in numbers.items():
            _put(file.require_group(NUMBERS), name, row, np.float64(number), scale)


def _put(group: h5py.Group, name: str, row: int, values: Any, scale: h5py.Dataset) -> None:
    """A moment's values into the tensor's dataset; a mask's bits are 1, kept, at the moments that have none, and a
    number that is not told is NaN."""
    import numpy as np

    if name not in group:
        fill, meaning = {"/masks": (255, "packed mask"), f"/{NUMBERS}": (np.nan, "of a moment")}.get(
            group.name, (0, "weights")
        )
        shape = (len(scale), *values.shape)
        dataset = group.create_dataset(name, shape, np.asarray(values).dtype, fillvalue=fill, track_times=False)
        dataset.dims[0].attach_scale(scale)
        dataset.attrs.update(units="1", long_name=meaning)
    group[name][row] = values


def _describe(checkpoint: Checkpoint, unit: Unit) -> str:
    """What stays the same from moment to moment, as JSON: it also tells one run's trajectory from another's."""
    return to_json({"unit": unit, "header": header(replace(checkpoint, versions=versions()))})


def _folder(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


def _detached(tensors: Tensors) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().clone() for name, tensor in tensors.items()}


def _some(steps: Sequence[int]) -> str:
    shown = ", ".join(map(str, steps[:8]))
    return shown if len(steps) <= 8 else f"{shown}, ... {steps[-1]}"
