"""Hours of presence add up, shrink towards the group, and recover the simulated hours."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mailroom.estimators.presence import CircularPresence

COUNTS = st.integers(0, 30).flatmap(lambda n: arrays(int, (n, 24), elements=st.integers(0, 5)))


def world(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """n customers with a best hour each, active in a few to many hours around it."""
    random = np.random.default_rng(seed)
    best = random.choice([7, 9, 13, 19, 22], n)
    counts = np.zeros((n, 24))
    for row, hour in enumerate(best):
        seen = np.round(random.normal(hour, 1.5, 1 + random.poisson(6))).astype(int) % 24
        np.add.at(counts[row], seen, 1)
    return counts, best


def hours_off(shares: np.ndarray, best: np.ndarray) -> float:
    apart = np.abs(shares.argmax(axis=1) - best)
    return float(np.minimum(apart, 24 - apart).mean())


@given(COUNTS)
def test_shares_sum_to_one(counts: np.ndarray) -> None:
    groups = ["a" if row % 2 else "b" for row in range(len(counts))]
    shares = CircularPresence().fit(counts, groups).predict(counts, groups)
    assert shares.shape == counts.shape
    assert (shares >= 0).all() and np.allclose(shares.sum(axis=1), 1)


def test_own_signals_find_the_best_hour() -> None:
    counts, best = world(800)
    groups = np.repeat("all", len(counts))
    model = CircularPresence().fit(counts, groups)
    assert hours_off(model.predict(counts, groups), best) < 1
    assert hours_off(model.group_shares(groups), best) > 3


def test_customers_without_signals_have_the_groups_hours_and_without_a_group_the_shops() -> None:
    counts, _ = world(400)
    groups = np.array(["early" if row.argmax() < 12 else "late" for row in counts])
    model = CircularPresence().fit(counts, groups)
    no_signals = np.zeros((4, 24))
    shares = model.predict(no_signals, np.array(["early", "late", "elsewhere", None], dtype=object))
    assert shares[0].argmax() < 12 < shares[1].argmax()
    assert np.array_equal(shares[0], model.groups_["early"])
    assert np.array_equal(shares[2], model.shop_) and np.array_equal(shares[3], model.shop_)


def test_one_signal_moves_little_in_a_uniform_group() -> None:
    random = np.random.default_rng(1)
    shares = np.exp(-((np.arange(24) - 19) ** 2) / 18)
    counts = random.multinomial(4, shares / shares.sum(), 2_000).astype(float)
    groups = np.repeat("all", len(counts))
    model = CircularPresence().fit(counts, groups)
    assert model.prior_ >= 32
    once = np.zeros((1, 24))
    once[0, 3] = 1
    assert 17 <= model.predict(once, ["all"])[0].argmax() <= 21


def test_midnight_is_next_to_one_in_the_morning() -> None:
    counts, _ = world(400)
    groups = np.repeat("all", len(counts))
    model = CircularPresence().fit(counts, groups)
    turned = CircularPresence().fit(np.roll(counts, 5, axis=1), groups)
    shares = turned.predict(np.roll(counts, 5, axis=1), groups)
    assert np.allclose(shares, np.roll(model.predict(counts, groups), 5, axis=1))


def test_it_reads_what_it_wrote() -> None:
    counts, _ = world(50)
    groups = np.repeat("all", len(counts))
    model = CircularPresence().fit(counts, groups)
    again = CircularPresence.from_dict(json.loads(json.dumps(model.to_dict())))
    assert np.array_equal(model.predict(counts, groups), again.predict(counts, groups))


def test_an_invalid_count_is_named() -> None:
    with pytest.raises(ValueError, match="row 1, slot 2 is not a count: nan"):
        CircularPresence().fit([[1.0, 0.0, 0.0], [0.0, 0.0, np.nan]], ["a", "a"])
