"""The lowest of many points on some of the examples first: never another than on all."""

import numpy as np
import pytest
import torch

from landscape.sharpness.racing import ROUNDS, Race, Strata


def race_over(losses, pilots=(0, -1)):
    """A race over the points of a table of losses (points, N), and how many examples were evaluated."""
    spent = []

    def whole(at):
        spent.append(losses.shape[1])
        return losses[at]

    def some(rows):
        def at_rows(at):
            spent.append(len(rows))
            return losses[at, rows]

        return at_rows

    return Race(whole, some, [range(len(losses))[at] for at in pilots], 0), spent


@pytest.mark.parametrize("tail", [0.5, 1.0, 1.5, 2.5])
@pytest.mark.parametrize("seed", range(5))
def test_the_same_point_as_by_all_examples_whatever_the_tails(seed, tail):
    """Losses of lognormal size, the heavier the tail the fewer examples make the mean."""
    generator = np.random.default_rng(seed)
    sizes = np.exp(tail * generator.normal(size=1000))
    heights = 1 + np.abs(np.linspace(-1, 1, 61) - generator.uniform(-0.5, 0.5)) ** 2
    losses = torch.from_numpy(heights[:, None] * sizes * np.exp(0.1 * generator.normal(size=(61, 1000))))
    race, spent = race_over(losses, pilots=(0, 30, 60))
    assert race.lowest(range(61)) == losses.mean(1).argmin().item()
    assert race.lowest(range(61), -1) == losses.mean(1).argmax().item()
    if tail < 1:
        assert sum(spent) < 0.7 * losses.numel()


def test_where_the_examples_do_not_tell_all_points_are_evaluated():
    """Two examples in a thousand, which neither a pilot nor the sample shows, make the difference between the best."""
    generator = torch.Generator().manual_seed(0)
    losses = torch.linspace(1, 2, 21)[:, None] + 0.2 * torch.randn(21, 1000, generator=generator)
    losses = losses.double()
    known = {row for hard in ROUNDS for row in Strata.of(losses[[20, 19]], hard, 0).rows.tolist()}
    unseen = [row for row in range(1000) if row not in known][:2]
    losses[:5, unseen] = 500 * torch.linspace(1, 0, 5)[:, None].double()  # of the points that stay to the end
    assert losses.mean(1).argmin() == 4
    race, _ = race_over(losses, pilots=(20, 19))
    assert race.lowest(range(21)) == 4


def test_of_few_examples_each_point_is_evaluated_on_all():
    race, spent = race_over(torch.rand(9, 100, dtype=torch.float64))
    race.lowest(range(9))
    assert set(spent) == {100}


def test_the_strata_estimate_a_mean_and_cover_it():
    generator = np.random.default_rng(0)
    scores = []
    for seed in range(300):
        values = torch.from_numpy(generator.normal(size=1000) + (generator.uniform(size=1000) < 0.05) * 20.0)
        strata = Strata.of(torch.stack([values, torch.zeros_like(values)]).abs(), 0.1, seed)
        mean, error = strata.difference(values[strata.rows])
        scores.append((mean - values.mean().item()) / error)
    assert 0.85 < np.sqrt(np.mean(np.square(scores))) < 1.2
