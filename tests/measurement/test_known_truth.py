"""Shops in which mail is known to cause orders: what a holdout finds, and what the last click claims.

The generator places orders that no mail causes, and others because of a click. It knows which.
"""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

import numpy as np
import pytest

from mailroom.demo.simulate import simulate
from mailroom.demo.world import Config, build_world
from mailroom.measurement.intervals import Sums, difference, of_mean

pytestmark = [pytest.mark.slow, pytest.mark.deep]
N_SHOPS = int(os.environ.get("MAILROOM_TRUTH_SHOPS", "100"))
WINDOW = 120 * 3600  # seconds after a click in which an order counts for it
UNTIL = int(datetime(2026, 7, 1, tzinfo=UTC).timestamp())


@dataclass(frozen=True)
class Shop:
    """Revenue per mailed person that mail caused, that the last click claims, and that the holdout shows."""

    caused: float
    claimed: float
    difference: float
    low: float
    high: float


def shop(seed: int) -> Shop:
    config = Config(6_000, 365, seed, UNTIL, message_events_per_customer=200, holdout_share=0.3)
    sim = simulate(build_world(config), 0)
    held, sales = sim.held_out, sim.sales
    total = sales.total / 100
    spent = np.bincount(sales.person, total, minlength=len(held))
    is_caused = sales.clicked_at >= 0
    caused = np.bincount(sales.person[is_caused], total[is_caused], minlength=len(held))
    assert not caused[held].any()

    clicked = sim.messages.clicked >= 0
    clicks = np.stack(
        [sim.boxes.profiles.person[sim.messages.profile[clicked]], sim.messages.clicked[clicked]]
    )
    clicks = clicks[:, np.lexsort(clicks[::-1])]
    keys = clicks[0] * 2**40 + clicks[1]
    before = np.searchsorted(keys, sales.person * 2**40 + sales.at, side="right") - 1
    last = np.maximum(before, 0)
    claims = (before >= 0) & (clicks[0][last] == sales.person) & (sales.at - clicks[1][last] <= WINDOW)
    claimed = np.bincount(sales.person[claims], total[claims], minlength=len(held))

    arms = [Sums(len(y), y.sum(), (y * y).sum()) for y in (spent[~held], spent[held])]
    found = difference(of_mean(arms[0]), of_mean(arms[1]))
    return Shop(
        caused[~held].mean(),
        claimed[~held].mean(),
        float(found.difference),
        float(found.low),
        float(found.high),
    )


@cache
def shops() -> list[Shop]:
    return [shop(seed) for seed in range(N_SHOPS)]


def test_the_interval_of_a_holdout_has_what_mail_caused() -> None:
    truth = np.mean([one.caused for one in shops()])
    inside = sum(one.low <= truth <= one.high for one in shops())
    assert inside >= 0.93 * N_SHOPS, f"{inside} of {N_SHOPS}"
    error = np.std([one.difference for one in shops()]) / np.sqrt(N_SHOPS)
    assert np.mean([one.difference for one in shops()]) == pytest.approx(truth, abs=3 * error)


def test_the_last_click_claims_more_than_mail_caused() -> None:
    ratios = [one.claimed / one.caused for one in shops()]
    assert min(ratios) > 1 and np.mean(ratios) > 1.5, np.mean(ratios)
