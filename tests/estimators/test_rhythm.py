"""The pace of orders predicts customers who have one, and no others."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailroom.estimators.rhythm import GAPS_FROM, OrderRhythm


def customers(n: int, shape: float, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """n customers at a random moment between two of their orders, and the days to the next."""
    random = np.random.default_rng(seed)
    mean = random.gamma(20.0, 1.5, n)
    gaps = random.gamma(shape, (mean / shape)[:, None], (n, 12))
    last = random.gamma(shape + 1, mean / shape, n)  # a random moment falls into longer gaps more often
    waited = random.uniform(0, last)
    features = pd.DataFrame(
        {
            "n_order_days": 13,
            "mean_gap_days": gaps.mean(axis=1),
            "gap_spread_days": gaps.std(axis=1),
            "days_since_last_order": waited,
        }
    )
    return features, last - waited


@pytest.mark.parametrize("shape", [1.0, 4.0, 16.0])
def test_eighty_percent_of_paced_customers_order_within_the_bounds(shape: float) -> None:
    features, days = customers(8_000, shape)
    rhythm = OrderRhythm().fit(features)
    assert rhythm.gap_days_ == pytest.approx(30, rel=0.03)
    assert rhythm.variation_ == pytest.approx(1 / shape, rel=0.1)
    low, median, high = (rhythm.predict(features, part, 365) for part in (0.1, 0.5, 0.9))
    assert ((low <= days) & (days <= high)).mean() == pytest.approx(0.8, abs=0.03)
    assert (days < median).mean() == pytest.approx(0.5, abs=0.03)


def test_customers_without_a_pace_or_past_it_get_no_prediction() -> None:
    features, _ = customers(500, 16.0)
    rhythm = OrderRhythm.from_dict(OrderRhythm().fit(features).to_dict())
    some = features.head(3).assign(n_order_days=[1, GAPS_FROM, GAPS_FROM + 1])
    some.loc[0, ["mean_gap_days", "gap_spread_days"]] = np.nan
    assert np.isnan(rhythm.predict(some, 0.5, 365)).tolist() == [True, True, False]
    assert np.isnan(rhythm.predict(some.assign(days_since_last_order=5_000), 0.5, 365)).all()
    unfitted = OrderRhythm().fit(some.head(1))
    assert unfitted.gap_days_ is None and not unfitted.has_pace(some).any()


@given(
    st.integers(2, 400), st.floats(0, 2_000), st.floats(0, 2_000), st.integers(0, 3_000), st.floats(1, 400)
)
def test_days_to_the_next_order_are_in_order_and_within_the_horizon(
    n: int, mean: float, spread: float, waited: int, within: float
) -> None:
    rhythm = OrderRhythm.from_dict({"gap_days": 30.0, "variation": 0.5})
    row = pd.DataFrame(
        {
            "n_order_days": [n], "mean_gap_days": [mean], "gap_spread_days": [spread],
            "days_since_last_order": [waited],
        }
    )  # fmt: skip
    low, median, high = (float(rhythm.predict(row, part, within)[0]) for part in (0.1, 0.5, 0.9))
    assert np.isnan(median) or 0 <= low <= median <= high <= within
