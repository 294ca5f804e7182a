"""The training loop: it can stop after any step and go on to the same bytes, and keeps removed weights at zero."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from minima.store.command import BadInput
from minima.zoo.examples.evaluation import evaluate
from minima.zoo.examples.inputs import Inputs
from minima.zoo.examples.task import CLASSIFICATION, Task
from minima.zoo.seeds import derive
from minima.zoo.training.loose import LooseMasks
from minima.zoo.training.plateau import Plateau
from minima.zoo.training.recipe import Recipe
from minima.zoo.training.update import Update

if TYPE_CHECKING:
    from minima.zoo.data.splits import Splits


@dataclass(frozen=True)
class Step:
    """A step of the optimiser, to be called once, and what it is made from."""

    take: Callable[[], None]
    x: Inputs
    """the mini-batch"""
    y: Any
    task: Task
    memory: dict[str, Tensor]
    """what was written down in earlier steps: a part of the run's state"""

    def __call__(self) -> None:
        self.take()


def _plain_step(step: Step) -> None:
    step()


class Trainer:
    """Minimises the loss of `task`, by default mean cross-entropy, of `model` on (x, y) by `recipe`.

    The order of the examples is a pure function of (order_seed, epoch), the noise of dropout of (order_seed, step):
    there is no generator state, so weights, optimiser state and position are the whole state of the run.

    `epochs` is the horizon over which step and cosine rates fall. `masks` (bool, True = kept, by parameter name) stay
    fixed until `set_masks`; a removed weight is exactly zero after every step, under momentum, weight decay and Adam.
    Where losers are given values to `rest` at, they are held there instead of at zero, bit by bit.
    Masks set by `loosen` change after every step.
    `around_step(step)` may act before and after the optimiser's step, with the gradients still in place. `objective` is
    what a step goes down, the task's loss unless another function (model, x, y) takes its place.
    """

    def __init__(  # noqa: PLR0913 (named, and all but five optional)
        self,
        model: nn.Module,
        x: Inputs,
        y: Any,
        recipe: Recipe,
        *,
        epochs: int,
        order_seed: int,
        task: Task = CLASSIFICATION,
        masks: Mapping[str, Tensor] | None = None,
        around_step: Callable[[Step], None] = _plain_step,
    ) -> None:
        if not len(x):
            raise BadInput("--validation holds every example out and leaves none to train on: give a smaller fraction")
        if epochs and not any(parameter.requires_grad for parameter in model.parameters()):
            raise BadInput(
                "every parameter of the network is frozen, so that no epoch can train it: call requires_grad_(True) of "
                "the network or of some of its layers, or train for 0 epochs"
            )
        self.model, self.x, self.y, self.recipe, self.task = model, x, y, recipe, task
        self.order_seed, self.around_step = order_seed, around_step
        self.objective: Callable[[nn.Module, Inputs, Any], Tensor] = task.mean
        self.loose: LooseMasks | None = None
        self.memory: dict[str, Tensor] = {}
        self.steps_done = 0
        self.frozen: list[str] = []
        self._order: tuple[int, Tensor] = (-1, torch.empty(0))
        self.restart(recipe, epochs)
        self.set_masks(masks or {})

    @property
    def epochs_done(self) -> int:
        """The number of whole epochs behind the run."""
        return self.steps_done // self.steps_per_epoch

    @property
    def between_epochs(self) -> bool:
        """Whether the last step ended an epoch (or none was made)."""
        return self.steps_done % self.steps_per_epoch == 0

    @property
    def rate(self) -> float:
        """The learning rate of the next step."""
        if self.recipe.schedule == "plateau":
            return self.recipe.lr * self._plateau.factor
        horizon = max(1, self.epochs * self.steps_per_epoch)
        return self.recipe.rate((self.steps_done - self._origin) / horizon)

    @property
    def masks(self) -> dict[str, Tensor]:
        """The masks in force now, fixed and loose ones."""
        return self._fixed | self._loose_masks

    @property
    def _loose_masks(self) -> dict[str, Tensor]:
        return self.loose.masks if self.loose else {}

    @property
    def sparsity_masks(self) -> dict[str, Tensor]:
        """Masks of the weights that are zero; none while losers rest at values of their own."""
        return {} if self.rest else self.masks

    def restart(self, recipe: Recipe, epochs: float, after: float = 0) -> None:
        """A fresh optimiser and a learning-rate rule over `epochs` epochs, of which `after` count as behind it; the
        order of the data goes on."""
        recipe.check()
        if self.steps_done and recipe.batch_size != self.recipe.batch_size:
            raise ValueError("the batch size cannot change within a run: the order of the data counts in batches")
        self.recipe, self.epochs = recipe, epochs
        self.steps_per_epoch = -(-len(self.x) // recipe.batch_size)
        self._origin = self.steps_done - after * self.steps_per_epoch
        self.update = Update(recipe, [p for p in self.model.parameters() if p.requires_grad])
        self._plateau = Plateau(recipe.gamma, recipe.patience)

    def freeze(self, names: Sequence[str]) -> None:
        """Parameters that no longer move, from the next restart on: the optimiser then is for the others."""
        self.frozen = list(names)
        for name in names:
            self.model.get_parameter(name).requires_grad_(False)

    def set_masks(self, masks: Mapping[str, Tensor], rest: Mapping[str, Tensor] | None = None) -> None:
        """Remove what `masks` removes: the weights and their optimiser slots become zero, and stay so; of the tensors
        that `rest` names, the removed weights take the values there, and keep them."""
        parameters = dict(self.model.named_parameters())
        fixed = masks.keys() - self._loose_masks.keys()
        self._fixed = {name: mask.to(parameters[name].device) for name, mask in masks.items() if name in fixed}
        self.rest = {name: value.to(parameters[name].device) for name, value in (rest or {}).items()}
        cut = [(parameters[name], mask) for name, mask in self._fixed.items() if not mask.all()]
        self._kept = [(parameter, mask.to(parameter.dtype)) for parameter, mask in cut]
        with torch.no_grad():
            for parameter, mask in cut:
                for tensor in (parameter, *self.update.slots_of(parameter)):
                    tensor.masked_fill_(~mask, 0)
        self._lay_to_rest()

    def loosen(self, loose: LooseMasks | None) -> None:
        """Let these masks follow the weights they are about from here on; those weights have no fixed ones."""
        self.loose = loose
        self.set_masks(self._fixed)

    def advance(self, steps: int) -> float:
        """Run `steps` steps; the mean training loss (weighted by batch size) over them."""
        if steps < 1:
            return float("nan")
        self.model.train()
        total, examples = torch.zeros((), dtype=torch.float64, device=self.x.device), 0
        with torch.random.fork_rng(devices=[self.x.device] if self.x.is_cuda else []):
            for _ in range(steps):
                batch = self._batch()
                total += self._step(batch).double() * len(batch)
                examples += len(batch)
        mean = total.item() / examples
        if not abs(mean) < float("inf"):
            raise BadInput(
                f"training diverged: the loss is {mean} in epoch {self.epochs_done} at learning rate "
                f"{self.recipe.lr:g}. Try a smaller one: --lr {self.recipe.lr / 10:g}"
            )
        return mean

    def run_epoch(self) -> float:
        """Run to the next epoch boundary; the mean training loss on the way."""
        return self.advance(self.steps_per_epoch - self.steps_done % self.steps_per_epoch)

    def pieces(self, until: int, stride: int) -> Iterator[float]:
        """Run up to step `until` in pieces that end at every epoch, every multiple of `stride` and `until`.

        The mean training loss of each piece, after it; whoever looks on may save the run then.
        """
        while self.steps_done < until:
            to_epoch = self.steps_per_epoch - self.steps_done % self.steps_per_epoch
            to_stride = stride - self.steps_done % stride
            yield self.advance(min(to_epoch, to_stride, until - self.steps_done))

    def validate(self, splits: Splits, *, needed: bool = False) -> float | None:
        """The loss on the held-out part, once per epoch: the plateau rule hears it. None where neither this rule
        nor the caller needs it. Where nothing is held out, the training part stands in.
        """
        follows = self.recipe.schedule == "plateau"
        if not (follows or needed):
            return None
        held = splits.validation if len(splits.validation[0]) else splits.train
        loss = evaluate(self.model, *held, task=self.task).loss
        if follows:
            self.observe(loss)
        return loss

    def observe(self, validation_loss: float) -> None:
        """Tell the plateau rule the validation loss, once per epoch."""
        if self.recipe.schedule == "plateau":
            self._plateau.observe(validation_loss)

    def state_dict(self) -> dict[str, Any]:
        """Everything `load_state_dict` needs to go on to the same bytes: plain containers and tensors (clones)."""
        state = {
            "model": self.model.state_dict(),
            "optimiser": self.update.state_dict(),
            "plateau": asdict(self._plateau),
            "masks": self._fixed,
            "aside": self.loose.aside if self.loose else {},
            "rest": self.rest,
            "frozen": self.frozen,
            "memory": self.memory,
            "recipe": asdict(self.recipe),
            "epochs": self.epochs,
            "steps_done": self.steps_done,
            "origin": self._origin,
        }
        return _clone(state)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go back to where `state_dict` was taken."""
        state = _clone(state)
        self.model.load_state_dict(state["model"])
        self.memory = state["memory"]
        self.freeze(state["frozen"])
        self.restart(Recipe(**state["recipe"]), state["epochs"])
        self.update.load_state_dict(state["optimiser"])
        self._plateau = Plateau(**state["plateau"])
        self.steps_done, self._origin = state["steps_done"], state["origin"]
        self.set_masks(state["masks"], state["rest"])
        if self.loose:
            self.loose.load(state["aside"])

    def _batch(self) -> Tensor:
        """Indices of the next batch."""
        epoch, step = divmod(self.steps_done, self.steps_per_epoch)
        if self._order[0] != epoch:
            generator = torch.Generator().manual_seed(derive(self.order_seed, "order", epoch))
            self._order = epoch, torch.randperm(len(self.x), generator=generator).to(self.x.device)
        size = self.recipe.batch_size
        return self._order[1][step * size : (step + 1) * size]

    def _step(self, batch: Tensor) -> Tensor:
        self._seed_noise()
        for parameter in self.update.parameters:
            parameter.grad = None
        x, y = self.x[batch], self.y[batch]
        loss = self.objective(self.model, x, y)
        loss.backward()
        self._mask_gradients()
        step = partial(self.update.step, self.rate)
        take = partial(self.loose.around, step) if self.loose else step
        self.around_step(Step(take, x, y, self.task, self.memory))
        self._lay_to_rest()
        self.steps_done += 1
        return loss.detach()

    def _mask_gradients(self) -> None:
        """All in one call, and by factors: a tenth of the time that filling each tensor by its mask takes."""
        factors = [(parameter.grad, kept) for parameter, kept in self._kept if parameter.grad is not None]
        if factors:
            torch._foreach_mul_([gradient for gradient, _ in factors], [kept for _, kept in factors])

    def _lay_to_rest(self) -> None:
        """Weight decay would move them."""
        with torch.no_grad():
            for name, value in self.rest.items():
                parameter = self.model.get_parameter(name)
                parameter.copy_(torch.where(self.masks[name], parameter, value))

    def _seed_noise(self) -> None:
        """Dropout draws from the global generator; torch.manual_seed would record a traceback, dearer than a step."""
        seed = derive(self.order_seed, "noise", self.steps_done)
        torch.default_generator.manual_seed(seed)
        if self.x.is_cuda:
            torch.cuda.manual_seed(seed)


def _clone(value: Any) -> Any:
    """A copy that shares no memory: the live tensors go on changing."""
    if torch.is_tensor(value):
        return value.detach().clone()
    if isinstance(value, Mapping):
        return {key: _clone(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_clone(item) for item in value)
    return value
