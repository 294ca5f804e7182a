"""Mutants of what people write: studies, statements, claims, indices of weights, and specs on the command line."""

from __future__ import annotations

import json
import re
from pathlib import Path
from random import Random

from tests.faults.mutants_values import changed, plain

STUDY = """
name = "mine"
model = "mlp:hidden=8"
data = "digits"
seeds = 1
sparsities = [0.9]
dense = "--epochs 1"
prune = "--epochs 1"
sharpness = "--measures lambda_max"
[arms.magnitude]
method = "magnitude"
flags = ""
[arms.llr]
method = "iterative-magnitude"
flags = "--rounds 2"
"""
VALUES = (
    '""',
    '"$(touch CANARY)"',
    '"; touch CANARY"',
    '"`touch CANARY`"',
    "1",
    "-1",
    "true",
    "[]",
    "[[1]]",
    "{a=1}",
    "1e400",
    "nan",
    "[nan]",
    '["x"]',
    "10000000000",
    '"../../x"',
    '"x\\u0000y"',
    '"--epochs 1 -o CANARY"',
    '"--help"',
    '"\'"',
    "1000",
    '"digits:classes=99"',
    '"no.py:make"',
    "1979-05-27",
    "1979-99-27",
    "[0.5, 0.5]",
    '"mlp:hidden=99999999999"',
    '"é ü"',
    '"{params}"',
    '"--sparsity 0.1"',
    '"mine.toml"',
    '"\\u001b[2J"',
    "[[[[1]]]]",
    "0.9",
    '"--batch-size 1e9"',
    "9223372036854775808",
)
LINES = (
    '[arms.dense]\nmethod = "magnitude"',
    '[arms."a b"]\nmethod = "magnitude"',
    "[arms]\nx = 1",
    "[arms.x]",
    "arms = 3",
    '[arms.x]\nmethod = "magnitude"\nsparsities = [2]',
    '[arms.x]\nmethod = "magnitude"\nsparsities = 0.5',
    '[arms.x]\nmethod = ["magnitude"]',
    'like = "tiny.toml"',
    'kind = "findings"',
    "x = " + "[" * 3000,
)
SPECS = {
    "model": [
        "mlp:hidden=8",
        "lenet5:units=10",
        "resnet20:width=2",
        "vit:dim=8,depth=1",
        "torchvision:resnet18",
        "hf:no",
    ],
    "data": ["digits", "digits:classes=0-4", "digits:classes=0,3:labels=random", "npz:no.npz", "npy:no", "no.py:make"],
    "loss": ["cross-entropy:label_smoothing=0.1,weight=1x2", "mse", "bce:outputs=probabilities", "no.py:f"],
}
PIECES = (
    ":",
    "=",
    ",",
    "x",
    "-",
    ".",
    "/",
    "\\0",
    "\\x1b",
    "\\ud800",
    "é",
    "99999999999999999999",
    "-1",
    "0",
    "nan",
    "inf",
    "1e999",
    "classes",
    "labels=random",
    "hidden=",
    ".py:f",
    "npz:",
    "hf:",
    "timm:",
    "..",
    "{}",
    "%",
    "'",
    '"',
    ":::",
    "0-999999999999",
    "5-1",
)


def toml(text: str, draw: Random, canary: Path) -> tuple[str, bytes]:
    """A value of a TOML file exchanged, doubled, renamed or removed, or a line added."""
    lines = text.splitlines()
    places = [at for at, line in enumerate(lines) if " = " in line]
    at = draw.choice(places)
    key, _, old = lines[at].partition(" = ")
    what = draw.choice(["value"] * 6 + ["rename", "delete", "double", "line"])
    value = draw.choice(VALUES).strip().replace("CANARY", str(canary))
    if what == "delete":
        del lines[at]
    elif what == "double":
        lines.insert(at, f"{key} = {value}")
    elif what == "line":
        lines.append(draw.choice(LINES))
    else:
        lines[at] = f"{key}x = {old}" if what == "rename" else f"{key} = {value}"
    return f"toml {what} {key} = {value}"[:80], ("\n".join(lines) + "\n").encode("utf8", "replace")


def index(content: bytes, draw: Random) -> tuple[str, bytes]:
    """An index of weights, its JSON changed."""
    said, tree = changed(json.loads(content), draw, plain)
    try:
        return f"index {said}", json.dumps(tree).encode("utf8", "replace")
    except (ValueError, TypeError):
        return "index empty", b"{}"


def spec(kind: str, draw: Random) -> tuple[str, bytes]:
    """A spec with pieces put in, taken out or exchanged."""
    parts = re.split(r"([:=,x-])", draw.choice(SPECS[kind]))
    for _ in range(draw.randrange(1, 4)):
        at = draw.randrange(len(parts))
        piece = draw.choice(PIECES).encode().decode("unicode_escape")
        what = draw.choice(["in", "out", "exchange", "double"])
        if what == "in":
            parts.insert(at, piece)
        elif what == "double":
            parts.insert(at, parts[at])
        elif what == "exchange" or len(parts) == 1:
            parts[at] = piece
        else:
            del parts[at]
    text = "".join(parts)
    return f"spec {kind}", text.encode("utf8", "surrogatepass")
