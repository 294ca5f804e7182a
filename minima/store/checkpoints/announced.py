"""What a pickle of torch's will ask for, found out before it is read: how many bytes, and whether they are there.

torch makes room for a tensor's numbers before it looks for them, and its zip of a few hundred bytes may announce
terabytes. Here Python's own interpreter of pickles runs through the instructions with every object left out, and notes
the storages that are named. Nothing is called and nothing imported.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from minima.store.archive import BROKEN_ZIP, ZIP
from minima.store.messages import BadInput

LEGACY_PICKLES = 4
"""before the numbers: a magic number, the version, facts of the system, the content"""
TAR_PLACE = 257
"""where tar files say that they are ones"""
DEEPEST = 10_000
"""containers that are begun and not yet put into another"""
FILLERS = ("builtins.bytearray", "builtins.bytes", "__builtin__.bytearray", "__builtin__.bytes")
"""which make as many zeros as they are told"""

BYTES = {
    "HalfStorage": 2,
    "BFloat16Storage": 2,
    "ShortStorage": 2,
    "FloatStorage": 4,
    "IntStorage": 4,
    "QInt32Storage": 4,
    "DoubleStorage": 8,
    "LongStorage": 8,
    "ComplexFloatStorage": 8,
    "ComplexDoubleStorage": 16,
}
"""of one number of a storage, where it is more than one"""


def check_announced(content: bytes, path: Path) -> None:
    """Refuse a file whose pickle names more numbers than there are bytes.

    What is no pickle, or a broken one, is left to whoever reads it.

    Raises:
        BadInput: with what was announced and what was found.
    """
    if content[TAR_PLACE : TAR_PLACE + 5] == b"ustar":
        raise BadInput(
            f"{path} is a tar file, as torch wrote before 2018, or other archives are.\n"
            "Unpack it, or save it anew with a torch of today: torch.save(torch.load(FILE), NEW)"
        )
    if not content.startswith(ZIP):
        _compare(_storages(io.BytesIO(content), LEGACY_PICKLES, path), None, len(content), path)
        return
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            sizes = {record.filename.partition("/")[2]: record.file_size for record in archive.infolist()}
            pickled = next((name for name in archive.namelist() if name.endswith("/data.pkl")), None)
            asked = {} if pickled is None else _storages(io.BytesIO(archive.read(pickled)), 1, path)
    except BROKEN_ZIP:
        return
    _compare(asked, sizes, sum(sizes.values()), path)


def _compare(asked: dict[str, int], sizes: dict[str, int] | None, there: int, path: Path) -> None:
    for key, size in asked.items():
        if size < 0 or (sizes is not None and size > sizes.get(f"data/{key}", 0)):
            found = 0 if sizes is None else sizes.get(f"data/{key}", 0)
            raise BadInput(f"{path} is damaged: {size:,} bytes of numbers are named as {key!r}, {found:,} are there")
    if sum(asked.values()) > there:
        raise BadInput(
            f"{path} is truncated or damaged: its tensors take {sum(asked.values()):,} bytes, {there:,} are there.\n"
            "Make it again, or copy it again"
        )


def _storages(file: io.BytesIO, pickles: int, path: Path) -> dict[str, int]:
    """Bytes of each storage that is named, by its key."""
    found: dict[str, int] = {}
    for _ in range(pickles):
        reader = _Surveyor(file, encoding="latin1")
        reader.found = found
        try:
            reader.load()
        except BadInput as error:
            raise BadInput(f"{path}: {error}") from error
        except Exception:  # a broken pickle raises almost every kind; its reader will say what is wrong
            break
    return found


class _Nothing:
    """Stands for every object that a pickle would make."""


class _Named(_Nothing):
    def __init__(self, name: str) -> None:
        self.name = name


class _Surveyor(pickle._Unpickler):
    """Goes through a pickle and makes nothing but plain containers."""

    found: dict[str, int]
    stack: list[Any]
    pop_mark: Callable[[], list[Any]]
    dispatch: ClassVar[dict[int, Any]] = dict(pickle._Unpickler.dispatch)

    def find_class(self, module: str, name: str) -> Any:
        """A name, whatever it is of."""
        return _Named(f"{module}.{name}")

    def persistent_load(self, which: Any) -> Any:
        """A storage: its bytes are noted."""
        if isinstance(which, tuple) and len(which) >= 5 and isinstance(which[1], _Named):
            count, key = which[4], str(which[2])
            if isinstance(count, int):
                self.found[key] = max(
                    self.found.get(key, 0), count * BYTES.get(which[1].name.rpartition(".")[2], 1), key=abs
                )
        return _Nothing()

    def load_reduce(self) -> None:
        arguments = self.stack.pop()
        _refuse_filling(self.stack[-1], arguments)
        self.stack[-1] = _Nothing()

    def load_newobj(self) -> None:
        self.load_reduce()

    def load_newobj_ex(self) -> None:
        self.stack.pop()
        self.load_reduce()

    def load_build(self) -> None:
        self.stack.pop()

    def _instantiate(self, klass: Any, args: Any) -> None:
        _refuse_filling(klass, args)
        self.stack.append(_Nothing())

    def load_empty_list(self) -> None:
        self._open([])

    def load_empty_dictionary(self) -> None:
        self._open({})

    def _open(self, container: Any) -> None:
        """A container on the stack, where those lie that it is in: pickle itself puts no more than a thousand there."""
        if len(self.stack) > DEEPEST:
            raise BadInput(f"it nests containers more than {DEEPEST:,} deep, which torch.save never does")
        self.stack.append(container)

    def load_append(self) -> None:
        self.stack.pop()

    def load_appends(self) -> None:
        self.pop_mark()

    def load_setitem(self) -> None:
        del self.stack[-2:]

    def get_extension(self, _: int) -> None:
        self.stack.append(_Nothing())

    dispatch |= {
        pickle.REDUCE[0]: load_reduce,
        pickle.NEWOBJ[0]: load_newobj,
        pickle.NEWOBJ_EX[0]: load_newobj_ex,
        pickle.BUILD[0]: load_build,
        pickle.EMPTY_LIST[0]: load_empty_list,
        pickle.EMPTY_DICT[0]: load_empty_dictionary,
        pickle.APPEND[0]: load_append,
        pickle.APPENDS[0]: load_appends,
        pickle.ADDITEMS[0]: load_appends,
        pickle.SETITEM[0]: load_setitem,
        pickle.SETITEMS[0]: load_appends,
    }


def _refuse_filling(what: Any, arguments: Any) -> None:
    """Stop at what makes memory out of a number: torch's own files never do."""
    if not isinstance(what, _Named) or not isinstance(arguments, tuple):
        return
    sized = what.name in FILLERS or (what.name.startswith("torch.") and what.name.endswith("Tensor"))
    if sized and any(isinstance(each, int) for each in arguments):
        raise BadInput(f"it would make {what.name} of a size that it names, which torch.save never writes")
