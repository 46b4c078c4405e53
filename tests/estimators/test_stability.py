"""The population stability index is 0 for the same column and high for a broken one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mailroom.estimators.stability import FEWEST, shape_of, stability_index

COLUMNS = arrays(float, st.integers(FEWEST, 400), elements=st.floats(allow_nan=True, allow_infinity=True))


@given(COLUMNS)
def test_a_column_has_not_moved_from_itself(column: np.ndarray) -> None:
    assert stability_index(shape_of(column), column[::-1]) == 0


@given(COLUMNS, COLUMNS)
def test_it_is_never_negative_nor_infinite(then: np.ndarray, now: np.ndarray) -> None:
    index = stability_index(shape_of(then), now)
    assert index is not None and 0 <= index < np.inf


def test_it_is_the_sum_over_deciles_of_difference_times_log_ratio() -> None:
    then, now = np.arange(1000.0), np.concatenate([np.arange(1000.0), np.arange(100.0)])
    before, after = np.full(10, 100) + 0.5, np.full(10, 100) + 0.5
    after[0] += 100
    before, after = (np.append(n, 0.5) / (n.sum() + 0.5) for n in (before, after))
    index = stability_index(shape_of(then), now)
    assert index == pytest.approx(((after - before) * np.log(after / before)).sum(), rel=1e-12)


def test_a_broken_column_is_another_population() -> None:
    random = np.random.default_rng(0)
    visits = random.poisson(0.7, 5000).astype(float)
    shape = shape_of(visits)
    same = stability_index(shape, random.poisson(0.7, 5000))
    gone = stability_index(shape, np.zeros(5000))
    unknown = stability_index(shape, np.full(5000, np.nan))
    assert same is not None and same < 0.01
    assert gone is not None and gone > 0.25
    assert unknown is not None and unknown > 0.25


def test_too_few_values_have_no_index() -> None:
    assert stability_index(shape_of(np.arange(FEWEST)), np.arange(FEWEST - 1)) is None
    assert stability_index(shape_of([]), np.arange(FEWEST)) is None
