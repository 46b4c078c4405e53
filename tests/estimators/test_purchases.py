"""The purchase models match published results on CDNOW and closed formulas, and stay finite on any input."""

from typing import Any

import duckdb
import numpy as np
import pytest
from examples.run import shared_data
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from mailroom.estimators.purchases import (
    BetaGeometricModel,
    ModifiedBetaGeometricModel,
    _DropOutModel,
    _History,
)
from mailroom.estimators.spend import GammaGammaModel, _log_likelihood

SAMPLE = shared_data() / "cdnow" / "cdnow_sample.parquet"
MODELS = [BetaGeometricModel, ModifiedBetaGeometricModel]
cdnow_only = pytest.mark.skipif(not SAMPLE.exists(), reason=f"{SAMPLE} is missing")


def sample() -> dict[str, np.ndarray]:
    """CDNOW's sample to 1997-09-30 in weeks: repeat purchase days, times, mean value of repeat purchases, and
    purchase days in the 39 weeks after it."""
    rows = (
        duckdb.connect()
        .execute(f"""
        with days as (
            select
                sample_id,
                order_date,
                sum(dollar_value) as spent,
                min(order_date) over (partition by sample_id) as first_on
            from '{SAMPLE}'
            group by sample_id, order_date
        )
        select
            sample_id,
            count(*) filter (where order_date <= date '1997-09-30') - 1 as frequency,
            (max(order_date) filter (where order_date <= date '1997-09-30') - min(order_date)) / 7 as recency,
            (date '1997-09-30' - min(order_date)) / 7 as age,
            avg(spent) filter (where order_date > first_on and order_date <= date '1997-09-30') as value,
            count(*) filter (where order_date > date '1997-09-30') as later
        from days
        group by sample_id
        order by sample_id
    """)
        .fetchnumpy()
    )
    return {name: np.ma.filled(values, np.nan) for name, values in rows.items() if name != "sample_id"}


@cdnow_only
def test_bg_nbd_is_as_published() -> None:
    """Fader, Hardie, Lee (2005), table 2 and the note on its spreadsheet."""
    data = sample()
    model = BetaGeometricModel().fit(data["frequency"], data["recency"], data["age"])
    published = {"r": 0.2426, "alpha": 4.4135, "a": 0.7929, "b": 2.4258}
    assert model.parameters_ == pytest.approx(published, rel=1e-3)
    assert model.log_likelihood_ == pytest.approx(-9582.43, abs=0.005)
    assert float(model.expected_purchases(39, 2, 30.43, 38.86)) == pytest.approx(1.2259, abs=5e-5)


@cdnow_only
def test_gamma_gamma_is_as_published() -> None:
    """Fader, Hardie (2013), note 025: the 946 customers who returned."""
    data = sample()
    back = data["frequency"] > 0
    assert back.sum() == 946
    model = GammaGammaModel(ridge=0).fit(data["frequency"][back], data["value"][back])
    published = {"p": 6.2488, "q": 3.7446, "gamma": 15.448}
    assert {name: model.parameters_[name] for name in published} == pytest.approx(published, rel=1e-3)


@cdnow_only
def test_the_hold_out_of_cdnow_is_ranked_with_the_right_total() -> None:
    """39 weeks ahead by number of repeat purchases, as in figure 3 of the paper."""
    data = sample()
    model = BetaGeometricModel().fit(data["frequency"], data["recency"], data["age"])
    expected = model.expected_purchases(39, data["frequency"], data["recency"], data["age"])
    by_frequency = [
        (expected[chosen].mean(), data["later"][chosen].mean())
        for chosen in (data["frequency"] == n for n in range(7))
    ]
    for forecast, actual in by_frequency:
        assert forecast == pytest.approx(actual, abs=0.6)
    assert [forecast for forecast, _ in by_frequency] == sorted(forecast for forecast, _ in by_frequency)


@cdnow_only
@pytest.mark.parametrize("model", MODELS)
def test_equal_customers_as_one_weighted_row_give_the_same_fit(model: type[_DropOutModel]) -> None:
    data = sample()
    whole = np.floor(np.column_stack([data["frequency"], data["recency"], data["age"]]))
    rows, counts = np.unique(whole, axis=0, return_counts=True)
    assert len(rows) < len(whole)
    one_by_one = model().fit(*whole.T)
    as_groups = model().fit(rows[:, 0], rows[:, 1], rows[:, 2], counts)
    assert as_groups.parameters_ == pytest.approx(one_by_one.parameters_, rel=1e-3)
    assert as_groups.log_likelihood_ == pytest.approx(one_by_one.log_likelihood_, rel=1e-9)


@pytest.mark.parametrize("model", MODELS)
def test_the_gradient_is_that_of_the_likelihood(model: type[_DropOutModel]) -> None:
    x, t, age = np.array([0.0, 1, 2, 9]), np.array([0.0, 3, 10, 30]), np.array([5.0, 30, 30, 30])
    history = _History(x, t, age, x + model.first_purchase_counts, np.array([3.0, 2, 1, 1]))
    at = np.array([0.4, 6.0, 0.8, 2.2])
    _, gradient = history.log_likelihood(at)
    for place, slope in enumerate(gradient):
        step = np.zeros(4)
        step[place] = 1e-6
        around = history.log_likelihood(at + step)[0] - history.log_likelihood(at - step)[0]
        assert slope == pytest.approx(around / 2e-6, rel=1e-5)


def test_the_gradient_of_order_values_is_that_of_their_likelihood() -> None:
    n, value, weight = np.array([1.0, 2, 7]), np.array([0.5, 1, 2]), np.array([1.0, 4, 2])
    at = np.array([3.0, 2.5, 0.8])
    _, gradient = _log_likelihood(n, value, weight, *at)
    for place, slope in enumerate(gradient):
        step = np.zeros(3)
        step[place] = 1e-6
        above, _ = _log_likelihood(n, value, weight, *(at + step))
        below, _ = _log_likelihood(n, value, weight, *(at - step))
        assert slope == pytest.approx((above - below) / 2e-6, rel=1e-5)


def fitted(model: type[_DropOutModel], r: float, alpha: float, a: float, b: float) -> _DropOutModel:
    made = model()
    made.r_, made.alpha_, made.a_, made.b_ = r, alpha, a, b
    return made


@pytest.mark.parametrize("model", MODELS)
def test_a_simulated_shop_is_recovered(model: type[_DropOutModel]) -> None:
    """20,000 customers drawn from the model buy as it expects."""
    random = np.random.default_rng(3)
    n, until, horizon = 20_000, 60.0, 30.0
    rate, chance = random.gamma(0.6, 1 / 8.0, n), random.beta(0.9, 2.5, n)
    age = random.uniform(10, until, n)
    first_counts = model.first_purchase_counts
    frequency, recency, later = np.zeros(n), np.zeros(n), np.zeros(n)
    for customer in range(n):
        at, alive = 0.0, not (first_counts and random.random() < chance[customer])
        while alive:
            at += random.exponential(1 / rate[customer])
            if at > age[customer] + horizon:
                break
            if at <= age[customer]:
                frequency[customer] += 1
                recency[customer] = at
            else:
                later[customer] += 1
            alive = random.random() >= chance[customer]
    found = model().fit(frequency, recency, age)
    columns = (frequency, recency, age)
    assert found.parameters_["r"] == pytest.approx(0.6, rel=0.15)
    assert found.expected_purchases(horizon, *columns).sum() == pytest.approx(later.sum(), rel=0.04)
    chances = found.probability_of_purchase(horizon, *columns)
    assert chances.sum() == pytest.approx((later > 0).sum(), rel=0.04)


@pytest.mark.parametrize("model", MODELS)
def test_the_expectation_matches_numerical_integration(model: type[_DropOutModel]) -> None:
    """In closed form and by integration over the customer's own rate and chance: a second way to the
    expectation that shares no formula with the first."""
    r, alpha, a, b = 0.5, 6.0, 1.7, 2.6
    made = fitted(model, r, alpha, a, b)
    x, t, age, horizon = 3.0, 20.0, 31.0, 26.0

    def given(rate: float, chance: float) -> tuple[float, float]:
        """Likelihood that the history came about and is not over, and with its end."""
        exits = x + made.first_purchase_counts
        active = (1 - chance) ** exits * rate**x * np.exp(-rate * age)
        gone = chance * (1 - chance) ** (exits - 1) * rate**x * np.exp(-rate * t)
        return active, gone

    rates = np.linspace(1e-5, 4, 3_000)
    chances = np.linspace(5e-4, 1 - 5e-4, 700)
    rate, chance = np.meshgrid(rates, chances)
    prior = rate ** (r - 1) * np.exp(-alpha * rate) * chance ** (a - 1) * (1 - chance) ** (b - 1)
    active, gone = given(rate, chance)  # type: ignore[arg-type]
    # Purchases continue at the rate until the customer drops out.
    ahead = (1 - np.exp(-rate * chance * horizon)) / chance
    weight = prior * (active + gone)
    expected = (prior * active * ahead).sum() / weight.sum()
    assert float(made.expected_purchases(horizon, x, t, age)) == pytest.approx(expected, rel=5e-3)
    some = (prior * active * (1 - np.exp(-rate * horizon))).sum() / weight.sum()
    assert float(made.probability_of_purchase(horizon, x, t, age)) == pytest.approx(some, rel=5e-3)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("size", [200, 17_000])
def test_with_equal_drop_out_chances_the_expectation_has_a_closed_form(
    model: type[_DropOutModel], size: float
) -> None:
    """Each purchase is the last with a chance of 20%: a thinned gamma process, in closed form."""
    r, alpha, horizon = 1.2, 40.0, 365.0
    made = fitted(model, r, alpha, 0.2 * size, 0.8 * size)
    x, t, age = np.array([0.0, 1, 6]), np.array([0.0, 90, 300]), np.array([50.0, 200, 320])
    ahead = (1 - ((alpha + age) / (alpha + age + 0.2 * horizon)) ** (r + x)) / 0.2
    expected = made.probability_alive(x, t, age) * ahead
    assert made.expected_purchases(horizon, x, t, age) == pytest.approx(expected, rel=3 / size**0.5)


@given(
    parameters=st.tuples(*[st.floats(0.01, 50)] * 4),
    history=st.tuples(st.integers(0, 300), st.floats(0, 1), st.floats(0, 5_000)),
    horizon=st.floats(0.5, 2_000),
    which=st.sampled_from(MODELS),
)
def test_predictions_are_in_range_for_any_customer(
    parameters: tuple[float, ...], history: tuple[int, float, float], horizon: float, which: Any
) -> None:
    frequency, share, age = history
    made = fitted(which, *parameters)
    known = (frequency, share * age if frequency else 0.0, age)
    chance = float(made.probability_of_purchase(horizon, *known))
    expected = float(made.expected_purchases(horizon, *known))
    assert 0 <= chance <= 1 and np.isfinite(expected)
    assert expected >= chance * (1 - 1e-6), "the expected number must be at least the chance"
    assert made.probability_of_purchase(2 * horizon, *known) >= chance
    low, middle, high = (float(made.purchase_within_quantile(q, horizon, *known)) for q in (0.1, 0.5, 0.9))
    assert 0 <= low <= middle <= high <= horizon * (1 + 1e-6)


def test_the_next_purchase_is_as_likely_before_its_median_as_after_it() -> None:
    made = fitted(BetaGeometricModel, 0.5, 6.0, 0.9, 2.6)
    frequency, age, horizon = 2.0, 30.0, 52.0
    rate, start = made.r_ + frequency, made.alpha_ + age

    def density(days: float) -> float:
        return float(rate / start * (start / (start + days)) ** (rate + 1))

    median = float(made.purchase_within_quantile(0.5, horizon, frequency, 20.0, age))
    before, after = quad(density, 0, median)[0], quad(density, median, horizon)[0]
    assert before == pytest.approx(after, rel=1e-6)


def test_impossible_histories_are_named() -> None:
    for row in ((1, 5, 4), (-1, 0, 4), (0, 2, 4), (2, 1, float("nan"))):
        rows = np.array([(0, 0, 9), row], dtype=float)
        with pytest.raises(ValueError, match="row 1 is not a possible purchase history"):
            BetaGeometricModel().fit(*rows.T)


@pytest.mark.parametrize("model", MODELS)
def test_few_and_odd_customers_have_finite_predictions(model: type[_DropOutModel]) -> None:
    for histories in ([(0, 0, 10)], [(0, 0, 0)], [(50, 10, 10)] * 3, [(0, 0, 10)] * 500, [(1, 9, 10)] * 500):
        columns = np.array(histories, dtype=float).T
        made = model().fit(*columns)
        assert np.isfinite(list(made.parameters_.values())).all()
        assert np.isfinite(made.expected_purchases(90, *columns)).all()


def test_order_values_that_never_differ_are_that_value() -> None:
    model = GammaGammaModel().fit([1, 2, 3], [20, 20, 20])
    assert model.expected_value([0, 5], [np.nan, 20]).tolist() == [20, 20]


def test_customers_who_returned_all_orders_are_expected_to_spend_less_the_more_they_ordered() -> None:
    model = GammaGammaModel().fit([1, 2, 3, 4], [10, 20, 30, 40])
    stranger, refunded, negative, a_cent, longer, unknown = model.expected_value(
        [0, 3, 3, 3, 6, 3], [np.nan, 0, -5, 0.01, 0, np.nan]
    )
    assert stranger == unknown > a_cent > refunded == negative > longer > 0
    assert a_cent == pytest.approx(refunded, rel=0.01)
    with pytest.raises(ValueError, match="no customer"):
        GammaGammaModel().fit([1, 2], [0, -1])
