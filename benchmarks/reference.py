"""The converged eigenvalues that errors are measured from, and a cheap operator with the same spectrum at its top."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from benchmarks.networks import FOLDER
from benchmarks.tool import TOP, Product
from landscape.objective.objective import Objective
from landscape.objective.streams import stream
from minima.store.reading import sha256
from minima.zoo.subject.subject import Subject

STEPS = 60
"""of Lanczos: three to four times as many as five eigenvalues to 1e-3 take"""


@dataclass(frozen=True)
class Reference:
    """Q T Q^T of 60 steps of Lanczos with full reorthogonalisation, by its eigenvectors."""

    values: Tensor
    """(60,) descending"""
    residuals: Tensor
    """(60,) relative"""
    vectors: Tensor
    """(60, d) float32"""

    def product(self, vector: Tensor) -> Tensor:
        """(d,) -> (d,), in milliseconds where the Hessian takes seconds."""
        return self.vectors.T @ (self.values.to(self.vectors) * (self.vectors @ vector.to(self.vectors)))

    def error(self, found: object) -> float:
        """The largest relative error among five eigenvalues; infinite where one is missing."""
        values, exact = np.sort(np.asarray(found, dtype=float))[::-1], self.values[:TOP].numpy()
        return float(np.abs(values / exact - 1).max()) if len(values) == TOP else float("inf")

    def disagreement(self, product: Product) -> float:
        """The largest of | v.Hv / l - 1 | over the five, the products being another tool's."""
        pairs = zip(self.values[:TOP].tolist(), self.vectors[:TOP], strict=True)
        return max(abs((vector @ product(vector).to(vector)).item() / value - 1) for value, vector in pairs)


def reference(subject: Subject) -> Reference:
    """Computed once for a checkpoint and a number of images, and kept."""
    path = FOLDER / f"{subject.path.stem}-{len(subject.x)}.reference.pt"
    made_of = sha256(subject.path)
    kept = torch.load(path, weights_only=True) if path.is_file() else {}
    if kept.get("sha256") != made_of:
        kept = {"sha256": made_of, **_lanczos(subject)}
        torch.save(kept, path)
    return Reference(kept["values"], kept["residuals"], kept["vectors"])


def _lanczos(subject: Subject) -> dict[str, Tensor]:
    """Plain Lanczos in float64, every vector made orthogonal to all before it twice, all images kept."""
    objective = Objective(subject.model, subject.x, subject.y, batch_size=subject.batch_size)
    basis = torch.zeros(STEPS, objective.dimension, dtype=torch.float64)
    images = torch.zeros_like(basis)
    following = objective.normal(stream(1, "reference"))
    for step in range(STEPS):
        for _ in range(2):
            following = following - basis.T @ (basis @ following)
        basis[step] = following / following.norm()
        following = images[step] = objective.hvp(basis[step])
    projected = basis @ images.T
    values, rotation = (part.flip(-1) for part in torch.linalg.eigh((projected + projected.T) / 2))
    vectors = rotation.T @ basis
    residuals = (rotation.T @ images - values[:, None] * vectors).norm(dim=1) / values.abs()
    return {"values": values, "residuals": residuals, "vectors": vectors.float()}
