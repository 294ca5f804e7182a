"""Finding and reading a study's TOML file, over the file that it is `like`."""

from __future__ import annotations

import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from minima.store.command import BadInput
from minima.store.files import open_regular
from minima.store.messages import brief

STUDIES = Path(__file__).parents[1] / "studies"
DEFAULT_KIND = "methods"
LONGEST = 1 << 20
"""bytes of a file that is read at all"""


def bundled() -> dict[str, Path]:
    """The files of the studies that come with the suite, by name."""
    return {path.stem: path for path in sorted(STUDIES.glob("*.toml"))}


def find_study(name: str) -> Path:
    """The file of the study NAME or FILE.toml.

    Raises:
        BadInput: there is none.
    """
    known = bundled()
    path = known.get(name, Path(name))
    if path.is_dir():
        raise BadInput(f"{name} is a folder, expected a TOML file that describes a study")
    if not path.is_file():
        close = get_close_matches(name, known, n=1)
        meant = f" Did you mean {close[0]}?" if close else ""
        raise BadInput(f"{name}: there is no such study.{meant} Known: {', '.join(known)}, or a TOML file")
    return path


def read_toml(path: Path, behind: tuple[Path, ...] = ()) -> dict[str, Any]:
    """The file's keys over those of the file that its key `like` names: one beside it, or a bundled study.

    Args:
        behind: the files on the way here.

    Raises:
        BadInput: what is wrong, by file and key.
    """
    table = parse_toml(path)
    if "like" not in table:
        return table
    like = table.pop("like")
    other = find_beside(path, like, "like")
    if any(other.samefile(each) for each in (path, *behind)):
        raise BadInput(f"{path}: like = {like!r}, which is like this one")
    if "name" not in table:
        raise BadInput(
            f'{path}: `like` needs a name beside it, such as name = "{path.stem}", as {other.name} has its own'
        )
    return read_toml(other, (path, *behind)) | table


def find_beside(path: Path, name: object, key: str) -> Path:
    """The file that a key of the file `path` names: one beside it, or a bundled study."""
    if not isinstance(name, str) or not name.isprintable():
        raise BadInput(f"{path}: {key} = {name!r}: expected the name of a study or of a TOML file beside this one")
    beside = path.parent / name
    other = beside if beside.is_file() else bundled().get(name.removesuffix(".toml"), beside)
    if not other.is_file():
        raise BadInput(f"{path}: {key} = {name!r}: there is no such file in {path.parent}, nor a bundled study")
    return other


def file_beside(path: Path, name: str, key: str, default: Path) -> Path:
    """The file beside `path` that its key names; the `default` where it names none."""
    beside = path.parent / name
    if name and not beside.is_file():
        raise BadInput(f"{path}: {key} = {name!r}: there is no such file in {path.parent}")
    return beside if name else default


def kind_of(table: dict[str, Any], path: Path) -> tuple[str, dict[str, Any]]:
    """The kind of study that a file's keys say, and its other keys."""
    kind = table.get("kind", DEFAULT_KIND)
    if not isinstance(kind, str):
        raise BadInput(f"{path}: kind = {kind!r}: expected the name of a kind of study in quotes")
    return kind, {key: value for key, value in table.items() if key != "kind"}


def parse_toml(path: Path) -> dict[str, Any]:
    """What stands in a file; BadInput for one that cannot be read."""
    try:
        with open_regular(path) as file:
            content = file.read(LONGEST + 1)
        if len(content) > LONGEST:
            raise BadInput(f"{path} has more than {LONGEST:,} bytes, expected a TOML file that describes a study")
        return tomllib.loads(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is no text: expected a TOML file that describes a study ({error})") from error
    except (ValueError, RecursionError) as error:  # ValueError: of dates and numbers as well
        raise BadInput(f"{path} is not TOML: {brief(error)}") from error
