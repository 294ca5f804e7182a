"""`--loss SPEC`: a loss by name with its parameters, or a function of the user's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

from minima.store.command import BadInput
from minima.zoo.code import code_of, fingerprint, is_code
from minima.zoo.losses.loss import Loss, losses
from minima.zoo.losses.own import OwnLoss, own_loss

DEFAULT = "cross-entropy"


def parse_loss(spec: str) -> Loss:
    """`NAME` or `NAME:key=value,...`, several numbers joined by x; or `path/to/file.py:name`.

    >>> parse_loss("cross-entropy:label_smoothing=0.1,weight=1x19")
    CrossEntropy(class_axis=None, label_smoothing=0.1, weight=(1.0, 19.0), ignore_index=-100)
    >>> parse_loss("bce:outputs=probabilities").outputs
    'probabilities'
    """
    if is_code(spec):
        module, found = code_of(spec, "--loss")
        return own_loss(found, spec, getattr(module, "score", None))
    name, _, settings = spec.partition(":")
    known = losses()
    if name not in known:
        raise BadInput(
            f"--loss {spec}: there is no loss named {name!r}. Known: {', '.join(known)}, path/to/file.py:name"
        )
    hints = get_type_hints(known[name])
    own = {each.name: hints[each.name] for each in fields(known[name])}
    values: dict[str, Any] = {}
    for setting in filter(None, settings.split(",")):
        key, given, text = setting.partition("=")
        if key not in own:
            raise BadInput(f"--loss {spec}: {name} has no parameter {key!r}. It has: {', '.join(own) or 'none'}")
        values[key] = (
            True if own[key] is bool and not given else _parsed(own[key], text, f"--loss {spec}: {key}={text}")
        )
    return known[name](**values)


def described(loss: Loss) -> str:
    """The spec that `parse_loss` makes the same loss of; of a function of the user's, where it lies.

    >>> described(parse_loss("bce:outputs=probabilities")), described(parse_loss("mse"))
    ('bce:outputs=probabilities', 'mse')
    """
    if isinstance(loss, OwnLoss):
        return loss.called
    default = type(loss)()
    own = {key: value for key, value in asdict(loss).items() if value != getattr(default, key)}
    settings = ",".join(f"{key}={_text(value)}" for key, value in own.items())
    return loss.name + (f":{settings}" if settings else "")


def stored(spec: str) -> dict[str, Any]:
    """What a checkpoint or a result keeps of a loss: the spec, and of code its hash."""
    if not is_code(spec):
        return {"spec": described(parse_loss(spec))}
    path = Path(spec.rpartition(":")[0])
    return {"spec": spec.replace(str(path), str(path.absolute()), 1), "sha256": fingerprint(path)}


def restored(entry: Mapping[str, Any] | None, typed: str | None) -> str:
    """The spec of the loss to be used: the typed one, else that of a checkpoint's entry, else cross-entropy.

    Raises:
        BadInput: the entry names code, which no file may choose to run.
    """
    if typed is not None:
        return typed
    spec = str(entry["spec"]) if entry else DEFAULT
    if is_code(spec):
        raise BadInput(
            f"the checkpoint was made with the loss {spec}, which is code.\n"
            f"A file may not choose code to run: if you trust it, say so with --loss {spec}"
        )
    return spec


def _parsed(kind: Any, text: str, where: str) -> Any:
    choices = [choice for choice in get_args(kind) if isinstance(choice, str)]
    if choices:
        if text not in choices:
            raise BadInput(f"{where}: expected {' or '.join(choices)}")
        return text
    try:
        if kind is bool:
            return {"true": True, "1": True, "false": False, "0": False}[text.lower()]
        if float in get_args(kind) and Ellipsis in get_args(kind):
            return tuple(float(part) for part in text.split("x"))
        return int(text) if int in (kind, *get_args(kind)) else float(text)
    except (ValueError, KeyError) as error:
        wanted = "numbers joined by x" if Ellipsis in get_args(kind) else getattr(kind, "__name__", "a number")
        raise BadInput(f"{where}: expected {wanted}") from error


def _text(value: Any) -> str:
    return "x".join(f"{each:g}" for each in value) if isinstance(value, tuple) else str(value)
