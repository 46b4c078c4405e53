"""Models learned from one length of outcome predict another."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailroom.estimators.blend import ReturnBlend, SpendBlend
from mailroom.estimators.inputs import INPUTS
from mailroom.scoring.base import Base, grouped
from mailroom.scoring.kit import YEAR, Kit, levelled, logits, stretched


@pytest.fixture(scope="module")
def customers() -> pd.DataFrame:
    random = np.random.default_rng(0)
    rows = pd.DataFrame({name: random.gamma(1.0, 20.0, 3_000) for name in INPUTS})
    rows["n_order_days"] = random.integers(1, 9, len(rows))
    rows["frequency"] = rows["n_order_days"] - 1
    rows["age_days"] = random.integers(60, 500, len(rows))
    rows["recency_days"] = np.where(rows["frequency"] > 0, rows["age_days"] // 2, 0)
    rows["days_since_last_order"] = rows["age_days"] - rows["recency_days"]
    return rows


def kit(customers: pd.DataFrame, horizon: int, learning_days: int) -> Kit:
    base = Base().fit(grouped(customers)).fit_order_value(customers)
    made = Kit(horizon, learning_days, base, {"chance_shift": 0.2, "money": 0.9, "money_year": 0.8}, True)
    chance, money = made.learned(customers, base.predict(customers, [horizon]))
    visits = customers["n_sessions_30d"].to_numpy()
    returned = visits > np.median(visits)
    moment = np.zeros(len(customers))
    made.chance = ReturnBlend().fit(customers, chance, moment, returned).level(customers, chance)
    made.money = SpendBlend().fit(customers, money, moment, money * (0.5 + returned)).level(customers, money)
    return made


def test_blends_adjust_the_horizon_as_they_adjust_the_learning_days(customers: pd.DataFrame) -> None:
    made = kit(customers, horizon=90, learning_days=30)
    base = made.base.predict(customers, [90, YEAR])
    answers, (chance, money) = made.answer(customers, base), made.learned(customers, base)
    moved = logits(answers["chance_blend"].to_numpy()) - logits(answers["chance_base"].to_numpy())
    assert made.chance and made.money
    np.testing.assert_allclose(
        moved, logits(made.chance.predict(customers, chance)) - logits(chance), atol=1e-6
    )
    ratio = made.money.predict(customers, money) / money
    for over in ("money", "year"):
        np.testing.assert_allclose(answers[f"{over}_blend"] / answers[f"{over}_base"], ratio)
    assert (answers["chance_base"] > chance).all() and (answers["money_base"] > money).all()
    assert np.abs(moved).max() > 0.5 and np.abs(ratio - 1).max() > 0.1


def test_over_the_learning_days_blends_predict_what_they_learned(customers: pd.DataFrame) -> None:
    made = kit(customers, horizon=90, learning_days=90)
    answers = made.answer(customers, made.base.predict(customers, [90, YEAR]))
    assert made.chance and made.money
    np.testing.assert_allclose(
        answers["chance_blend"], made.chance.predict(customers, answers["chance_base"])
    )
    np.testing.assert_allclose(answers["money_blend"], made.money.predict(customers, answers["money_base"]))


@given(st.floats(0, 1), st.floats(1, 12))
def test_a_chance_over_more_days_is_larger_and_still_one(chance: float, times: float) -> None:
    (longer,) = stretched(np.array([chance]), times)
    assert chance - 1e-12 <= longer <= 1
    assert levelled(np.array([chance]), 0.0)[0] == pytest.approx(chance, abs=1e-8)
