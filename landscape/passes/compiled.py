"""Traced passes compiled by TorchInductor, with the weights among the inputs: one compilation serves every point."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from landscape.passes.cache import private_folder
from landscape.passes.compiler import NoCompiler
from minima.store.messages import BadInput

if TYPE_CHECKING:
    from landscape.passes.traced import Lifted


def compiled(pass_: Lifted, tensors: Sequence[Tensor], x: Tensor) -> tuple[Lifted, float]:
    """The same pass with its work for each chunk compiled by torch, and the seconds that compiling took.

    The graph goes to the compiler as it is: nothing watches Python or checks at each call what it was compiled for.

    Raises:
        NoCompiler: there is no compiler of C++, or it does not cope with the pass.
    """
    start = time.perf_counter()
    with suppress(BadInput, OSError, RuntimeError):  # torch's own choice is a name in /tmp that anybody can foresee
        os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(private_folder() / "inductor"))
    with torch.no_grad():
        inputs = [*pass_.once(*tensors), x]
        try:
            each: Callable[..., Any] = torch._inductor.compile(pass_.each, inputs)  # type: ignore[arg-type]
            each(*inputs)  # loads what was built
        except Exception as error:  # whatever the compiler raises
            raise NoCompiler(
                str(error).strip().splitlines()[0][:200] if str(error) else type(error).__name__
            ) from error
    return replace(pass_, each=each), time.perf_counter() - start
