"""The whole files that are mutated: small, and each with everything that its format can hold."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from minima.store.checkpoints.checkpoint import Checkpoint, save
from minima.zoo.architecture.architecture import describe, initialise, parse_architecture
from minima.zoo.data.specs import resolve_data
from minima.zoo.training.plan import Plan
from minima.zoo.training.recipe import Recipe
from tests.faults.mutants_commands import typed
from tests.faults.mutants_texts import STUDY
from tests.faults.mutants_torch import saved

NETWORK = "mlp:hidden=8"
RESULTS = (
    "entropy.psp dense.pt --samples 50 -o psp.h5",
    "landscape.surface dense.pt --samples 50 --grid 4 --compile off -o surface.h5",
    "landscape.hessian dense.pt --samples 50 --top 2 --density -o hessian.h5",
    f"minima.train --model {NETWORK} --data digits --epochs 1 --keep 1 -o run.pt",
)
"""what is typed for results, and for a trajectory"""


@dataclass(frozen=True)
class Bases:
    """A folder with one file of each format."""

    folder: Path

    @property
    def canary(self) -> Path:
        """What code in a mutant would make."""
        return self.folder / "canary"

    @property
    def arrays(self) -> dict[str, Any]:
        """Of npz and npy files."""
        draws = np.random.default_rng(0)
        return {
            "x_train": draws.integers(0, 255, (40, 8, 8), np.uint8),
            "y_train": np.arange(40) % 10,
            "x_test": draws.integers(0, 255, (20, 8, 8), np.uint8),
            "y_test": np.arange(20) % 10,
        }

    def make(self) -> None:
        """Write them all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        state = self._checkpoints()
        (self.folder / "foreign.pt").write_bytes(
            saved({"epoch": 3, "model": {"state_dict": state}, "notes": ["x", 1.5]})
        )
        old = saved({"state_dict": state}, _use_new_zipfile_serialization=False)
        (self.folder / "legacy.pt").write_bytes(old)
        from safetensors.torch import save as as_safetensors

        (self.folder / "foreign.safetensors").write_bytes(as_safetensors(state, {"format": "pt"}))
        self._sharded(state, as_safetensors)
        out = io.BytesIO()
        np.savez(out, **self.arrays)
        (self.folder / "data.npz").write_bytes(out.getvalue())
        (self.folder / "npy").mkdir(exist_ok=True)
        for name, array in self.arrays.items():
            np.save(self.folder / "npy" / f"{name}.npy", array)
        tensors = {name: torch.from_numpy(array) for name, array in self.arrays.items()}
        (self.folder / "data.safetensors").write_bytes(as_safetensors(tensors))
        images = b"\0\0\x08\x03" + struct.pack(">III", 20, 8, 8) + bytes(range(256)) * 5
        (self.folder / "images").write_bytes(images)
        (self.folder / "images.gz").write_bytes(gzip.compress(images, mtime=0))
        cifar = {"data": np.arange(5 * 3072, dtype=np.uint8).reshape(5, 3072), "fine_labels": list(range(5))}
        (self.folder / "cifar").write_bytes(pickle.dumps(cifar, 2))
        (self.folder / "study.toml").write_text(STUDY)
        for line in RESULTS:
            module, *words = line.split()
            typed(module, words, self.folder)
        (self.folder / "evil.py").write_text(f"open({str(self.canary)!r}, 'w')\ndef make(): pass\n")

    def _checkpoints(self) -> dict[str, torch.Tensor]:
        model = describe(parse_architecture(NETWORK), (1, 8, 8), 10)
        state = {name: value.clone() for name, value in initialise(model, 3).state_dict().items()}
        plan = Plan(Recipe(), 2, 0.1, 3, 3, weights_at=(0,))
        dense = Checkpoint(model, resolve_data("digits"), state, weights_at={0: state}, training=plan.stored(), seed=3)
        metrics: dict[str, Any] = {"validation": {"samples": 143, "loss": 0.5, "accuracy": 0.9}}
        save(dense, self.folder / "dense.pt")
        masks = {name: torch.rand_like(value) > 0.5 for name, value in state.items() if value.ndim == 2}
        cut = {name: value * masks.get(name, 1) for name, value in state.items()}
        metrics |= {"cuts": [{"epoch": 0.5, "survivors": 300}], "epochs": 2.0, "sparsity": 0.5, "reached": True}
        method = {"name": "magnitude", "sparsity": 0.5}
        parent = "ab" * 32
        pruned = Checkpoint(
            model, dense.data, cut, masks, {}, plan.stored(), 3, metrics=metrics, parent=parent, method=method
        )
        save(pruned, self.folder / "pruned.pt")
        return state

    def _sharded(self, state: dict[str, torch.Tensor], as_safetensors: Any) -> None:
        folder = self.folder / "sharded"
        folder.mkdir(exist_ok=True)
        where = {}
        for number, name in enumerate(state):
            file = f"model-{number}.safetensors"
            (folder / file).write_bytes(as_safetensors({name: state[name]}))
            where[name] = file
        index = {"metadata": {"total_size": 1}, "weight_map": where}
        (folder / "model.safetensors.index.json").write_text(json.dumps(index))
