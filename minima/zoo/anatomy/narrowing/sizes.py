"""The sizes that a network keeps outside its tensors: found by running it narrower, operation by operation.

`view(n, tokens, self.heads, -1)` has to be told that there are fewer heads. Each operation of the narrow network must
make the shape that is left of the wide one's; where it does not, an attribute of the module that calls it which holds
the wide size is tried. A size that stands in the code itself cannot be changed.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from minima.zoo.anatomy.following import Following, Step
from minima.zoo.anatomy.narrowing.attention import NarrowAttention
from minima.zoo.anatomy.narrowing.manifest import Manifest, Value
from minima.zoo.anatomy.narrowing.narrow import select, sizes_of
from minima.zoo.anatomy.operations import SHAPE_ONLY
from minima.zoo.anatomy.tape import Recorder, Tape
from minima.zoo.anatomy.union_find import NOTHING
from minima.zoo.examples.evaluation import evaluating
from minima.zoo.examples.inputs import Inputs

Made = tuple[str, list[tuple[int, ...]]]
"""an operation and the shapes of what it made"""
QUERIES_OF_A_KEY = "num_key_value_groups"
"""attribute of the attentions of transformers"""


@dataclass(frozen=True)
class Stuck:
    """A size that cannot be changed, since the network's own code holds it."""

    caller: str
    """the module"""
    operation: str
    size: int
    units: frozenset[int]
    """classes of units that should have gone and meet it"""

    @property
    def why(self) -> str:
        """Why the size cannot be changed, in words."""
        where = f"{self.operation} in {self.caller}" if self.caller else self.operation
        if not self.size:
            return f"what {where} makes would change with the width, and it is not understood how"
        return (
            f"the size {self.size} that {where} asks for cannot be changed: it is written in the code, or the "
            "attribute that holds it means something else too"
        )


def manifest_of(model: nn.Module, x: Inputs, following: Following, removed: frozenset[int]) -> Manifest | Stuck:
    """What makes `model` narrower by these classes of units, or what prevents it.

    Args:
        x: (1, ...) what the units were followed with.
        following: the units of `model`, whose attentions are `NarrowAttention` already.
    """
    small = copy.deepcopy(model)
    gone = _gone(following, removed)
    tensors = _tensors(following, gone)
    before = {name: sizes_of(module) for name, module in small.named_modules()}
    select(small, tensors)
    trial = _Trial(small, x, following.steps, gone)
    for name, module in small.named_modules():
        changed = {key: size for key, size in sizes_of(module).items() if size != before[name][key]}
        if isinstance(module, NarrowAttention) and any(each.startswith(f"{name}.".lstrip(".")) for each in tensors):
            changed |= trial.heads(module, name, following, gone)
        for key, size in changed.items():
            trial.change(name, key, size)
    trial.share(following, removed)
    stuck = trial.repair(following, removed)
    if stuck is not None:
        return stuck
    narrowed = tuple(name for name in trial.attributes if isinstance(small.get_submodule(name), NarrowAttention))
    return Manifest(tensors, trial.attributes, attentions=narrowed)


def _gone(following: Following, removed: frozenset[int]) -> Tensor:
    """For each number whether its unit goes; the last entry, for nothing, is false."""
    classes = following.classes.of(torch.arange(following.classes.count))
    return torch.cat([torch.isin(classes, torch.tensor(sorted(removed))), torch.tensor([False])])


def _tensors(following: Following, gone: Tensor) -> dict[str, dict[int, tuple[int, ...]]]:
    found: dict[str, dict[int, tuple[int, ...]]] = {}
    for key, axes in following.axes.items():
        for axis, numbers in enumerate(axes):
            if bool(gone[numbers].any()):
                places = tuple((~gone[numbers]).nonzero()[:, 0].tolist())
                for name in following.names[key]:
                    found.setdefault(name, {})[axis] = places
    return found


@dataclass
class _Trial:
    """A narrow network whose attributes are put right."""

    model: nn.Module
    x: Inputs
    steps: Sequence[Step]
    gone: Tensor
    attributes: dict[str, dict[str, Value]] = field(default_factory=dict)

    def change(self, module: str, key: str, value: Value) -> None:
        setattr(self.model.get_submodule(module), key, value)
        self.attributes.setdefault(module, {})[key] = value

    def heads(self, module: NarrowAttention, name: str, following: Following, gone: Tensor) -> dict[str, int]:
        """How many are left of an attention's heads."""
        weight = f"{name}.out_proj.weight".lstrip(".")
        key = next(key for key, names in following.names.items() if weight in names)
        columns = gone[following.axes[key][1]]
        return {"num_heads": int((~columns).sum()) // (len(columns) // module.num_heads)}

    def share(self, following: Following, removed: frozenset[int]) -> None:
        """How many queries look at each key, where modules of transformers say it: not every pass asks."""
        for grid in following.grids:
            left = sum(rank not in removed for rank in grid.ranks)
            queries = {each for cell in grid.cells.values() for each in cell}
            for name in {step.caller for step in self.steps if self._meets(following, step, queries)}:
                module = self.model.get_submodule(name)
                if vars(module).get(QUERIES_OF_A_KEY) == len(grid.ranks) != left:
                    self.change(name, QUERIES_OF_A_KEY, left)

    @staticmethod
    def _meets(following: Following, step: Step, units: set[int]) -> bool:
        return any(units & set(following.classes.of(own).unique().tolist()) for own in step.numbers)

    def repair(self, following: Following, removed: frozenset[int]) -> Stuck | None:
        """Change attributes until every operation makes what it should."""
        wrong = self._first_wrong()
        while wrong is not None:
            step = self.steps[wrong]
            for module, key, value in self._candidates(step):
                before = getattr(self.model.get_submodule(module), key)
                setattr(self.model.get_submodule(module), key, value)
                later = self._first_wrong()
                if later is None or later > wrong:
                    self.change(module, key, value)
                    wrong = later
                    break
                setattr(self.model.get_submodule(module), key, before)
            else:
                units = {int(unit) for own in step.numbers for unit in following.classes.of(own).unique()}
                size = next((old for old, _ in self._changes(step) if isinstance(old, int)), 0)
                return Stuck(step.caller, step.name, size, frozenset(units & removed))
        return None

    def _first_wrong(self) -> int | None:
        """The first operation that does not make the shapes that it should."""
        tape = Tape()
        try:
            with evaluating(self.model):
                Recorder(self.model, tape).run(self.x)
        except Exception:  # whatever the network's code does of sizes that do not fit
            pass
        seen = [(each.name, [tuple(value.shape) for value in each.made]) for each in tape.operations]
        place = made = 0
        while place < len(self.steps):
            if not self._is(place, seen, made):
                beyond = self._without_copies(place, seen, made)
                if beyond is None:
                    return place
                place = beyond
            place, made = place + 1, made + 1
        return None

    def _is(self, place: int, seen: Sequence[Made], made: int) -> bool:
        """Whether an operation made what a step should."""
        step = self.steps[place]
        expected = list(map(_shape, self._left(step))) if step.numbers else list(step.shapes)
        return made < len(seen) and seen[made] == (step.name, expected)

    def _without_copies(self, place: int, seen: Sequence[Made], made: int) -> int | None:
        """The next step that was made, where those before it made copies of which one is left: code leaves them out."""
        single = False
        while place < len(self.steps) and self.steps[place].name in SHAPE_ONLY:
            copies = self.steps[place].copies
            single = single or any(len(own[~self.gone[own]].unique()) == 1 < len(own.unique()) for own in copies)
            place += 1
            if single and place < len(self.steps) and self._is(place, seen, made):
                return place
        return None

    def _left(self, step: Step) -> list[Tensor]:
        """Of each activation that a step made, which of its entries are left."""
        copies = step.copies or [torch.full_like(own, NOTHING) for own in step.numbers]
        return [~(self.gone[own] | self.gone[copy]) for own, copy in zip(step.numbers, copies, strict=True)]

    def _changes(self, step: Step) -> Iterator[tuple[Value, Value]]:
        """Sizes that an operation should make otherwise, and how many copies: before, after."""
        for own in step.copies:
            yield len(own.unique()), len(own[~self.gone[own]].unique())
        for left, shape in zip(self._left(step), step.shapes, strict=bool(step.numbers)):
            for axis, (old, new) in enumerate(zip(shape, _shape(left), strict=True)):
                if old != new:
                    yield old, new
                    back = len(shape) - 1 - axis
                    if sides := step.pads[2 * back : 2 * back + 2]:
                        rows = left.movedim(axis, 0).flatten(1).any(1)
                        yield tuple(sides), (int(rows[: sides[0]].sum()), int(rows[len(rows) - sides[1] :].sum()))

    def _candidates(self, step: Step) -> Iterator[tuple[str, str, Value]]:
        """Attributes of the calling module, then of those that it lies in, that hold one of these sizes."""
        path = step.caller
        changes = dict(self._changes(step))
        while True:
            for key, value in list(vars(self.model.get_submodule(path)).items()):
                held = tuple(value) if isinstance(value, list) else value
                if isinstance(held, int | tuple) and not isinstance(held, bool) and held in changes:
                    yield path, key, changes[held]
            if not path:
                return
            path = path.rpartition(".")[0]


def _shape(left: Tensor) -> tuple[int, ...]:
    """The shape of what is left of an activation."""
    return tuple(
        int(left.movedim(axis, 0).flatten(1).any(1).sum()) if left.ndim > 1 else int(left.sum())
        for axis in range(left.ndim)
    )
