"""The one loop every pruning method runs in."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from pruning.composition.cutting import amounts, choose
from pruning.context.context import Context
from pruning.context.counts import alive_count, size
from pruning.recoveries.cut import Cut, lost_norm
from pruning.running.doubt import cut_and_judge
from pruning.schedules.event import Span

if TYPE_CHECKING:
    from torch import Tensor

    from minima.store.checkpoints.checkpoint import Checkpoint
    from minima.zoo.data.splits import Splits
    from minima.zoo.training.loop import Trainer
    from pruning.composition.composition import Composition
    from pruning.schedules.event import Event


STATE = ("cursor", "emitted", "cuts", "agreements", "seen", "losses", "best", "memory", "end")


class Observer(Protocol):
    """Who is told how a run proceeds, and may write down what it has reached."""

    def emit(self, sparsity: float) -> None:
        """The network at the asked `sparsity` is ready: after its recovery, just before the next cut, or at the end."""

    def between(self) -> None:
        """Called between two pieces of training, where the run may be saved."""


class Engine:
    """Trains, and cuts where the schedule and the trigger say so; hands over the network at each asked sparsity.

    The run is as long as the trainer's horizon. All that changes is in `state_dict`: a run that loads it goes on to
    the same bytes.
    """

    def __init__(
        self,
        composition: Composition,
        trainer: Trainer,
        splits: Splits,
        *,
        asked: tuple[float, ...],
        parent: Checkpoint,
        seed: int,
        observer: Observer,
        stride: int | None = None,
    ) -> None:
        self.composition, self.trainer, self.splits = composition, trainer, splits
        self.parent, self.seed, self.observer = parent, seed, observer
        self.stride = stride or trainer.steps_per_epoch
        if composition.teacher is not None:
            trainer.objective = composition.teacher.objective(trainer, parent)
        self.space = composition.space.on(trainer.model, splits.train[0])
        self.weights = self.space.weights(trainer.model)
        self._mask_what_is_masked()
        self.total, alive = amounts(self.space, self.masks)
        self.recipe, self.initial_sparsity = trainer.recipe, self.sparsity
        walk = partial(self.space.walk, self.masks)
        self.span = Span(1 - alive / self.total, asked, int(trainer.epochs), trainer.steps_per_epoch, walk)
        self.events = composition.schedule.events(self.span)
        self.cursor = 0  # events behind the run
        self.emitted = 0  # asked sparsities handed over
        self.cuts: list[list[int]] = []  # [step, survivors]
        self.agreements: list[dict[str, float]] = []  # of two estimates of each cut's scores; {} where they are exact
        self.seen: list[list[float]] = []  # what the trigger noted
        self.losses: list[float] = []  # validation loss at each epoch's end since the last cut
        self.best: dict[str, Tensor] | None = None  # state dict at the lowest of them
        self.memory: dict[str, Tensor] = {}  # what an exchange wrote down for the next
        self.end: int | None = None  # step at which a run ends that decides itself when; None as long as it may cut

    def complete(self) -> None:
        """Run the method to its end."""
        waits = self.composition.trigger.waits
        if not self.trainer.steps_done:
            self._note()
        for event in self.events[self.cursor :]:
            self._train_to(0 if waits else event.step)
            target = self._target(event)
            if self._has_work(target) and (self._waited() if waits else self._fires()):
                self._cut(target) if target < self.alive else self._exchange()
            self.cursor += 1
        if waits and self.end is None:
            over = not self._waited()
            self._restore_best()
            self.end = self.trainer.steps_done if over else self._finish()
        self._train_to(self.span.steps if self.end is None else self.end)
        self._emit(len(self.span.asked))

    def _fires(self) -> bool:
        return self.composition.trigger.fires(self.context())

    def _waited(self) -> bool:
        """Train from epoch to epoch until the trigger fires; False if the run is over first."""
        per_epoch = self.trainer.steps_per_epoch
        self._train_to(-(-self.trainer.steps_done // per_epoch) * per_epoch)  # a resumed run may be within one
        while self.trainer.steps_done < self.span.steps:
            if self._fires():
                return True
            self._train_to(self.trainer.steps_done + per_epoch)
        return False

    def _finish(self) -> int:
        """What follows the last cut; the step at which the run then ends."""
        per_epoch = self.trainer.steps_per_epoch
        left = (self.span.steps - self.trainer.steps_done) // per_epoch
        if not self.cuts or not left:
            return self.trainer.steps_done
        return self.trainer.steps_done + per_epoch * self.composition.recovery.finish(self.trainer, self._made(left))

    def _made(self, epochs: int, removed: float = 0.0, lost: float = 0.0) -> Cut:
        """What a recovery is told of the last cut."""
        return Cut(
            parent=self.parent,
            recipe=self.recipe,
            epochs=epochs,
            first=not self.cuts,
            counted=tuple(self.weights),
            density=1 - self.sparsity,
            removed=removed,
            lost=lost,
        )

    def _cut(self, target: int) -> None:
        parts, before = self.composition, self.survivors
        self._restore_best()
        self._emit(self._reached())
        context = self.context()
        masks, agreement = cut_and_judge(parts, context, target)
        if parts.regrow is not None:
            masks = parts.regrow.regrow(context, masks)
        lost = lost_norm(self.trainer.model, self.weights, masks)
        self.trainer.set_masks(self.trainer.masks | masks)
        parts.recovery.recover(self.trainer, self._made(self._epochs_to_next(), 1 - self.survivors / before, lost))
        self.losses, self.best = [], None
        self.cuts.append([self.trainer.steps_done, self.survivors])
        self.agreements.append(agreement)

    def _exchange(self) -> None:
        """Weights move; the sparsity stays, and with it what is still to be handed over."""
        if self.composition.regrow is not None:
            context = self.context()
            masks = self.composition.regrow.regrow(context, dict(context.masks))
            self.trainer.set_masks(self.trainer.masks | masks)

    def _restore_best(self) -> None:
        if self.composition.trigger.restores_best and self.best is not None:
            self.trainer.model.load_state_dict(self.best)

    def _target(self, event: Event) -> int:
        """What the event leaves, held back at the next asked sparsity: each is met exactly, none is passed over."""
        ahead = [sparsity for sparsity in self.span.asked if self.space.target(self.total, sparsity) < self.alive]
        return min(self.alive, self.space.target(self.total, min([event.sparsity, *ahead[:1]])))

    def _has_work(self, target: int) -> bool:
        return target < self.alive or self.composition.regrow is not None

    def _train_to(self, step: int) -> None:
        """Train up to a step, in pieces that end at epochs, strides and the step."""
        for _ in self.trainer.pieces(step, self.stride):
            if self.trainer.between_epochs:
                self._end_epoch()
            self.observer.between()

    def _note(self) -> None:
        final = self.space.target(self.total, self.span.final)
        context = self.context()
        noted = self.composition.trigger.note(context, lambda: self._groups_of(context, final))
        if noted:
            self.seen.append(list(noted))

    def _groups_of(self, context: Context, target: int) -> dict[str, Tensor]:
        """The groups that a cut would leave."""
        return self.space.alive(choose(self.composition, context, target))

    def _mask_what_is_masked(self) -> None:
        """Every tensor of the space has a mask, which keeps all of it where nothing is removed yet."""
        import torch

        masked = self.space.masked(self.trainer.model)
        there = self.trainer.masks
        absent = {name: torch.ones_like(value, dtype=torch.bool) for name, value in masked.items() if name not in there}
        if absent:
            self.trainer.set_masks(there | absent)
        self.names = tuple(masked)

    def _end_epoch(self) -> None:
        self._note()
        loss = self.trainer.validate(self.splits, needed=self.composition.validates)
        if loss is None:
            return
        if self.composition.trigger.restores_best and loss < min(self.losses, default=float("inf")):
            self.best = {name: value.clone() for name, value in self.trainer.model.state_dict().items()}
        self.losses.append(loss)

    def _emit(self, until: int) -> None:
        for sparsity in self.span.asked[self.emitted : until]:
            self.observer.emit(sparsity)
        self.emitted = max(self.emitted, until)

    def _reached(self) -> int:
        """How many of the asked sparsities are reached."""
        return sum(self.has_reached(sparsity) for sparsity in self.span.asked)

    def _epochs_to_next(self) -> int:
        waits = self.composition.trigger.waits
        later = [] if waits else [event.step for event in self.events[self.cursor + 1 :]]
        steps = (later[0] if later else self.span.steps) - self.trainer.steps_done
        return -(-steps // self.trainer.steps_per_epoch)

    @property
    def masks(self) -> dict[str, Tensor]:
        """Masks of the tensors that cuts remove entries of: those sparsity is counted over come first."""
        masks = self.trainer.masks
        return {name: masks[name] for name in self.names}

    @property
    def alive(self) -> int:
        """What the cuts so far have left, in what targets are counted in: weights, units, multiply-adds."""
        return self.space.left(self.masks)

    @property
    def survivors(self) -> int:
        """The weights that are left, of those sparsity is counted over."""
        return alive_count({name: self.trainer.masks[name] for name in self.weights})

    @property
    def sparsity(self) -> float:
        """Fraction of the weights that is removed."""
        whole = size(self.weights)
        return (whole - self.survivors) / whole

    def has_reached(self, sparsity: float) -> bool:
        """Whether no more is left than `sparsity` leaves."""
        return self.alive <= self.space.target(self.total, sparsity)

    def context(self) -> Context:
        """What parts may look at, at this moment."""
        x, y = self.splits.train
        return Context(
            model=self.trainer.model,
            weights=self.weights,
            masks=self.masks,
            space=self.space,
            x=x,
            y=y,
            validation=self.splits.validation if len(self.splits.validation[0]) else None,
            losses=tuple(self.losses),
            seen=tuple(map(tuple, self.seen)),
            cuts=len(self.cuts),
            events=self.cursor,
            progress=self.trainer.steps_done / self.span.steps if self.span.steps else 0.0,
            memory=self.memory,
            seed=self.seed,
            batch_size=self.trainer.recipe.batch_size,
            recipe=self.trainer.recipe,
            rate=self.trainer.rate,
            task=self.trainer.task,
        )

    def state_dict(self) -> dict[str, Any]:
        """The whole state of the run, of plain containers and tensors."""
        own = {name: getattr(self, name) for name in STATE}
        return own | {"trainer": self.trainer.state_dict(), "timings": dict(self.space.timings)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go back to where `state_dict` was taken."""
        self.trainer.load_state_dict(state["trainer"])
        self.space.timings.update(state["timings"])
        for name in STATE:
            setattr(self, name, state[name])
