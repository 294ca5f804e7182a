"""Residual networks for small images (He et al. 2016): basic blocks with batch norm and parameter-free shortcuts."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import pad


class BasicBlock(nn.Module):
    """relu(factor bn2(conv2(relu(bn1(conv1(x))))) + shortcut(x)); the shortcut subsamples, pads with zero channels."""

    def __init__(self, channels_in: int, channels_out: int, stride: int, factor: float = 1.0) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels_out, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels_out)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(channels_out, channels_out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels_out)
        self.relu2 = nn.ReLU()
        grown = channels_out - channels_in
        self.stride, self.factor = stride, factor
        self.padding = (grown // 2, grown - grown // 2)
        """zero channels that the shortcut puts on both sides"""

    def forward(self, x: Tensor) -> Tensor:
        out = self.relu1(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        if self.factor != 1:
            out = self.factor * out
        return self.relu2(out + self._shortcut(x))

    def _shortcut(self, x: Tensor) -> Tensor:
        if self.stride == 1 and not any(self.padding):
            return x
        # (N, C, H, W) -> every stride-th pixel, zero channels on both sides
        return pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, *self.padding))


class ResidualNetwork(nn.Module):
    """A 3x3 convolution, three stages of basic blocks at widths w, 2w, 4w, global average pooling, a linear layer.

    `factor` scales what each block adds to its input.
    """

    def __init__(self, channels: int, classes: int, *, width: int, blocks: int, factor: float = 1.0) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu1 = nn.ReLU()
        self.layer1 = _stage(width, width, blocks, 1, factor)
        self.layer2 = _stage(width, 2 * width, blocks, 2, factor)
        self.layer3 = _stage(2 * width, 4 * width, blocks, 2, factor)
        self.linear = nn.Linear(4 * width, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(module.weight)

    def forward(self, x: Tensor) -> Tensor:
        out = self.relu1(self.bn1(self.conv1(x)))
        out = self.layer3(self.layer2(self.layer1(out)))
        return self.linear(torch.mean(out, dim=(2, 3)))


def _stage(channels_in: int, channels_out: int, blocks: int, stride: int, factor: float) -> nn.Sequential:
    first = BasicBlock(channels_in, channels_out, stride, factor)
    return nn.Sequential(first, *(BasicBlock(channels_out, channels_out, 1, factor) for _ in range(blocks - 1)))
