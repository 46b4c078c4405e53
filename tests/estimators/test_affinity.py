"""Shares of interest add up, shrink towards the shop's shares, and recover the simulated strength."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mailroom.estimators.affinity import STRONGEST, WEAKEST, ShrunkShares

N_THINGS = 5
POINTS = st.integers(1, 20).flatmap(
    lambda n: arrays(float, (n, N_THINGS), elements=st.floats(0, 1e6, allow_subnormal=False))
)
SHARE = arrays(float, N_THINGS, elements=st.floats(0.01, 1)).map(lambda share: share / share.sum())


def rows(points: np.ndarray, share: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One row per customer and thing, as fit and predict take them."""
    return points.ravel(), np.repeat(points.sum(axis=1), N_THINGS), np.tile(share, len(points))


def world(n: int, strength: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """n customers with tastes around a shop's shares: their purchases before, and their next ones."""
    random = np.random.default_rng(seed)
    share = np.array([0.4, 0.3, 0.15, 0.1, 0.05])
    taste = random.dirichlet(strength * share, n)
    before = np.stack([random.multinomial(random.poisson(6), one) for one in taste]).astype(float)
    after = np.stack([random.multinomial(1 + random.poisson(1), one) for one in taste]).astype(float)
    return before, share, after


@given(POINTS, SHARE, st.randoms(use_true_random=False))
def test_shares_sum_to_one(points: np.ndarray, share: np.ndarray, random: object) -> None:
    chosen = np.zeros(points.shape)
    chosen[:, random.randrange(N_THINGS)] = random.randrange(3)  # type: ignore[attr-defined]
    model = ShrunkShares().fit(*rows(points, share), chosen.ravel())
    shares = model.predict(*rows(points, share)).reshape(points.shape)
    assert WEAKEST <= model.strength_ <= STRONGEST
    assert (shares >= 0).all() and np.allclose(shares.sum(axis=1), 1)


@pytest.mark.parametrize("strength", [0.5, 3.0, 30.0])
def test_fit_recovers_the_simulated_strength(strength: float) -> None:
    before, share, after = world(20_000, strength)
    model = ShrunkShares().fit(*rows(before, share), after.ravel())
    assert model.strength_ == pytest.approx(strength, rel=0.1)


def test_uninformative_interest_leaves_the_shops_shares() -> None:
    before, share, after = world(5_000, 3.0)
    shuffled = np.random.default_rng(1).permutation(after)
    model = ShrunkShares().fit(*rows(before, share), shuffled.ravel())
    shares = model.predict(*rows(before, share)).reshape(before.shape)
    assert np.abs(shares - share).max() < 0.05


def test_customers_without_interest_have_the_shops_shares_and_so_have_all_without_choices() -> None:
    before, share, after = world(500, 3.0)
    learned = ShrunkShares().fit(*rows(before, share), after.ravel())
    no_interest = np.zeros((1, N_THINGS))
    assert np.allclose(learned.predict(*rows(no_interest, share)), share)
    unfitted = ShrunkShares().fit(*rows(before, share), np.zeros(before.size))
    shares = unfitted.predict(*rows(before, share)).reshape(before.shape)
    assert unfitted.to_dict() == {"strength": STRONGEST} and np.allclose(shares, share, atol=1e-3)


def test_empty_input_is_no_error() -> None:
    assert ShrunkShares().fit([], [], [], []).predict([], [], []).shape == (0,)
