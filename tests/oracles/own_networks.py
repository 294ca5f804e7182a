"""Networks of a user's own, with data and losses of many kinds: small enough to be trained in a moment."""

import numpy as np

NETS = '''
import torch
from torch import nn

class Line(nn.Module):
    """Regression: two numbers from five, in a dict with something beside them."""
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(5, 12), nn.Linear(12, 2)
    def forward(self, x):
        hidden = self.first(x).relu()
        return {"hidden": hidden, "values": self.second(hidden)}

class Pixels(nn.Module):
    """Segmentation: three classes at each pixel."""
    def __init__(self):
        super().__init__()
        self.first, self.norm = nn.Conv2d(1, 6, 3, padding=1), nn.BatchNorm2d(6)
        self.second = nn.Conv2d(6, 3, 1)
    def forward(self, x):
        return self.second(self.norm(self.first(x)).relu())

class Words(nn.Module):
    """Two logits from tokens of which a mask says how many count."""
    def __init__(self):
        super().__init__()
        self.embedding, self.lstm = nn.Embedding(11, 6), nn.LSTM(6, 8, batch_first=True)
        self.middle, self.head = nn.Linear(8, 8), nn.Linear(8, 2)
    def forward(self, ids, mask):
        states = self.lstm(self.embedding(ids))[0] * mask[..., None]
        return self.head(self.middle(states.mean(1)).relu())

class Labels(nn.Module):
    """Several yes-or-no labels, in a tuple."""
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(5, 10), nn.Linear(10, 3)
    def forward(self, x):
        found = self.second(self.first(x).tanh())
        return found, found.sigmoid()

def huber(outputs, targets):
    return nn.functional.smooth_l1_loss(outputs, targets, reduction="none").mean(1)
'''
COUNT = 60


def write(folder):
    """The networks' file, and an npz of each kind of data."""
    rng = np.random.default_rng(0)
    (folder / "nets.py").write_text(NETS)
    x = rng.normal(size=(COUNT, 5)).astype(np.float32)
    y = np.stack([np.sin(x[:, 0]), x[:, 1] * x[:, 2]], 1).astype(np.float32)
    images = rng.normal(size=(COUNT, 1, 6, 6)).astype(np.float32)
    pixels = np.digitize(images[:, 0], (-0.5, 0.5)).astype(np.int64)
    pixels[:, 0] = -100  # rows that do not count
    pixels[: COUNT // 4, 1] = -100
    ids = rng.integers(0, 11, (COUNT, 7))
    sets = {
        "line": ({"": x}, y),
        "pixels": ({"": images}, pixels),
        "words": ({".ids": ids, ".mask": (rng.random((COUNT, 7)) < 0.8).astype(np.float32)}, (ids == 3).any(1) * 1),
        "labels": ({"": x}, (x[:, :3] > 0).astype(np.float32)),
    }
    for name, (inputs, targets) in sets.items():
        arrays = {}
        for split, rows in (("train", slice(0, 45)), ("test", slice(45, COUNT))):
            arrays |= {f"x_{split}{field}": values[rows] for field, values in inputs.items()}
            arrays[f"y_{split}"] = targets[rows]
        np.savez(folder / f"{name}.npz", **arrays)


KINDS = {
    "line": ["--model", "nets.py:Line", "--data", "npz:line.npz", "--loss", "mse", "--output", "values"],
    "own": ["--model", "nets.py:Line", "--data", "npz:line.npz", "--loss", "nets.py:huber", "--output", "values"],
    "pixels": ["--model", "nets.py:Pixels", "--data", "npz:pixels.npz"],
    "words": ["--model", "nets.py:Words", "--data", "npz:words.npz"],
    "labels": ["--model", "nets.py:Labels", "--data", "npz:labels.npz", "--loss", "bce"],
}
"""what is typed of each"""
RECIPE = ["--epochs", 3, "--batch-size", 8, "--lr", 0.05]


def repeated(kind):
    """What has to be typed again of a checkpoint: code only."""
    words = KINDS[kind]
    again = words[:2]
    return [*again, "--loss", words[5]] if kind == "own" else again
