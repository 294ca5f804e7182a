"""`torchvision:NAME`, `timm:NAME` and `hf:FOLDER`: networks of libraries, for checkpoints that others wrote.

A library runs its own code, so only the command line may name one: a checkpoint that does is refused.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from minima.store.command import BadInput
from minima.store.messages import brief
from minima.zoo.architecture.bounded import Held, shapes_only

if TYPE_CHECKING:
    from torch import nn

LIBRARIES = ("torchvision", "timm", "hf")
FOLDER = "hf:"
MOST_OF_FOLDER = 2000
"""parameters of a network whose file holds fewer tensors: transformers divides some when it reads them"""
OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")


def names_library(spec: str) -> bool:
    """Whether a spec names a network of a library.

    >>> names_library("timm:resnet18"), names_library("resnet20:width=8")
    (True, False)
    """
    return spec.partition(":")[0] in LIBRARIES


def names_folder(spec: str) -> bool:
    """Whether a spec names a folder of transformers, which says itself what its network is.

    >>> names_folder("hf:runs/gpt2"), names_folder("timm:resnet18")
    (True, False)
    """
    return spec.startswith(FOLDER)


def build_from_library(spec: str, input_shape: tuple[int, ...], classes: int) -> nn.Module:
    """The library's network with `classes` outputs and fresh weights; nothing is downloaded.

    timm is also told the number of input channels; torchvision's networks take three.
    """
    library, _, name = spec.partition(":")
    package = import_library(library, f"--model {spec}")
    models = package.models if library == "torchvision" else package
    known = models.list_models()
    if name.partition(".")[0] not in known:  # timm's weights have tags behind a dot
        close = ", ".join(get_close_matches(name, known, n=5)) or f"{len(known)} others"
        raise BadInput(f"--model {spec}: {library} has no network named {name!r}. It has: {close}")
    try:
        if library == "torchvision":
            return models.get_model(name, weights=None, num_classes=classes)
        return models.create_model(name, pretrained=False, num_classes=classes, in_chans=input_shape[0])
    except Exception as error:  # a library may raise anything
        raise BadInput(
            f"--model {spec}: {library} could not build it: {type(error).__name__}: {brief(error)}"
        ) from error


def build_from_folder(spec: str, held: Held | None = None) -> nn.Module:
    """The network of transformers that the `config.json` in the folder of `hf:FOLDER` describes, with fresh weights.

    Whatever the data; nothing is downloaded, and code that lies in the folder is not run. `held`: what the file holds
    that the network is to be filled from; a larger one is refused before it takes any memory.
    """
    folder = Path(spec.removeprefix(FOLDER))
    if not (folder / "config.json").is_file():
        raise BadInput(f"--model {spec}: there is no {folder / 'config.json'}. Type hf: and a folder that has one")
    with _offline():
        transformers = import_library("transformers", f"--model {spec}")
    try:
        config = transformers.AutoConfig.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
        kind = getattr(transformers, next(iter(config.architectures or ()), ""), None)
        if not (isinstance(kind, type) and issubclass(kind, transformers.PreTrainedModel)):
            raise BadInput(
                f"--model {spec}: its config.json names {config.architectures or 'no architecture'}, expected one that "
                f"transformers {transformers.__version__} has, such as GPT2LMHeadModel"
            )
        config._attn_implementation = "eager"  # the fused kinds have no second derivative
        config._experts_implementation = "eager"  # nor have kernels of many experts at once
        config.use_cache = False  # keys and values are kept for tokens to come, of which there are none
        if held is not None:
            with shapes_only(max(MOST_OF_FOLDER, 4 * held.tensors)):
                held.check([tuple(each.shape) for each in kind(config).parameters()], spec)
        return kind(config)
    except BadInput:
        raise
    except Exception as error:  # a library may raise anything
        raise BadInput(
            f"--model {spec}: transformers could not build it: {type(error).__name__}: {brief(error)}"
        ) from error


@contextmanager
def _offline() -> Iterator[None]:
    """What is imported inside asks no server: the libraries of Hugging Face read that once, when they are imported."""
    before = {name: os.environ.get(name) for name in OFFLINE}
    os.environ.update(dict.fromkeys(OFFLINE, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def import_library(library: str, flag: str) -> ModuleType:
    """The library, which the user asked for by `flag`.

    Raises:
        BadInput: it is not installed, or not beside this torch.
    """
    try:
        return importlib.import_module(library)
    except (ImportError, RuntimeError, OSError) as error:  # torchvision beside another build of torch: RuntimeError
        extra = "hf" if library == "transformers" else "vision"
        raise BadInput(
            f"{flag}: {library} cannot be imported here ({type(error).__name__}: {error}).\n"
            f"Install the extra `{extra}`, of the same build as torch: pip install -c constraints.txt -e '.[{extra}]'\n"
            "(beside a torch for the CPU alone with --extra-index-url https://download.pytorch.org/whl/cpu)"
        ) from error
