"""Help texts in which a default is told where it tells something, and in which a line ends where the screen does."""

from __future__ import annotations

import ast
import sys
from contextlib import suppress
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, get_origin, get_type_hints

UNTOLD: tuple[object, ...] = (None, False, (), "", MISSING)
"""what is not given, not set or empty: the text beside the flag says what happens then"""


def tidy(arguments: type[Any], *, shown: bool) -> None:
    """Take "(default: None)", "(default: False)" and the like out of the help that tyro makes of this dataclass.

    Its annotations are changed in place, also those of dataclasses among them, whose own defaults are instances.
    `shown`: the help is asked for, so that the texts below fields get their lines joined: tyro would break them where
    the source does.
    """
    import tyro

    hints: dict[str, Any] = get_type_hints(arguments, include_extras=True)
    texts = _texts(arguments) if shown else {}
    for field in fields(arguments):
        hint, nested = hints[field.name], _bare(hints[field.name])
        if isinstance(nested, type) and is_dataclass(nested):
            tidy(nested, shown=shown)
            continue
        if field.name in texts:
            hint = Annotated[nested, tyro.conf.arg(help=texts[field.name]), *getattr(hint, "__metadata__", ())]
        hints[field.name] = Annotated[hint, tyro.conf.arg(help_behavior_hint="")] if _untold(field) else hint
    arguments.__annotations__ = hints


def _bare(hint: Any) -> Any:
    return hint.__origin__ if get_origin(hint) is Annotated else hint


def _untold(field: Field[Any]) -> bool:
    return field.default_factory is MISSING and any(field.default is value for value in UNTOLD)


def _texts(arguments: type[Any]) -> dict[str, str]:
    """The text below each field that has one, in one line; of a class that is made at run time those of its bases."""
    found: dict[str, str] = {}
    for kind in reversed(arguments.__mro__[:-1]):
        for field, below in pairwise(_bodies(kind.__module__).get(kind.__name__, ())):
            match field, below:
                case ast.AnnAssign(target=ast.Name(name)), ast.Expr(ast.Constant(str(text))):
                    found[name] = " ".join(text.split())
    return found


@cache
def _bodies(module: str) -> dict[str, list[ast.stmt]]:
    """What stands in each class of a module; nothing where its source cannot be read."""
    tree, file = ast.Module([], []), getattr(sys.modules.get(module), "__file__", None)
    with suppress(OSError, SyntaxError, ValueError):
        tree = ast.parse(Path(file).read_text(encoding="utf-8")) if file else tree
    return {node.name: node.body for node in tree.body if isinstance(node, ast.ClassDef)}
