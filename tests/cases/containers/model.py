"""A network whose weights lie in many kinds of files."""

from torch import nn


class Net(nn.Module):
    """A convolution, a norm and a head."""

    def __init__(self):
        super().__init__()
        self.c = nn.Conv2d(1, 3, 3)
        self.bn = nn.BatchNorm2d(3)
        self.h = nn.Linear(3 * 16, 3)

    def forward(self, x):
        return self.h(self.bn(self.c(x)).relu().flatten(1))


class Mod(nn.Module):
    """A wrapper whose own attribute is called module."""

    def __init__(self):
        super().__init__()
        self.module = Net()

    def forward(self, x):
        return self.module(x)
