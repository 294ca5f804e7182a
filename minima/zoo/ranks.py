"""Several processes that share one measurement, as `torchrun` starts them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from minima.store.command import BadInput

if TYPE_CHECKING:
    from torch import Tensor

PATIENCE = timedelta(minutes=30)
"""how long a rank waits for the others"""


@dataclass(frozen=True)
class Ranks:
    """This process among those that work together; by default it is alone.

    All run the same program. They meet in `sum` and `tell`, which all must call, in the same order.

    >>> Ranks(0, 2).share(5), Ranks(1, 2).share(5)
    (slice(0, 3, None), slice(3, 5, None))
    """

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this process is the one that writes files and talks."""
        return self.rank == 0

    def share(self, count: int) -> slice:
        """Which of `count` things are this rank's: consecutive ones, as many as the others' or one more."""
        whole, rest = divmod(count, self.size)
        start = self.rank * whole + min(self.rank, rest)
        return slice(start, start + whole + (self.rank < rest))

    def own(self, count: int) -> int:
        """How many of `count` things are this rank's.

        >>> Ranks(0, 2).own(5), Ranks(1, 2).own(5)
        (3, 2)
        """
        return len(range(count)[self.share(count)])

    def chunks(self, count: int, size: int, start: int = 0, stop: int | None = None) -> Iterator[slice]:
        """This rank's share of `count` things, or the `start`-th to `stop`-th of it, `size` at once.

        >>> list(Ranks(1, 2).chunks(7, 2))
        [slice(4, 6, None), slice(6, 7, None)]
        """
        share = range(count)[self.share(count)][start:stop]
        return (slice(first, min(first + size, share.stop)) for first in share[::size])

    def sum(self, tensor: Tensor) -> Tensor:
        """The sum over ranks, in place: the same bits on each."""
        if self.size > 1:
            import torch.distributed as dist

            with _peers():
                dist.all_reduce(tensor)
        return tensor

    def tell(self, thing: Any) -> Any:
        """What the first rank has; what the others give does not matter."""
        if self.size == 1:
            return thing
        import torch.distributed as dist

        told = [thing]
        with _peers():
            dist.broadcast_object_list(told, src=0)
        return told[0]


ALONE = Ranks()


@contextmanager
def joined() -> Iterator[Ranks]:
    """The ranks that torchrun started, connected inside the block (nccl with GPUs, else gloo); ALONE without it."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield ALONE
        return
    import torch
    import torch.distributed as dist

    cuda = torch.cuda.is_available()
    if cuda:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]) % torch.cuda.device_count())
    dist.init_process_group("nccl" if cuda else "gloo", timeout=PATIENCE)
    try:
        yield Ranks(dist.get_rank(), size)
    finally:
        dist.destroy_process_group()


@contextmanager
def _peers() -> Iterator[None]:
    """A lost connection in words."""
    try:
        yield
    except RuntimeError as error:
        raise BadInput(
            "another rank has stopped, so this one cannot go on; what is finished is kept.\n"
            f"Type the same line again to go on ({str(error).splitlines()[0][:100]})"
        ) from error
