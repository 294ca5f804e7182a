"""Two ranks have the numbers of one process."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from oracles.small_networks import make

from landscape.objective.objective import Objective
from landscape.objective.streams import stream
from landscape.spectrum.lanczos import top_eigenpairs
from landscape.spectrum.operator import operators
from minima.zoo.ranks import ALONE, Ranks

SIZE = 2


def numbers(ranks: Ranks) -> dict[str, torch.Tensor]:
    case = make("conv")
    measured = partial(Objective, case.model, case.x, case.y, masks=case.masks, batch_size=4, ranks=ranks)
    objective = measured()
    vector = objective.normal(stream(0, "vector"))
    draws = stream(0, "lanczos")
    level = objective.evaluate(1e-2 * vector)
    top = top_eigenpairs(objective.hvp, lambda: objective.normal(draws), objective.dimension, 2)
    return {
        "level": torch.tensor([level.loss, level.accuracy]),
        "gradient": objective.gradient(),
        "part": objective.part(3, 4).gradient(),
        "top": torch.from_numpy(top.values),
        **{name: kind().product(measured())(vector) for name, kind in operators().items()},
    }


def one_rank(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=SIZE)
    torch.save(numbers(Ranks(rank, SIZE)), f"{folder}/{rank}.pt")
    dist.destroy_process_group()


def test_two_ranks_equal_one(tmp_path: Path) -> None:
    mp.spawn(one_rank, (str(tmp_path),), nprocs=SIZE)
    first, second = (torch.load(tmp_path / f"{rank}.pt") for rank in range(SIZE))
    for name, expected in numbers(ALONE).items():
        assert torch.equal(first[name], second[name]), name
        torch.testing.assert_close(first[name], expected, rtol=1e-4, atol=1e-6, msg=name)


def test_every_example_is_in_one_share() -> None:
    for count in range(7):
        shares = [range(count)[Ranks(rank, 3).share(count)] for rank in range(3)]
        assert [index for share in shares for index in share] == list(range(count))
        assert max(map(len, shares)) - min(map(len, shares)) <= 1
