"""Reading the tensors of a pickle that names code, without running any: what only code could make is left out.

Lightning keeps pickled hyper-parameters and callbacks beside the weights, and `torch.save(model, FILE)` pickles the
whole module. An interpreter of the pickle's instructions that knows tensors and plain containers, and nothing else,
still finds the weights: every other object becomes a `Skipped`, which remembers its name and what it was given.
"""

from __future__ import annotations

import io
import pickle
import re
import types
import warnings
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

REBUILDERS = (
    "_rebuild_tensor",
    "_rebuild_tensor_v2",
    "_rebuild_parameter",
    "_rebuild_qtensor",
    "_rebuild_sparse_tensor",
    "_rebuild_meta_tensor_no_storage",
)
"""the functions of `torch._utils` that torch's files are made of; all of them only make tensors"""
ATTACKS = re.compile(
    r"os|posix|nt|sys|subprocess|pty|shutil|socket|runpy|importlib|imp|code|codeop|ctypes|webbrowser|commands"
)
"""modules whose functions no checkpoint needs: a file that names one is refused whole"""
HARMLESS_BUILTINS = re.compile(r"set|frozenset|bytearray|bytes|complex|slice|range|list|dict|tuple|object")


@dataclass(eq=False)
class Skipped:
    """What stands where an object would be that only code can make."""

    name: str
    """the class or function, `module.name`"""
    arguments: tuple[Any, ...] = ()
    entries: dict[Any, Any] = field(default_factory=dict)
    """of a mapping's subclass"""
    state: Any = None
    """the object's attributes, mostly"""


@dataclass(frozen=True)
class _Name:
    """A class or function that the pickle names. It is not imported."""

    full: str


def attacks(name: str) -> bool:
    """Whether a function or class that a pickle names belongs to no checkpoint, as `os.system` does not.

    >>> attacks("posix.system"), attacks("builtins.eval"), attacks("argparse.Namespace"), attacks("builtins.set")
    (True, True, False, False)
    """
    module, _, function = name.rpartition(".")
    if module in ("builtins", "__builtin__"):
        return not HARMLESS_BUILTINS.fullmatch(function)
    return bool(ATTACKS.fullmatch(module.partition(".")[0]))


def skim(content: bytes) -> tuple[Any, list[str]]:
    """The containers and tensors in torch's file, and the names of what was skipped.

    Only for files that `torch.load(weights_only=True)` refused because they name code: a TorchScript archive, which
    torch would run, must have been turned away before.
    """
    import torch

    names: dict[str, None] = {}

    class Unpickler(_Skimmer):
        seen = names

    reader = types.ModuleType("skimming")
    vars(reader).update(Unpickler=Unpickler, load=lambda file, **options: Unpickler(file, **options).load())
    with warnings.catch_warnings(action="ignore"), torch.sparse.check_sparse_tensor_invariants():
        found = torch.load(io.BytesIO(content), map_location="cpu", pickle_module=reader, weights_only=False)
    return found, list(names)


class _Skimmer(pickle._Unpickler):
    """pickle's own interpreter, with every instruction that could call, import or change something replaced."""

    seen: dict[str, None]
    stack: list[Any]
    append: Callable[[Any], None]
    pop_mark: Callable[[], list[Any]]
    dispatch: ClassVar[dict[int, Any]] = dict(pickle._Unpickler.dispatch)

    def find_class(self, module: str, name: str) -> Any:
        """The few things that tensors are made of; of everything else the name."""
        known = _tensors_own(module, name)
        return _Name(f"{module}.{name}") if known is None else known

    def _made(self, what: Any, arguments: Any) -> Any:
        """A tensor or container where `what` makes one, else what is skipped."""
        if any(what is function for function in _makers()):
            return what(*arguments)
        if isinstance(what, _Name):
            if what.full == "torch._utils._rebuild_parameter_with_state":  # without the state
                return _tensors_own("torch._utils", "_rebuild_parameter")(*arguments[:3])
            if what.full == "torch.nn.parameter.Parameter" and arguments:  # as torch 0.4 and older wrote one
                return _tensors_own("torch._utils", "_rebuild_parameter")(*arguments[:2], OrderedDict())
            if what.full in ("copyreg._reconstructor", "copy_reg._reconstructor") and arguments:
                what = arguments[0]
        if not isinstance(what, _Name):
            raise pickle.UnpicklingError(f"it calls a {type(what).__name__}")
        if attacks(what.full):
            raise pickle.UnpicklingError(f"it names {what.full}")
        self.seen[what.full] = None
        return Skipped(what.full, tuple(arguments))

    def load_reduce(self) -> None:
        arguments = self.stack.pop()
        self.stack[-1] = self._made(self.stack[-1], arguments)

    def load_newobj(self) -> None:
        self.load_reduce()

    def load_newobj_ex(self) -> None:
        self.stack.pop()
        self.load_reduce()

    def _instantiate(self, klass: Any, args: Any) -> None:
        self.append(self._made(klass, args))

    def load_binpersid(self) -> None:
        """A storage, as torch finds it; a module's class, whose source torch would look up, stays a name."""
        which = self.stack.pop()
        if isinstance(which, tuple) and len(which) > 1 and which[0] in ("module", b"module"):
            self.stack.append(which[1])
        else:
            self.stack.append(self.persistent_load(which))

    def load_persid(self) -> None:
        raise pickle.UnpicklingError("it names a storage in a way that torch does not write")

    def load_build(self) -> None:
        state, made = self.stack.pop(), self.stack[-1]
        if isinstance(made, Skipped):
            made.state = state

    def load_append(self) -> None:
        self._filled([self.stack.pop()])

    def load_appends(self) -> None:
        self._filled(self.pop_mark())

    def _filled(self, values: list[Any]) -> None:
        if type(self.stack[-1]) is list:
            self.stack[-1].extend(values)
        elif type(self.stack[-1]) is set:
            self.stack[-1].update(values)
        elif not isinstance(self.stack[-1], Skipped):
            raise pickle.UnpicklingError(f"it appends to a {type(self.stack[-1]).__name__}")

    def load_setitem(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self._set([key, value])

    def load_setitems(self) -> None:
        self._set(self.pop_mark())

    def _set(self, pairs: list[Any]) -> None:
        target = self.stack[-1].entries if isinstance(self.stack[-1], Skipped) else self.stack[-1]
        if type(target) not in (dict, OrderedDict):
            raise pickle.UnpicklingError(f"it sets an item of a {type(target).__name__}")
        for key, value in zip(pairs[::2], pairs[1::2], strict=True):
            target[key] = value

    def get_extension(self, code: int) -> None:
        raise pickle.UnpicklingError(f"it names extension {code}")

    dispatch |= {
        pickle.REDUCE[0]: load_reduce,
        pickle.NEWOBJ[0]: load_newobj,
        pickle.NEWOBJ_EX[0]: load_newobj_ex,
        pickle.BINPERSID[0]: load_binpersid,
        pickle.PERSID[0]: load_persid,
        pickle.BUILD[0]: load_build,
        pickle.APPEND[0]: load_append,
        pickle.APPENDS[0]: load_appends,
        pickle.ADDITEMS[0]: load_appends,
        pickle.SETITEM[0]: load_setitem,
        pickle.SETITEMS[0]: load_setitems,
    }


def _tensors_own(module: str, name: str) -> Any:
    """What the files of tensors need by name: functions that make them, dtypes, layouts; None for all else."""
    import torch

    if module == "torch._utils" and name in REBUILDERS:
        return getattr(torch._utils, name)
    if (module, name) == ("collections", "OrderedDict"):
        return OrderedDict
    if (module, name) == ("torch.serialization", "_get_layout"):
        return torch.serialization._get_layout
    if module == "torch" and name in ("Size", "device"):
        return getattr(torch, name)
    if module == "torch" and isinstance(getattr(torch, name, None), (torch.dtype, torch.qscheme)):
        return getattr(torch, name)
    return None


def _makers() -> list[Callable[..., Any]]:
    import torch

    others = [OrderedDict, torch.Size, torch.device, torch.serialization._get_layout]
    return [getattr(torch._utils, name) for name in REBUILDERS if hasattr(torch._utils, name)] + others
