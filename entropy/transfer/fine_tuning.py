"""Fine-tuning: a network trained on for other classes, with a fresh head and its mask kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from minima.store.messages import progress_bar
from minima.zoo.anatomy.head import Head, with_fresh_head
from minima.zoo.data.splits import make_splits
from minima.zoo.training.loop import Trainer
from minima.zoo.training.room import require_training_room

if TYPE_CHECKING:
    from torch import Tensor, nn

    from minima.zoo.data.dataset import Dataset
    from minima.zoo.training.recipe import Recipe


def fine_tune(
    model: nn.Module,
    head: Head,
    masks: Mapping[str, Tensor],
    target: Dataset,
    recipe: Recipe,
    epochs: int,
    seed: int,
) -> nn.Module:
    """A copy of `model` trained on the whole train split of `target`; `model` itself is left as it is.

    Removed weights stay exactly zero. The head is drawn afresh from `seed`, dense, with an output for each of the
    target's classes. Batch norm is in train mode, as in all training here; nothing is held out, so the plateau rule
    hears the training loss.
    """
    network = with_fresh_head(model, head, target.labelled("fine-tuning"), seed)
    splits = make_splits(target, 0.0, seed, network.get_parameter(head.weight).device)
    kept = {name: mask for name, mask in masks.items() if name not in (head.weight, head.bias)}
    trainer = Trainer(network, *splits.train, recipe, epochs=epochs, order_seed=seed, masks=kept)
    batch = min(recipe.batch_size, len(splits.train[0]))
    require_training_room(trainer, batch, f"fine-tuning on batches of {batch}", "a smaller --recipe.batch-size")
    for _ in progress_bar(range(epochs), unit="epoch"):
        trainer.run_epoch()
        trainer.validate(splits)
    return network.eval()
