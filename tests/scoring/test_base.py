"""Fitting similar customers as one hardly changes the parameters."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailroom.scoring import base
from mailroom.scoring.base import HISTORY, Base, grouped


@pytest.fixture(scope="module")
def customers() -> pd.DataFrame:
    random = np.random.default_rng(0)
    n = 12_000
    age = random.integers(30, 700, n)
    rate = random.gamma(0.5, 1 / 60, n)
    frequency = random.poisson(rate * age)
    recency = np.where(frequency > 0, (age * random.beta(2, 1, n)).astype(int).clip(1), 0)
    value = random.gamma(4 * (frequency + 1)) / (frequency + 1) * 10 * random.lognormal(0, 0.5, n)
    return pd.DataFrame(
        {
            "frequency": frequency, "recency_days": recency, "age_days": age,
            "n_order_days": frequency + 1, "mean_order_value": value,
        }
    )  # fmt: skip


def test_rounding_to_weeks_and_hundredths_keeps_parameters_and_predictions(
    customers: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = Base().fit(grouped(customers)).fit_order_value(customers)
    monkeypatch.setattr(base, "MANY", 1_000)
    rough = Base().fit(grouped(customers)).fit_order_value(customers)
    for model, parameters in exact.to_dict().items():
        for name, value in parameters.items():
            assert rough.to_dict()[model][name] == pytest.approx(value, rel=0.02), (model, name)
    orders = [each.predict(customers, [90])["expected_orders_90d"].sum() for each in (exact, rough)]
    assert orders[1] == pytest.approx(orders[0], rel=0.005)
    assert rough.to_dict() != exact.to_dict()


@given(st.lists(st.tuples(*[st.integers(0, 40)] * 3), min_size=1, max_size=80))
def test_every_customer_is_in_the_group_of_their_history(rows: list[tuple[int, int, int]]) -> None:
    histories = pd.DataFrame(rows, columns=HISTORY)
    found = grouped(histories)
    expected = histories.groupby(HISTORY).size()
    assert found.set_index(HISTORY)["n_customers"].to_dict() == expected.to_dict()
    assert not found.duplicated(HISTORY).any()


@given(st.lists(st.tuples(*[st.integers(0, 60)] * 3), min_size=1, max_size=80))
def test_weeks_keep_every_customer_and_their_mean(rows: list[tuple[int, int, int]]) -> None:
    histories = grouped(pd.DataFrame(rows, columns=HISTORY))
    found = base._by_week(histories)
    assert found["n_customers"].sum() == len(rows)
    for name in HISTORY:
        assert (found[name] * found["n_customers"]).sum() == pytest.approx(
            sum(histories[name] * histories["n_customers"])
        )
