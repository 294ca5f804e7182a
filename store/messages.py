"""What a command says to a person while it works: notes on stderr, and errors that are the user's to mend."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from tqdm import tqdm

T = TypeVar("T")


class BadInput(Exception):
    """The input or a value is bad. The message is shown as it is and the command ends with exit status 1.

    A few lines that name the file, layer or flag, what was expected, what was found, and what to type.
    """


def speaks() -> bool:
    """Whether this process talks to the user: of those that torchrun started, only the first."""
    return os.environ.get("RANK", "0") == "0"


def note(message: object) -> None:
    """One line on stderr, above a progress bar if there is one: stdout belongs to the result."""
    if not speaks():
        return
    if "tqdm" in sys.modules:
        from tqdm import tqdm

        tqdm.write(str(message), file=sys.stderr)
    else:
        print(message, file=sys.stderr)


def progress_bar(items: Iterable[T] | None = None, **looks: Any) -> tqdm[T]:
    """The items, or nothing, under a bar on stderr that goes when all is done; `looks` are those of tqdm.

    On a terminal only, and of several ranks only the first's, as for notes.
    """
    from tqdm import tqdm

    return tqdm(items, disable=None if speaks() else True, leave=False, **looks)
