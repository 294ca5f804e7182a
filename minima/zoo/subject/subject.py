"""What is measured: a checkpoint's network in eval mode, its masks, and the data to measure it on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from minima.store.checkpoints.checkpoint import Checkpoint, read
from minima.store.checkpoints.foreign import Foreign
from minima.store.checkpoints.safetensors_file import CONFIG
from minima.store.checkpoints.trajectory import is_trajectory, load_step, read_steps
from minima.store.command import BadInput, note
from minima.store.files import digest
from minima.store.reading import unchanging
from minima.zoo.architecture.architecture import architectures
from minima.zoo.data.dataset import Dataset
from minima.zoo.data.specs import inherited, load_data, resolve_data
from minima.zoo.data.splits import Splits, make_splits
from minima.zoo.device import DeviceName, resolve_device
from minima.zoo.examples.inputs import Inputs
from minima.zoo.examples.intake import AS_THEY_ARE, Intake
from minima.zoo.examples.needs import affordable_batch
from minima.zoo.examples.task import Task
from minima.zoo.ranks import ALONE, Ranks
from minima.zoo.subject.fitting import IntegersAs, fit_together
from minima.zoo.subject.foreign import Loaded, Zeros, load_foreign, load_ours
from minima.zoo.subject.network import changed_since, entry_of, network_for
from minima.zoo.subject.precision import Precision
from minima.zoo.subject.sampling import Sample
from minima.zoo.subject.task_entry import asked_task

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn


@dataclass(frozen=True)
class Subject:
    """A network in eval mode (`model`), its `masks`, and the examples (`x`, `y`) to measure it on by `task.loss`.

    Nothing else shares its memory. Functions take it as their data: `measure_sharpness(found.model, found)`.
    """

    path: Path
    step: int | None
    """which moment, when the file is a trajectory"""
    checkpoint: Checkpoint
    """with the network and data that are measured, where the command line names others than the file"""
    model: nn.Module
    masks: dict[str, Tensor]
    """bool, True = kept, by parameter name; {} for a dense network"""
    x: Inputs
    """(N, ...) the examples that are used, as the network takes them"""
    y: Any
    """(N, ...) their targets; None where the data have none"""
    rows: Tensor
    """(N,) where they lie in the split, ascending; on the CPU"""
    available: int
    """examples in the whole split"""
    dataset: Dataset
    """both splits, on the CPU"""
    classes: int | None
    """how many classes labels (N,) name; None where the targets are no such labels"""
    task: Task
    """by which loss its outputs are judged"""
    split: str
    device: torch.device
    batch_size: int
    ranks: Ranks = ALONE
    """who shares the work"""
    notes: tuple[str, ...] = ()
    """what was assumed"""
    drawn: bool = True
    """whether the examples used stand for the split: all of them, or a sample of it"""
    intake: Intake = AS_THEY_ARE
    """how the network takes the inputs in `dataset`"""
    ours: bool = True
    """whether this suite wrote the file"""
    dtypes: Mapping[str, torch.dtype] = field(default_factory=dict)
    """in which the file has the tensors of the network's state; {} where there is no file"""

    @property
    def used_share(self) -> float | None:
        """sqrt(1 - n/N), n of the split's N examples being used: the part of an error for new examples that remains for
        the whole split. None where the first n were taken, which say nothing of the others.
        """
        return math.sqrt(1 - len(self.rows) / self.available) if self.drawn else None

    def splits(self, validation: float, split_seed: int) -> Splits:
        """Both splits as the network takes them, the fraction `validation` of the train split being held out."""
        return make_splits(self.dataset, validation, split_seed, self.device, self.task, self.intake)

    @property
    def name(self) -> str:
        """The file's name, with the step of a trajectory behind @."""
        return self.path.name if self.step is None else f"{self.path.name}@{self.step}"


@dataclass(frozen=True)
class Choice:
    """How a checkpoint is read: which network and data it is of, and how many examples; None: what the file says."""

    model: str | None = None
    data: str | None = None
    data_root: Path | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    split: Literal["train", "test"] = "train"
    samples: int | str | None = None
    seed: int = 0
    """of a sample"""
    loss: str | None = None
    output: str | None = None
    input_dtype: IntegersAs | None = None
    input_shape: tuple[int, ...] | None = None
    scale: float | None = None
    labels_in: bool = False
    batch_size: int | None = None
    device: DeviceName = "auto"
    zeros: Zeros = "mask"
    entry: str | None = None
    """where in a foreign file the network is"""
    dtype: Precision | None = None
    """in which the network runs"""
    same_data: bool = False
    """whether the data of a checkpoint of ours may only be repeated"""


def load_subject(path: Path, step: int | None = None, **choice: Any) -> Subject:
    """Read one checkpoint and make it ready to measure; keywords are the fields of `Choice`."""
    return Reader(Choice(**choice)).read(path, step)


def steps_of(path: Path) -> Sequence[int | None]:
    """The moments in a file: the kept steps of a trajectory, [None] for a checkpoint."""
    return read_steps(path) if path.is_file() and is_trajectory(path) else [None]


class Reader:
    """Makes subjects of checkpoints; data that several of them share, also with one that is there, is read once."""

    def __init__(self, choice: Choice, there: Subject | None = None) -> None:
        self.choice = choice
        self._datasets = {} if there is None else {digest(there.checkpoint.data): there.dataset}

    @unchanging()
    def read(self, path: Path, step: int | None = None) -> Subject:
        """Read a checkpoint (ours, or a foreign one with --model and --data), its data, and put both on the device."""
        choice, device = _of_folder(path, self.choice), resolve_device(self.choice.device)
        stored = load_step(path, step) if step is not None else read(path)
        checkpoint = stored if (ours := isinstance(stored, Checkpoint)) else _adopt(path, choice)
        data = _data_entry(checkpoint, choice, path)
        dataset = self._dataset(data)
        model = network_for(stored, checkpoint.model, choice.model, dataset, path)
        loaded, task = fill(model, stored, path, choice), asked_task(checkpoint.training, choice.loss, choice.output)
        entry = checkpoint.model if ours or choice.model is None else entry_of(choice.model, dataset)
        checkpoint = replace(checkpoint, state=loaded.state, masks=loaded.masks, data=data, model=entry)
        model = model.to(device)
        x, y = dataset.split(choice.split)
        available = len(x)
        sample = Sample.parse(choice.samples, available, choice.split)
        rows, x, y = sample.of(x, y, choice.seed)
        x, y = x.to(device), None if y is None else y.to(device)
        fitted = fit_together(model, x, y, task, path, data.get("input_dtype"))
        of_code = changed_since(checkpoint.model, choice.model)
        notes = _told(loaded.notes, path, (*of_code, *dataset.notes, *fitted.notes))
        return Subject(
            path=path,
            step=step,
            checkpoint=checkpoint,
            model=model,
            masks={name: mask.to(device) for name, mask in checkpoint.masks.items() if not mask.all()},
            x=fitted.x,
            y=fitted.y,
            rows=rows,
            available=available,
            dataset=dataset,
            classes=dataset.classes,
            task=fitted.task,
            split=choice.split,
            device=device,
            batch_size=affordable_batch(model, fitted.x, choice.batch_size),
            notes=notes,
            drawn=sample.drawn or len(rows) == available,
            intake=fitted.intake,
            ours=ours,
            dtypes=loaded.dtypes,
        )

    def _dataset(self, entry: dict[str, Any]) -> Dataset:
        key = digest(entry)
        if key not in self._datasets:
            self._datasets[key] = load_data(entry, run_code=self.choice.data is not None)
        return self._datasets[key]


def _told(of_file: Sequence[str], path: Path, others: Sequence[str]) -> tuple[str, ...]:
    """What was assumed, said on stderr."""
    notes = (*of_file, *(f"{path.name}: {each}" for each in others))
    for each in notes:
        note(each)
    return notes


def _of_folder(path: Path, choice: Choice) -> Choice:
    """A folder as transformers writes one says itself which network it holds."""
    known = choice.model is None and (path / CONFIG).is_file()
    return replace(choice, model=f"hf:{path}") if known else choice


def _adopt(path: Path, choice: Choice) -> Checkpoint:
    """A foreign file as a checkpoint, its tensors still to come; what it does not say, the user must."""
    if choice.model is None or choice.data is None:
        raise BadInput(
            f"{path} was not written by this suite, so it does not say which network and data it belongs to.\n"
            "Add --data SPEC: digits, mnist, npz:FILE, path/to/file.py:factory and others"
            if choice.model
            else f"{path} was not written by this suite, so it does not say which network and data it belongs to.\n"
            f"Add --model NAME (one of {', '.join(architectures())},\n"
            "torchvision:NAME, timm:NAME, hf:FOLDER, or path/to/file.py:factory) and --data SPEC"
        )
    return Checkpoint(model={"name": choice.model}, data={}, state={})


def fill(model: nn.Module, stored: Checkpoint | Foreign, path: Path, choice: Choice) -> Loaded:
    """Fill the network from the file, whoever wrote it."""
    if isinstance(stored, Checkpoint):
        if choice.entry is not None:
            raise BadInput(f"--entry {choice.entry}: {path} is a checkpoint of this suite, which holds one network")
        return load_ours(model, stored, path, choice.model or stored.model["name"], choice.dtype)
    assert choice.model is not None
    return load_foreign(
        model, stored, path, choice.model, entry=choice.entry, precision=choice.dtype, zeros=choice.zeros
    )


def _data_entry(checkpoint: Checkpoint, choice: Choice, path: Path) -> dict[str, Any]:
    """What is typed, beside what the checkpoint says: repeating its data does not take back how they are read."""
    reading: dict[str, Any] = {key: getattr(choice, key) for key in ("input_shape", "scale", "input_dtype")}
    reading |= {"labels_in": choice.labels_in or None}
    entry = dict(checkpoint.data)
    if choice.data is None and "spec" not in entry:
        raise BadInput(f"{path} does not say which data its network was trained on. Add --data SPEC")
    if choice.data is not None:
        typed = resolve_data(choice.data, choice.data_root, choice.mean, choice.std, reading=reading)
        if typed["spec"] != entry.get("spec") and not (choice.same_data and "spec" in entry):
            return typed
        entry = inherited(entry, choice.data, choice.data_root, path)
    overrides = {
        **reading,
        "root": choice.data_root and str(choice.data_root.absolute()),
        "mean": choice.mean,
        "std": choice.std,
    }
    return entry | {key: value for key, value in overrides.items() if value is not None}
