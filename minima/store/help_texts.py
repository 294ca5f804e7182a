"""Help texts in which a default is told where it tells something."""

from __future__ import annotations

from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Annotated, Any, get_origin, get_type_hints

UNTOLD: tuple[object, ...] = (None, False, (), MISSING)
"""what is not given, not set or empty: the text beside the flag says what happens then"""


def hide_obvious_defaults(arguments: type[Any]) -> None:
    """Take "(default: None)", "(default: False)" and "(default: )" out of the help that tyro makes of this dataclass.

    Its annotations are changed in place, also those of dataclasses among them, whose own defaults are instances.
    """
    import tyro

    hints: dict[str, Any] = get_type_hints(arguments, include_extras=True)
    for field in fields(arguments):
        hint, nested = hints[field.name], _bare(hints[field.name])
        if isinstance(nested, type) and is_dataclass(nested):
            hide_obvious_defaults(nested)
        elif _untold(field):
            hints[field.name] = Annotated[hint, tyro.conf.arg(help_behavior_hint="")]
    arguments.__annotations__ = hints


def _bare(hint: Any) -> Any:
    return hint.__origin__ if get_origin(hint) is Annotated else hint


def _untold(field: Field[Any]) -> bool:
    return field.default_factory is MISSING and any(field.default is value for value in UNTOLD)
