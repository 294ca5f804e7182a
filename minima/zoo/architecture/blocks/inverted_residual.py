"""Inverted residuals (MobileNetV2, Sandler et al. 2018): narrow between the blocks, wide and depthwise within."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn


class InvertedResidual(nn.Module):
    """1x1 expansion, 3x3 depthwise, 1x1 projection without an activation, each with batch norm.

    The input is added where it has the output's shape.
    """

    def __init__(
        self, channels_in: int, channels_out: int, *, stride: int, expansion: int, activation: type[nn.Module]
    ) -> None:
        super().__init__()
        hidden = expansion * channels_in
        self.expand = _unit(channels_in, hidden, 1, activation)
        self.depthwise = _unit(hidden, hidden, 3, activation, stride=stride, groups=hidden)
        self.project = _unit(hidden, channels_out, 1, None)
        self.adds = stride == 1 and channels_in == channels_out

    def forward(self, x: Tensor) -> Tensor:
        out = self.project(self.depthwise(self.expand(x)))
        return x + out if self.adds else out


class MobileNetwork(nn.Module):
    """A 3x3 convolution, three stages of inverted residuals at widths w, 2w, 4w, a 1x1 convolution to 16w, global
    average pooling, a linear layer. For small images: only the second and third stage halve the sides.
    """

    def __init__(
        self, channels: int, classes: int, *, width: int, blocks: int, expansion: int, activation: type[nn.Module]
    ) -> None:
        super().__init__()
        self.stem = _unit(channels, width, 3, activation)
        stages, grown = [], width
        for index, stride in enumerate((1, 2, 2)):
            for block in range(blocks):
                before, grown = grown, width * 2**index
                step = stride if block == 0 else 1
                stages.append(InvertedResidual(before, grown, stride=step, expansion=expansion, activation=activation))
        self.blocks = nn.Sequential(*stages)
        self.last = _unit(grown, 16 * width, 1, activation)
        self.linear = nn.Linear(16 * width, classes)

    def forward(self, x: Tensor) -> Tensor:
        out = self.last(self.blocks(self.stem(x)))
        return self.linear(torch.mean(out, dim=(2, 3)))


def _unit(
    channels_in: int,
    channels_out: int,
    kernel: int,
    activation: type[nn.Module] | None,
    *,
    stride: int = 1,
    groups: int = 1,
) -> nn.Sequential:
    """Convolution, batch norm, and the activation if there is one."""
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        conv=nn.Conv2d(
            channels_in, channels_out, kernel, stride=stride, padding=kernel // 2, groups=groups, bias=False
        ),
        bn=nn.BatchNorm2d(channels_out),
    )
    if activation is not None:
        layers["activation"] = activation()
    return nn.Sequential(layers)
