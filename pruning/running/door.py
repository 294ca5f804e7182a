"""Pruning of a network from Python."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from numbers import Integral
from typing import TYPE_CHECKING, Any, Literal, get_args

from minima.store.checkpoints.checkpoint import sparsity as share
from minima.store.command import BadInput
from minima.store.messages import listening, note
from minima.zoo.examples.evaluation import evaluate
from minima.zoo.settings import chosen, made
from minima.zoo.subject.handed import LossLike, as_network, copied, subject_of
from minima.zoo.training.keeping import state_on_cpu
from minima.zoo.training.loop import Trainer
from minima.zoo.training.recipe import Recipe
from pruning.composition.cutting import reachable
from pruning.composition.method import Method, methods
from pruning.context.candidates import Heads
from pruning.context.counts import MEASURES
from pruning.running.engine import Engine
from pruning.running.uncounted import say_what_is_not_counted

if TYPE_CHECKING:
    from torch import Tensor, nn

    from minima.store.checkpoints.checkpoint import Checkpoint
    from minima.zoo.data.splits import Splits
    from minima.zoo.examples.evaluation import Evaluation
    from minima.zoo.subject.handed import Masks
    from minima.zoo.subject.subject import Subject
    from pruning.composition.composition import Composition


@dataclass(frozen=True)
class Pruned:
    """A network with some of its weights removed, the masks that say which, and its loss and score before and after."""

    model: nn.Module
    """a copy of the one that was handed over, removed weights being 0"""
    masks: Mapping[str, Tensor]
    """bool, True = kept, by parameter name"""
    sparsity: float
    """fraction of the prunable weights that is removed"""
    dense: Evaluation
    """loss and score of the network before, on the data"""
    sparse: Evaluation
    """and after"""
    notes: tuple[str, ...]
    """what was assumed of the network and the data, which matrices are not counted, and which layers a method of whole
    units leaves as they are"""


def prune(  # noqa: PLR0913 (named, and all but two optional)
    model: nn.Module,
    data: Any,
    loss: LossLike = None,
    *,
    method: str | Method = "magnitude",
    sparsity: float = 0.9,
    epochs: int = 0,
    recipe: Mapping[str, Any] | None = None,
    validation: float = 0.0,
    initial: Mapping[str, Tensor] | nn.Module | None = None,
    masks: Masks = None,
    output: str | None = None,
    seed: int = 0,
    measure: Literal["sparsity", "units", "flops", "parameters", "latency"] = "sparsity",
    heads: Heads = "groups",
) -> Pruned:
    """Remove a fraction of a network's weights by any of the methods of `python -m pruning list`.

    Exactly N - round(sparsity N) of the N weights of convolutions and linear layers are kept, those that the method
    scores highest; with `epochs` the network is trained as the method says, from its weights, before and after cuts.

    Args:
        model: any module; it stays as it is.
        data: (x, y), or whatever `minima.zoo.data.examples.as_examples` reads: what scores are computed on, and what
            is trained on.
        loss: by which methods score and train: a name ("mse"), a `Loss`, or a function of outputs and targets.
        method: a name, or one with hyper-parameters of its own, such as `Snip(probe=Probe(examples=512))`.
        sparsity: fraction to be removed.
        epochs: of training; 0: none, which methods that cut at once allow.
        recipe: fields of `Recipe` (lr, momentum, batch_size, ...) for that training.
        validation: fraction of the data to be held out, which some methods need.
        initial: the network at its initialisation, or its state dict, for methods that start there or rewind to it.
        masks: what is removed already.
        output: which of several outputs.
        seed: of everything drawn at random.
        measure: of what `sparsity` is a fraction, for methods that remove whole units (`filters` and its like): of the
            prunable weights, the units, the multiply-adds, the parameters or the time of a forward pass. The first cut
            at or beyond it counts.
        heads: of attention whose queries share keys, what goes as one for such methods: "groups", a key with all its
            queries; "queries", one of each group, so that all keys stay; "both", either.

    Returns:
        the pruned copy, its masks, and loss and score before and after.

    Raises:
        BadInput: the method needs what is not given, or cannot reach the sparsity so.

    >>> import torch
    >>> model = torch.nn.Linear(4, 1, bias=False)
    >>> model.weight.data = torch.tensor([[0.1, -2.0, 0.3, 4.0]])
    >>> found = prune(model, (torch.eye(4), torch.zeros(4, 1)), "mse", sparsity=0.5)
    >>> found.model.weight.tolist(), found.masks["weight"].tolist()
    ([[0.0, -2.0, 0.0, 4.0]], [[False, True, False, True]])
    """
    if measure not in MEASURES:
        raise BadInput(f"measure {measure!r}: known are {', '.join(MEASURES)}")
    if heads not in get_args(Heads):
        raise BadInput(f"heads {heads!r}: known are {', '.join(get_args(Heads))}")
    picked, rules = _method(method), made(Recipe, recipe or {}, "recipe")
    if not isinstance(epochs, Integral) or epochs < 0:
        raise BadInput(f"epochs {epochs!r}: expected a whole number, 0 or more")
    with listening() as heard:
        subject = subject_of(model, data, loss, masks=masks, output=output)
        composition = picked.composition().counting(measure, heads)
        parent = _parent(subject, rules, epochs, seed, initial)
        trained = _run(subject, composition, parent, sparsity, epochs, validation, measure)
        return _result(subject, trained, picked, heard)


def _method(method: str | Method) -> Method:
    if isinstance(method, Method | type):
        return chosen(method)
    if method not in methods():
        raise BadInput(f"method {method!r}: known are {', '.join(methods())}")
    return methods()[method]()


def _parent(
    subject: Subject, recipe: Recipe, epochs: int, seed: int, initial: Mapping[str, Tensor] | nn.Module | None
) -> Checkpoint:
    """The network as a checkpoint that methods start from."""
    training = {"recipe": asdict(recipe), "epochs": epochs}
    state = state_on_cpu(subject.model)
    at = {} if initial is None else {0: _initial(initial, state)}
    return replace(subject.checkpoint, state=state, weights_at=at, training=training, seed=seed)


def _initial(given: Any, own: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights before training, of a network or its state dict, which are those of the network's own state dict.

    Raises:
        BadInput: they are of another network, or of none.
    """
    from torch import nn

    if not isinstance(given, Mapping | nn.Module):
        raise BadInput(
            f"initial is a {type(given).__name__}: expected the network at its initialisation, or its state dict"
        )
    found = state_on_cpu(as_network(given, "initial")[0]) if isinstance(given, nn.Module) else dict(given)
    for name, value in own.items():
        if name not in found or found[name].shape != value.shape:
            there = f"has the shape {tuple(found[name].shape)}" if name in found else "is not there"
            raise BadInput(
                f"initial: {name} {there}, expected {tuple(value.shape)}: these are not the weights of this network"
            )
    return {name: found[name] for name in own}


def _run(
    subject: Subject,
    composition: Composition,
    parent: Checkpoint,
    sparsity: float,
    epochs: int,
    validation: float,
    measure: str,
) -> Trainer:
    """The trainer at the end of the run, its masks those of the sparsity."""
    if composition.validates and not validation:
        raise BadInput("this method needs examples that it does not train on: give validation=0.1")
    splits = subject.splits(validation, parent.seed)
    if composition.validates and not len(splits.validation[0]):
        raise BadInput(f"validation={validation} holds no example out, and this method needs some: give a larger one")
    trainer = _trainer(subject, composition, parent, epochs, splits)
    if not composition.space.weights(trainer.model):
        raise BadInput("the network has no convolution or linear weights: there is nothing to prune")
    engine = Engine(
        composition, trainer, splits, asked=(sparsity,), parent=parent, seed=parent.seed, observer=_Nobody()
    )
    for remark in engine.space.remarks():
        note(remark)
    say_what_is_not_counted(engine.space, trainer.model)
    reachable(engine.space, engine.masks, (sparsity,), measure)
    engine.complete()
    if not engine.has_reached(sparsity):
        left = engine.alive / engine.total
        raise BadInput(
            f"{1 - left:.6g} of the {MEASURES[measure]} are removed after {epochs} epochs, not {sparsity}: "
            "give epochs=N"
        )
    return trainer


def _trainer(subject: Subject, composition: Composition, parent: Checkpoint, epochs: int, splits: Splits) -> Trainer:
    """At the start of the run, on a copy of the network."""
    import torch

    composition.recovery.check(parent)
    model = copied(subject.model)
    model.load_state_dict(dict(composition.start.weights(parent)))
    weights = composition.space.weights(model)
    dense = {name: torch.ones(weight.shape, dtype=torch.bool) for name, weight in weights.items()}
    recipe = composition.start.recipe(Recipe(**parent.training["recipe"]))
    trainer = Trainer(
        model,
        *splits.train,
        recipe,
        epochs=epochs,
        order_seed=parent.seed,
        task=subject.task,
        masks=dense | subject.masks,
        around_step=composition.update.around(model),
    )
    trainer.loosen(composition.loose(model))
    return trainer


class _Nobody:
    """Looks on, and keeps nothing."""

    def emit(self, sparsity: float) -> None:
        pass

    def between(self) -> None:
        pass


def _result(subject: Subject, trained: Trainer, method: Method, heard: list[str]) -> Pruned:
    masks = dict(trained.sparsity_masks)
    for module, own in zip(trained.model.modules(), subject.model.modules(), strict=True):
        module.training = own.training
    data = subject.x, subject.y, subject.batch_size
    before, after = (evaluate(each, *data, task=subject.task) for each in (subject.model, trained.model))
    removed = share({name: mask.cpu() for name, mask in masks.items()})
    if not masks:
        raise BadInput(f"{method.name} froze weights at values of their own instead of removing them: no mask is left")
    return Pruned(trained.model, masks, removed, before, after, tuple(heard))
