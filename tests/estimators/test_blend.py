"""Blends of features and base, their trees as numbers, and the measures of the back-test."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score

from mailroom.estimators import evaluation
from mailroom.estimators.blend import ReturnBlend, SpendBlend, shift_to_mean
from mailroom.estimators.inputs import INPUTS, Scale, inputs
from mailroom.estimators.rules import RateRule, history_rate
from mailroom.estimators.trees import Trees, bin_edges, binned


def customers(n: int, seed: int = 0) -> pd.DataFrame:
    """Rows of customer_features at random, some of them unknown."""
    random = np.random.default_rng(seed)
    features = pd.DataFrame({name: random.gamma(1.0, 20.0, n) for name in INPUTS})
    features["n_order_days"] = random.integers(1, 9, n)
    for name in ("mean_gap_days", "days_since_last_session"):
        features.loc[random.random(n) < 0.3, name] = np.nan
    features["days_since_last_click"] = np.nan
    return features


def test_trees_predict_what_scikit_learn_predicts() -> None:
    random = np.random.default_rng(1)
    table = random.normal(size=(3_000, 5))
    table[random.random(table.shape) < 0.2] = np.nan
    table[:, 4] = np.nan
    outcome = np.nan_to_num(table[:, 0]) + random.normal(size=3_000) > 0
    classifier = HistGradientBoostingClassifier(max_iter=30, max_leaf_nodes=8, random_state=0)
    trees = Trees.from_dict(json.loads(json.dumps(Trees.grow(classifier, table, outcome).to_dict())))
    new = random.normal(size=(70_000, 5))
    new[random.random(new.shape) < 0.3] = np.nan
    as_seen = binned(new, [bin_edges(column) for column in table.T])
    assert trees.predict_raw(new) == pytest.approx(classifier.decision_function(as_seen), abs=1e-9)
    regressor = HistGradientBoostingRegressor(loss="poisson", max_iter=20, random_state=0)
    trees = Trees.grow(regressor, table, np.exp(np.nan_to_num(table[:, 1])))
    assert np.exp(trees.predict_raw(new)) == pytest.approx(regressor.predict(as_seen), rel=1e-9)


@pytest.fixture(scope="module")
def learned() -> tuple[pd.DataFrame, np.ndarray, ReturnBlend, SpendBlend]:
    features = customers(3_000)
    random = np.random.default_rng(2)
    base = np.clip(1 / (1 + features["days_since_last_order"].to_numpy() / 20), 0.01, 0.99)
    returned = random.random(len(base)) < base
    cutoff = random.integers(0, 3, len(base))
    chance = ReturnBlend().fit(features, base, cutoff, returned)
    money = SpendBlend().fit(features, base * 50, cutoff, returned * random.gamma(2, 25, len(base)))
    return features, base, chance, money


def test_a_blend_keeps_the_level_of_the_base(
    learned: tuple[pd.DataFrame, np.ndarray, ReturnBlend, SpendBlend],
) -> None:
    _, _, chance, money = learned
    features = customers(5_000, seed=9)
    base = np.full(5_000, 0.07)
    for _ in range(2):  # levelling twice is levelling once
        parts = [1 / (1 + np.exp(-part)) for part in chance.level(features, base)._parts(features, base)]
        assert [part.mean() for part in parts] == pytest.approx([0.07, 0.07], abs=1e-6)
    assert money.level(features, base).predict(features, base).sum() == pytest.approx(base.sum())


def test_a_blend_read_from_json_predicts_the_same(
    learned: tuple[pd.DataFrame, np.ndarray, ReturnBlend, SpendBlend],
) -> None:
    features, base, chance, money = learned
    again = ReturnBlend.from_dict(json.loads(json.dumps(chance.to_dict())))
    assert (again.predict(features, base) == chance.predict(features, base)).all()
    spent = SpendBlend.from_dict(json.loads(json.dumps(money.to_dict())))
    assert (spent.predict(features, base) == money.predict(features, base)).all()


@given(
    odd=st.lists(
        st.sampled_from([np.nan, np.inf, -np.inf, -5.0, 0.0, 1e18]),
        min_size=len(INPUTS), max_size=len(INPUTS),
    ),
    base=st.floats(0, 1),
)  # fmt: skip
@settings(max_examples=50)
def test_odd_customers_do_not_break_a_blend(
    learned: tuple[pd.DataFrame, np.ndarray, ReturnBlend, SpendBlend], odd: list[float], base: float
) -> None:
    _, _, chance, money = learned
    row = pd.DataFrame([odd], columns=list(INPUTS))
    assert 0 <= chance.predict(row, [base])[0] <= 1
    assert np.isfinite(chance.contributions(row, [base])).all()
    assert money.predict(row, [base])[0] >= 0


def test_a_column_that_was_constant_in_training_has_no_effect() -> None:
    table = np.array([[1.0, 7.0], [3.0, 7.0]])
    assert Scale.of(table).apply(np.array([[2.0, 9_999.0]])).tolist() == [[0.0, 0.0]]
    with pytest.raises(ValueError, match="customer_features lacks days_since_last_order"):
        inputs(customers(2).drop(columns=["days_since_last_order"]))
    with pytest.raises(ValueError, match="nothing to learn"):
        ReturnBlend().fit(customers(9), np.full(9, 0.5), np.zeros(9), np.ones(9))


@given(target=st.floats(0.001, 0.999), seed=st.integers(0, 99))
def test_a_shift_reaches_its_target_mean(target: float, seed: int) -> None:
    logits = np.random.default_rng(seed).normal(size=50)
    shifted = 1 / (1 + np.exp(-(logits + shift_to_mean(logits, target))))
    assert shifted.mean() == pytest.approx(target, abs=1e-6)


def test_the_recency_rule_is_the_share_of_similar_customers_who_returned() -> None:
    rows = pd.DataFrame({"days_since_last_order": [10] * 980 + [400] * 980, "n_order_days": [1] * 1_960})
    rule = RateRule().fit(rows, [True] * 490 + [False] * 490 + [False] * 980)
    chances = rule.predict(pd.DataFrame({"days_since_last_order": [30, 366, 366], "n_order_days": [1, 1, 2]}))
    # Each cell starts with 20 customers at the shop's rate of 0.25. The last cell has no others.
    assert chances == pytest.approx([495 / 1000, 5 / 1000, 0.25])


def test_the_history_rate_continues_but_not_from_a_single_week() -> None:
    rows = pd.DataFrame({"net_revenue": [365.0, 90.0, -5.0], "age_days": [365, 3, 100]})
    assert history_rate(rows, 90).tolist() == pytest.approx([90, 90, 0])


def test_measures_are_those_of_the_textbook() -> None:
    actual, predicted = np.array([0.0, 0, 10, 30]), np.array([1.0, 2, 3, 4])
    assert evaluation.gini(actual, predicted) == pytest.approx(1, abs=0.06)
    assert evaluation.gini(actual, actual) == 1
    assert evaluation.gini(actual, np.ones(4)) == 0
    assert evaluation.gini(actual, -predicted) < 0
    assert evaluation.spearman(actual, predicted) == pytest.approx(spearmanr(actual, predicted)[0])
    assert evaluation.total_bias(actual, predicted) == -0.75
    assert evaluation.mean_absolute_error(actual, predicted) == 9
    happened, chance = np.array([0.0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8])
    assert evaluation.area_under_curve(happened, chance) == 0.75
    assert evaluation.brier(happened, chance) == pytest.approx(0.158125)
    assert evaluation.calibration_error(happened, happened) == 0
    for measure in (evaluation.gini, evaluation.total_bias, evaluation.area_under_curve):
        assert np.isnan(measure(np.zeros(4), chance))


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 8)), min_size=2, max_size=60))
def test_measures_of_chances_are_those_of_scikit_learn(customers: list[tuple[bool, int]]) -> None:
    happened = np.array([float(did) for did, _ in customers])
    chance = np.array([place / 8 for _, place in customers])
    assert evaluation.logarithmic_loss(happened, chance) == pytest.approx(
        log_loss(happened, np.clip(chance, 1e-9, 1 - 1e-9), labels=[0, 1]), rel=1e-6
    )
    if 0 < happened.sum() < len(happened):
        auc = evaluation.area_under_curve(happened, chance)
        assert auc == pytest.approx(roc_auc_score(happened, chance))
        precision = evaluation.average_precision(happened, chance)
        assert precision == pytest.approx(average_precision_score(happened, chance))


def test_a_confidence_interval_holds_the_value_and_is_the_same_each_time() -> None:
    random = np.random.default_rng(5)
    chance = random.random(400)
    happened = (random.random(400) < chance).astype(float)
    found = [evaluation.confidence_interval(evaluation.area_under_curve, happened, chance) for _ in range(2)]
    assert found[0] == found[1]
    assert found[0][0] < evaluation.area_under_curve(happened, chance) < found[0][1]
