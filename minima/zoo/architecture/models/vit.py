"""A small vision transformer (Dosovitskiy et al. 2021)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from minima.store.command import BadInput
from minima.zoo.architecture.architecture import Architecture
from minima.zoo.architecture.images import image_shape

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class ViT(Architecture):
    """Pre-norm encoder blocks with GELU over the patches of the image, learned positions, mean over the tokens.

    207,946 parameters on CIFAR-10. The sides of the image must be multiples of the patch: 2 or 4 for the digits.
    Train it with `--optimiser adam --lr 1e-3`: the default rate is high for it.
    """

    name: ClassVar[str] = "vit"
    dim: int = 64
    """width of a token; the hidden layers are four times as wide"""
    depth: int = 4
    """encoder blocks"""
    heads: int = 4
    """of the attention"""
    patch: int = 4
    """side of a patch in pixels"""

    def build(self, input_shape: tuple[int, ...], classes: int) -> nn.Module:
        from minima.zoo.architecture.blocks.transformer import VisionTransformer

        channels, height, width = image_shape(input_shape, self.name)
        if height % self.patch or width % self.patch:
            fitting = [side for side in range(1, min(height, width) + 1) if not (height % side or width % side)]
            raise BadInput(
                f"vit: patch={self.patch} does not divide images of {height}x{width} pixels. "
                f"Type one of patch={', '.join(map(str, fitting))}"
            )
        if self.dim % self.heads:
            raise BadInput(f"vit: heads={self.heads} does not divide dim={self.dim}. Type a multiple of it as dim")
        tokens = (height // self.patch) * (width // self.patch)
        return VisionTransformer(
            channels, tokens, classes, patch=self.patch, dim=self.dim, depth=self.depth, heads=self.heads
        )
