"""Vision transformers (Dosovitskiy et al. 2021) for small images, pre-norm, twice differentiable everywhere."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Attention(nn.Module):
    """Multi-head self-attention softmax(q k^T / sqrt(d)) v, d being the width of a head.

    Written out: torch's scaled_dot_product_attention has no second derivative on the CPU.
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        count, tokens, _ = x.shape
        # (N, T, 3D) -> three of (N, heads, T, D / heads)
        q, k, v = self.qkv(x).view(count, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4).unbind(0)
        weights = torch.softmax(q @ k.transpose(2, 3) / q.shape[3] ** 0.5, dim=3)  # (N, heads, T, T)
        return self.out((weights @ v).transpose(1, 2).flatten(2))


class EncoderBlock(nn.Module):
    """x + attention(norm1(x)), then x + fc2(gelu(fc1(norm2(x))))."""

    def __init__(self, dim: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.attention = Attention(dim, heads)
        self.norm2 = nn.LayerNorm(dim)
        self.fc1 = nn.Linear(dim, hidden)
        self.gelu = nn.GELU()
        self.fc2 = nn.Linear(hidden, dim)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.norm1(x))
        return x + self.fc2(self.gelu(self.fc1(self.norm2(x))))


class VisionTransformer(nn.Module):
    """Patches embedded by a convolution, learned positions, encoder blocks, norm, mean over the tokens, a linear layer.

    The mean instead of a class token is Beyer et al.'s (2022, "Better plain ViT baselines for ImageNet-1k").
    """

    def __init__(
        self, channels: int, tokens: int, classes: int, *, patch: int, dim: int, depth: int, heads: int
    ) -> None:
        super().__init__()
        self.embedding = nn.Conv2d(channels, dim, patch, stride=patch)
        # about as large as embedded patches: with 0.02, usual at a width of 768, training begins with a bag of patches
        self.positions = nn.Parameter(0.2 * torch.randn(tokens, dim))
        self.blocks = nn.Sequential(*(EncoderBlock(dim, heads, 4 * dim) for _ in range(depth)))
        self.norm = nn.LayerNorm(dim)
        self.linear = nn.Linear(dim, classes)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.embedding(x).flatten(2).transpose(1, 2)  # (N, C, H, W) -> (N, tokens, dim)
        tokens = self.norm(self.blocks(tokens + self.positions))
        return self.linear(tokens.mean(dim=1))
