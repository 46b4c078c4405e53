"""Intervals out of sums: published numbers, a kept library, and what must hold for any data."""

from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from aa import false_wins
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from conftest import PROJECT
from mailroom.measurement.intervals import (
    Difference,
    Sums,
    always_valid_p,
    difference,
    needed_customers,
    of_adjusted_means,
    of_mean,
    of_ratio,
    sample_ratio_p,
    sequence_half_width,
    variance_saved,
)

SHARED = PROJECT.parent / "shared/data"
VALUES = st.lists(st.floats(-1_000, 1_000).map(lambda x: round(x, 3)), min_size=3, max_size=30)


def sums(y: Any, x: Any = None) -> Sums:
    y = np.asarray(y, dtype=float)
    x = np.zeros(len(y)) if x is None else np.asarray(x, dtype=float)
    return Sums(len(y), y.sum(), (y * y).sum(), x.sum(), (x * x).sum(), (x * y).sum())


def compared(treated: Any, control: Any) -> Difference:
    return difference(of_mean(sums(treated)), of_mean(sums(control)))


def data(path: Path) -> Path:
    if not path.exists():
        pytest.skip(f"{path.name} is not here")
    return path


@pytest.fixture(scope="module")
def hillstrom() -> dict[str, Any]:
    path = data(SHARED / "hillstrom/hillstrom.parquet")
    rows = duckdb.connect().execute(f"from '{path}'").df()
    return {name: rows[rows["segment"] == name] for name in ("Mens E-Mail", "Womens E-Mail", "No E-Mail")}


# Hillstrom's e-mail test: difference, its standard error and interval, p-value, lift and its standard error,
# and half-width and p-value of the sequence planned for 5,000, as computed elsewhere to so many digits.
PUBLISHED = [
    (
        "visit", "Mens E-Mail", 0.076590, 0.003386, 0.069953, 0.083226, 1.4e-112, 0.7214, 0.0423, 0.010904,
        2.7e-109,
    ),
    (
        "visit", "Womens E-Mail", 0.045233, 0.003234, 0.038893, 0.051573, 2.4e-44, 0.4261, 0.0366, 0.010417,
        1.2e-41,
    ),
    (
        "conversion", "Mens E-Mail", 0.006805, 0.000921, 0.005000, 0.008610, 1.5e-13, 1.1884, 0.2382,
        0.002966, 1.7e-11,
    ),
    (
        "conversion", "Womens E-Mail", 0.003111, 0.000823, 0.001499, 0.004724, 1.6e-4, 0.5433, 0.1786,
        0.002650, 0.0072,
    ),
    (
        "spend", "Mens E-Mail", 0.769827, 0.145247, 0.485140, 1.054515, 1.2e-7, 1.1793, 0.3240, 0.467762,
        8.1e-6,
    ),
    (
        "spend", "Womens E-Mail", 0.424412, 0.130333, 0.168957, 0.679868, 0.0011, 0.6502, 0.2556, 0.419765,
        0.0446,
    ),
]  # fmt: skip


@pytest.mark.parametrize("published", PUBLISHED, ids=lambda row: f"{row[0]}, {row[1]}")
def test_hillstrom_has_its_published_numbers(hillstrom: dict[str, Any], published: tuple[Any, ...]) -> None:
    outcome, arm, delta, error, low, high, p_value, lift, lift_error, half, valid_p = published
    found = compared(hillstrom[arm][outcome], hillstrom["No E-Mail"][outcome])
    assert found.difference == pytest.approx(delta, abs=6e-7)
    assert found.standard_error == pytest.approx(error, abs=6e-7)
    assert (found.low, found.high) == (pytest.approx(low, abs=6e-7), pytest.approx(high, abs=6e-7))
    assert found.p_value == pytest.approx(p_value, rel=0.05)
    assert (found.lift, found.lift_error) == (
        pytest.approx(lift, abs=6e-5),
        pytest.approx(lift_error, abs=6e-5),
    )
    assert sequence_half_width(found.standard_error, found.n, 5_000) == pytest.approx(half, abs=6e-7)
    p_at_each_look = always_valid_p(found.difference, found.standard_error, found.n, 5_000)
    assert p_at_each_look == pytest.approx(valid_p, rel=0.02)


def test_hillstrom_is_what_scipy_finds(hillstrom: dict[str, Any]) -> None:
    for outcome in ("visit", "conversion", "spend"):
        pair = hillstrom["Womens E-Mail"][outcome].to_numpy(), hillstrom["No E-Mail"][outcome].to_numpy()
        found, other = compared(*pair), stats.ttest_ind(*pair, equal_var=False)
        interval = other.confidence_interval(0.95)
        assert found.p_value == pytest.approx(other.pvalue, rel=1e-9)
        assert (found.low, found.high) == (
            pytest.approx(interval.low, abs=1e-9),
            pytest.approx(interval.high, abs=1e-9),
        )


def test_spend_before_explains_next_to_nothing_of_hillstrom(hillstrom: dict[str, Any]) -> None:
    """A report of 20% would be wrong here. p is tea-tasting's."""
    shares = {"visit": 0.0044, "conversion": 0.0009, "spend": 0.0004}
    for outcome, share in shares.items():
        men, none = (
            sums(hillstrom[arm][outcome], hillstrom[arm]["history"]) for arm in ("Mens E-Mail", "No E-Mail")
        )
        assert variance_saved(men, none) == pytest.approx(share, abs=6e-5)
    women, none = (
        sums(hillstrom[arm]["visit"], hillstrom[arm]["history"]) for arm in ("Womens E-Mail", "No E-Mail")
    )
    assert difference(*of_adjusted_means(women, none)).p_value == pytest.approx(2.988531e-44, rel=1e-6)


def test_growthbooks_own_examples() -> None:
    treated = Sums(3461, 2422.7, 134698.29)
    found = difference(of_mean(treated), of_mean(Sums(3407, 1396.87, 52377.9767)))
    assert (found.low, found.high, found.p_value) == (
        pytest.approx(0.04538, abs=6e-6), pytest.approx(0.53462, abs=6e-6), pytest.approx(0.02016, abs=6e-6),
    )  # fmt: skip
    assert (found.lift, found.lift_error) == (
        pytest.approx(0.70732, abs=6e-6), pytest.approx(0.37879, abs=6e-6),
    )  # fmt: skip
    found = difference(of_mean(treated), of_mean(Sums(3000, 1396.87, 52377.9767)))
    half = sequence_half_width(found.lift_error, found.n, 1_000)
    assert (found.lift - half, found.lift + half) == (
        pytest.approx(-0.55844, abs=6e-6), pytest.approx(1.56516, abs=6e-6),
    )  # fmt: skip
    found = difference(of_mean(Sums(3461, 2422, 2422)), of_mean(Sums(3000, 1396, 1396)))
    half = sequence_half_width(found.lift_error, found.n, 5_000)
    assert (found.lift - half, found.lift + half) == (
        pytest.approx(0.40098, abs=5e-4), pytest.approx(0.60675, abs=5e-4),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("sd", "effect", "share", "n"),
    [
        (11.588, 0.6528 * 0.15, 0.5, 439_715), (11.588, 0.6528 * 0.15, 0.2, 687_054),
        (11.588, 0.6528 * 0.3, 0.05, 578_572), (np.sqrt(0.00573 * 0.99427), 0.00573 * 0.15, 0.5, 242_289),
        (np.sqrt(0.106 * 0.894), 0.106 * 0.15, 0.2, 18_356),
    ],
)  # fmt: skip
def test_the_customers_that_a_shop_needs(sd: float, effect: float, share: float, n: int) -> None:
    assert needed_customers(sd**2, effect, share) == pytest.approx(n, rel=0.002)


def test_the_sizes_of_arms() -> None:
    assert sample_ratio_p([21307, 21387, 21306], [1, 1, 1]) == pytest.approx(0.904, abs=5e-4)
    assert sample_ratio_p([50_500, 49_500], [0.5, 0.5]) < 0.002, "one percent of a hundred thousand"
    assert sample_ratio_p([5_000, 95_000], [0.05, 0.95]) == 1


@pytest.mark.parametrize("outcome", ["visit", "conversion", "spend"])
@pytest.mark.parametrize("share", [0.5, 0.2, 0.05])
def test_where_nothing_differs_at_most_one_in_twenty_experiments_wins(
    hillstrom: dict[str, Any], outcome: str, share: float
) -> None:
    """300 experiments of 42 looks each. The full table is in benchmarks."""
    found = false_wins(hillstrom["No E-Mail"][outcome].to_numpy(float), share, 300, seed=7)
    assert found.ours <= 0.05
    assert found.naive > 0.2, "looking each day at a plain test finds what is not there"
    if outcome != "visit" and share == 0.05:
        assert found.sequence > 0.3, "and so does the plain sequence with a few converters"


def test_power_and_coverage_are_those_of_theory() -> None:
    rng = np.random.default_rng(1)
    n, effect, repeats = 400, 0.2, 4_000
    y = rng.normal(0, 1, (2, repeats, n))
    treated, control = (Sums(n, arm.sum(axis=1), (arm**2).sum(axis=1)) for arm in (y[0] + effect, y[1]))
    found = difference(of_mean(treated), of_mean(control))
    theory = stats.norm.sf(1.959964 - effect / np.sqrt(2 / n)) + stats.norm.cdf(
        -1.959964 - effect / np.sqrt(2 / n)
    )
    assert (found.p_value < 0.05).mean() == pytest.approx(theory, abs=0.02)
    assert 0.94 <= ((found.low < effect) & (effect < found.high)).mean() <= 0.96


def test_a_covariate_saves_the_share_of_the_variance_that_it_explains() -> None:
    rng = np.random.default_rng(2)
    for rho in (0.0, 0.3, 0.83):
        x = rng.normal(0, 1, 40_000)
        y = rho * x + np.sqrt(1 - rho**2) * rng.normal(0, 1, 40_000)
        half = len(x) // 2
        arms = sums(y[:half], x[:half]), sums(y[half:], x[half:])
        plain = difference(of_mean(arms[0]), of_mean(arms[1]))
        better = difference(*of_adjusted_means(*arms))
        saved = 1 - better.standard_error**2 / plain.standard_error**2
        assert saved == pytest.approx(rho**2, abs=0.01) == pytest.approx(variance_saved(*arms), abs=0.01)


@given(VALUES, VALUES)
def test_the_sums_give_what_the_values_give(treated: list[float], control: list[float]) -> None:
    found = compared(treated, control)
    assert found.difference == pytest.approx(np.mean(treated) - np.mean(control), abs=1e-6)
    assert sums(treated).variance == pytest.approx(np.var(treated, ddof=1), rel=1e-6, abs=1e-6)


@given(VALUES, VALUES, st.floats(0.1, 50))
def test_the_unit_of_the_measure_changes_no_lift_and_arms_may_be_swapped(
    treated: list[float], control: list[float], unit: float
) -> None:
    found = compared(treated, control)
    back = compared(control, treated)
    assert (back.difference, back.low) == (
        pytest.approx(-found.difference, abs=1e-9), pytest.approx(-found.high, abs=1e-9),
    )  # fmt: skip
    scaled = compared(np.multiply(treated, unit), np.multiply(control, unit))
    assert scaled.difference == pytest.approx(found.difference * unit, rel=1e-6, abs=1e-6)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9)), min_size=3, max_size=30))
def test_a_ratio_is_that_of_the_sums(pairs: list[tuple[int, int]]) -> None:
    y, x = zip(*pairs, strict=True)
    assert of_ratio(sums(y, x)).mean == pytest.approx(sum(y) / sum(x))


def test_an_arm_without_variance_has_no_certainty() -> None:
    """No customer of the control bought, and one of the treated."""
    found = compared([0, 0, 5], [0, 0, 0])
    assert np.isnan(found.lift) and found.p_value > 0.3
    nothing = compared([0, 0, 0], [0, 0, 0])
    assert np.isnan(nothing.p_value) and (nothing.low, nothing.high) == (0, 0)
