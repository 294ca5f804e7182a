"""The commands of a package: its rooms and modules that can be run, told without importing them."""

from __future__ import annotations

import ast
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from minima.store.table import render_table


def commands(package: str) -> dict[str, str]:
    """Each command behind `python -m`, with the first line of its docstring, in alphabetical order.

    A command is a module of the package that ends in `if __name__ == "__main__"`, or a folder with a `__main__.py`.

    >>> commands("entropy")["entropy.psp"]
    "how class-specific a network's neurons are (PSP-entropy)."
    """
    spec = find_spec(package)
    root = Path(((spec and spec.submodule_search_locations) or [""])[0])
    names = [path.stem for path in sorted(root.iterdir()) if _is_command(path)]
    return {f"{package}.{name}": first_line(f"{package}.{name}") for name in names}


def first_line(module: str) -> str:
    """The first line of a module's or a package's docstring, without the command that it may begin with."""
    spec = find_spec(module)
    text = ast.get_docstring(ast.parse(Path(spec.origin).read_text())) if spec and spec.origin else None
    line = (text or "").partition("\n")[0]
    return line.partition("`: ")[2] if line.startswith("`") else line


def tell(package: str, words: Sequence[str]) -> None:
    """What `python -m PACKAGE` says: its commands in a line each; anything else on the line is wrong syntax."""
    if words and words[0] not in ("list", "-h", "--help"):
        known = ", ".join(commands(package))
        print(f"error: there is no command {words[0]!r} in {package}. Known: {known}", file=sys.stderr)
        sys.exit(2)
    rows = [[f"python -m {name}", meaning] for name, meaning in commands(package).items()]
    print(f"usage: python -m {package}.COMMAND ...   (--help behind each for its flags)\n")
    print(render_table(["command", "what it does"], rows))


def _is_command(path: Path) -> bool:
    if path.is_dir():
        return (path / "__main__.py").is_file()
    return path.suffix == ".py" and path.stem != "__main__" and '\nif __name__ == "__main__":' in path.read_text()
