"""Small checkpoints, made afresh at every call: equal content in unequal objects."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from minima.store.checkpoints.checkpoint import Checkpoint

LAYER = (40, 50)


@pytest.fixture(scope="session")
def make_checkpoint() -> Callable[..., Checkpoint]:
    def make(sparsity: float | None = 0.9, shape: tuple[int, ...] = LAYER, **entries: object) -> Checkpoint:
        generator = torch.Generator().manual_seed(0)
        name = "".join(["fc1", ".weight"])  # a new string object each time
        weight = torch.randn(shape, generator=generator)
        masks = {}
        if sparsity is not None:
            masks = {name: torch.rand(shape, generator=generator) >= sparsity}
            weight = weight * masks[name]
        state = {
            name: weight,
            "fc1.bias": torch.zeros(shape[0]),
            "bn.running_var": torch.ones(3),
            "bn.num_batches_tracked": torch.tensor(7),
        }
        known = {
            "model": {"name": "lenet300", "arguments": {"hidden": (300, 100)}, "input_shape": [1, 8, 8], "classes": 10},
            "data": {"spec": "digits", "root": None, "mean": [0.0], "std": [1.0]},
            "training": {
                "recipe": {
                    "optimiser": "sgd",
                    "lr": 0.1,
                    "momentum": 0.9,
                    "weight_decay": 1e-4,
                    "batch_size": 100,
                    "schedule": "constant",
                    "milestones": [0.5, 0.75],
                },
                "epochs": 3,
                "validation": 0.1,
                "split_seed": 4,
                "order_seed": 4,
                "keep_unit": "epoch",
            },
            "seed": 4,
            "metrics": {"test": {"loss": 0.25, "accuracy": 0.9}},
        }
        return Checkpoint(state=state, masks=masks, **{**known, **entries})  # type: ignore[arg-type]

    return make
