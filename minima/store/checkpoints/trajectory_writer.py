"""Keeping a trajectory: moments that survive a kill while a run lasts, one file of them at its end.

Each kept moment is a small file of its own in a hidden folder beside the target, written atomically, and going on from
an earlier moment is forgetting the later ones. `finish` makes one HDF5 file of them and leaves the folder as it is, so
that the run may still be killed and gone on with; `forget` removes it, when all that belongs to the run is written.
The folder counts as long as its header is there: that is written after, and removed before, what it stands for.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minima.store.archive import check_archive
from minima.store.checkpoints.checkpoint import Checkpoint, header
from minima.store.checkpoints.packing import pack_bits
from minima.store.checkpoints.trajectory import FORMAT, NUMBERS, VERSION, Unit, is_trajectory, read_moment, read_steps
from minima.store.checkpoints.unpickling import unpickle
from minima.store.disk import discard, followed, remove, writing
from minima.store.files import replacing, write_atomically
from minima.store.hdf5.digest import seal
from minima.store.hdf5.labelled import make_scale
from minima.store.hdf5.opening import opened
from minima.store.hdf5.overlay import Overlay, make_room
from minima.store.interruptions import deferred
from minima.store.messages import BadInput
from minima.store.plain import to_json
from minima.store.provenance import versions

if TYPE_CHECKING:
    import h5py
    from numpy.typing import NDArray
    from torch import Tensor

    Tensors = Mapping[str, Tensor]
    Moment = tuple[Tensors, Tensors, dict[str, float]]

HEADER_FILE = "header.json"
WEIGHTS, MASK, NUMBER = ("weights", 0.0), ("packed mask", 255.0), ("of a moment", float("nan"))
"""what an array is, and what stands in it at a moment that has none: a mask that keeps all, no number"""


class LostTrajectory(BadInput):
    """The kept moments of a stopped run are gone, damaged or another run's: the run has to start again."""


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
        self._be(path, header, unit)
        self._empty()
        self._describe()

    @classmethod
    def resume(cls, path: Path, last_step: int, header: Checkpoint, unit: Unit) -> TrajectoryWriter:
        """Go on with what a stopped run kept, without the moments after `last_step`: those will come again.

        A run that had finished its file, and has no moments any more, takes the file apart again.

        Raises:
            LostTrajectory: what it kept is not there any more, is damaged, or belongs to a run with another header.
        """
        writer = cls.__new__(cls)
        writer._be(path, header, unit)
        description = writer._folder / HEADER_FILE
        if description.is_file():
            writer._go_on(last_step, description.read_text())
        elif path.is_file() and is_trajectory(path):
            writer._take_apart(last_step)
        else:
            raise _lost(path)
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
        write_atomically(self._file(step), buffer.getbuffer())

    def numbers(self, step: int) -> dict[str, float]:
        """What `append` was given of a moment beside its weights."""
        return self._moment(step)[2]

    def steps(self) -> list[int]:
        """The moments kept so far."""
        return sorted(int(file.stem) for file in self._folder.glob("[0-9]*.pt"))

    def finish(self) -> None:
        """The run is over: one file of what it kept, under the name given. The moments are still there.

        Raises:
            LostTrajectory: a moment is damaged.
            NotWritten: the disk does not take the file.
        """
        import h5py
        import numpy as np

        steps = self.steps()
        with replacing(self.path) as descriptor, deferred() as listen:
            overlay = Overlay(descriptor)
            with h5py.File(overlay, "w") as file:
                names = json.dumps(list(self._moment(steps[0])[0]) if steps else [])
                file.attrs.update(format=FORMAT, version=VERSION, unit=self._unit, header=self._text, names=names)
                long_name = f"{self._unit}s of training done"
                scale = make_scale(file, "step", np.array(steps, dtype=np.int64), self._unit, long_name)
                table = _Table(overlay, file, scale)
                for row, step in enumerate(steps):
                    table.put(row, self._moment(step))
                    listen()  # between two moments HDF5 is left in peace
                seal(file)
            overlay.save()

    def forget(self) -> None:
        """Remove the moments: all that belongs to the run is written."""
        discard(*moments_of(self.path))

    def _be(self, path: Path, header: Checkpoint, unit: Unit) -> None:
        self.path, self._header, self._unit = path, header, unit
        self._folder, self._text = _folder(path), _description(header, unit)

    def _empty(self) -> None:
        """A folder without moments that does not count yet."""
        for path in moments_of(self.path):
            remove(path)
        with writing(self.path):
            self._folder.mkdir()

    def _describe(self) -> None:
        """From here on the folder counts."""
        write_atomically(self._folder / HEADER_FILE, self._text.encode())

    def _go_on(self, last_step: int, found: str) -> None:
        if found != self._text:
            raise _lost(self.path)
        for step in self.steps():
            if step > last_step:
                remove(self._file(step))
            else:
                self._moment(step)

    def _take_apart(self, last_step: int) -> None:
        with opened(self.path, FORMAT, VERSION) as file:
            if file.attrs["header"] != self._text:
                raise LostTrajectory(f"{self.path} is another run's: repeat this one with --overwrite")
        self._empty()
        for step in read_steps(self.path):
            if step <= last_step:
                self.append(step, *read_moment(self.path, step))
        self._describe()

    def _file(self, step: int) -> Path:
        return self._folder / f"{step}.pt"

    def _moment(self, step: int) -> Moment:
        content = self._file(step).read_bytes()
        try:
            check_archive(content, self._file(step))
            moment = unpickle(content, self._file(step))
        except BadInput as error:
            raise _lost(self.path) from error
        return moment["state"], moment["masks"], dict(moment.get(NUMBERS, {}))


class _Table:
    """One array for each tensor of a trajectory, filled moment by moment, so that one at a time is in memory."""

    def __init__(self, overlay: Overlay, file: h5py.File, scale: h5py.Dataset) -> None:
        self._overlay, self._file, self._scale = overlay, file, scale
        self._arrays: dict[str, tuple[h5py.Dataset, NDArray[Any]]] = {}
        for group in ("state", "masks"):
            file.create_group(group)

    def put(self, row: int, moment: Moment) -> None:
        """One moment; what it does not have gets what stands for nothing."""
        import numpy as np

        state, masks, numbers = moment
        found = {f"state/{name}": (tensor.numpy(), WEIGHTS) for name, tensor in state.items()}
        found |= {f"masks/{name}": (pack_bits(mask).numpy(), MASK) for name, mask in masks.items()}
        found |= {f"{NUMBERS}/{name}": (np.asarray(number, np.float64), NUMBER) for name, number in numbers.items()}
        for name, (values, kind) in found.items():
            if name not in self._arrays:
                self._make(name, values, kind, row)
            self._overlay.put(self._arrays[name][0], row, values)
        for name in self._arrays.keys() - found.keys():
            self._overlay.put(self._arrays[name][0], row, self._arrays[name][1])

    def _make(self, name: str, values: NDArray[Any], kind: tuple[str, float], row: int) -> None:
        """An array that first has something at this moment."""
        import numpy as np

        dataset = make_room(self._file, name, (len(self._scale), *values.shape), values.dtype)
        dataset.dims[0].attach_scale(self._scale)
        dataset.attrs.update(units="1", long_name=kind[0])
        empty = np.full(values.shape, kind[1], values.dtype)
        for before in range(row):
            self._overlay.put(dataset, before, empty)
        self._arrays[name] = dataset, empty


def moments_of(path: Path) -> tuple[Path, Path]:
    """What lies beside an unfinished trajectory, in the order in which it may be removed.

    >>> [each.name for each in moments_of(Path("x.trajectory.h5"))]
    ['header.json', '.x.trajectory.h5.moments.part']
    """
    return _folder(path) / HEADER_FILE, _folder(path)


def _description(checkpoint: Checkpoint, unit: Unit) -> str:
    """What stays the same from moment to moment, as JSON: it also tells one run's trajectory from another's."""
    return to_json({"unit": unit, "header": header(replace(checkpoint, versions=versions()))})


def _folder(path: Path) -> Path:
    target = followed(path)
    return target.with_name(f".{target.name}.moments.part")


def _lost(path: Path) -> LostTrajectory:
    return LostTrajectory(
        f"{path}: the weights that the stopped run kept are gone, damaged, or were replaced by another run's.\n"
        "The run has to start again: repeat it with --overwrite"
    )


def _detached(tensors: Tensors) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().clone() for name, tensor in tensors.items()}
