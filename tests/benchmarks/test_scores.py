"""The bench of the scores: what it is given, and what its report says of what was measured."""

from typing import Any

import numpy as np
import pytest
from benchmarks.recommendations import measured
from examples.run import shared_data

from benchmarks import scores, scores_report


def test_histories_are_those_the_papers_count() -> None:
    if not (shared_data() / scores.FILES["cdnow_sample"]).exists():
        pytest.skip("needs the shared data")
    rows = scores.histories("cdnow_sample", "1997-10-01", 273)
    # Fader, Hardie, Lee 2005: 2,357 customers, 946 with another order within the 39 weeks.
    assert len(rows) == 2_357 and (rows["frequency"] > 0).sum() == 946
    assert (rows["recency"] <= rows["age"]).all() and (rows["recency"][rows["frequency"] == 0] == 0).all()
    assert rows["repeat_value"].isna().equals(rows["frequency"] == 0)
    came = rows["days_to_next"].notna()
    assert (rows["n_ordered"] > 0).equals(came) and rows["days_to_next"][came].between(0, 272).all()


def test_generated_histories_are_possible() -> None:
    rows = scores.generated(5_000)
    assert (rows["recency"] <= rows["age"]).all() and (rows["n_orders"] == rows["frequency"] + 1).all()
    assert (rows["recency"] > 0).equals(rows["frequency"] > 0) and (rows["mean_value"] > 0).all()
    # With the parameters of CDNOW most order once.
    assert 0.4 < (rows["frequency"] == 0).mean() < 0.8


def case(**changed: Any) -> dict[str, Any]:
    chance = dict.fromkeys(("average_precision", "log_loss"), 0.5)
    money = dict.fromkeys(("mae", "rmse", "decile_error"), 1.0)
    found = {
        "data": "cdnow", "moment": "1998-04-01", "horizon": 90, "customers": 2_000, "came": 300,
        "about": {
            "churn": "blend", "value": "base", "next_order": "base", "is_level_verified": True,
            "reason": "why.",
        },
        "chance": {
            "Mailroom": chance | {"auc": 0.8, "brier": 0.1, "calibration_error": 0.02},
            "lifetimes": chance | {"auc": 0.3, "brier": 0.2, "calibration_error": 0.4},
            "recency rule": chance | {"auc": 0.7, "brier": 0.11, "calibration_error": 0.03},
        },
        "money": {
            "Mailroom": money | {"gini": 0.7, "spearman": 0.4, "total_bias": -0.04},
            "lifetimes": money | {"gini": 0.71, "spearman": 0.3, "total_bias": 0.2},
            "history rate": money | {"gini": 0.6, "spearman": 0.3, "total_bias": 0.5},
        },
        "next_order": {
            "base": {"mae_days": 20.0, "coverage": 0.8}, "rule": {"mae_days": 30.0, "coverage": 0.9},
        },
        "peers": {"lifetimes": {"error": "did not converge"}},
    }  # fmt: skip
    return found | changed


def test_the_report_says_who_wins_and_what_is_missed() -> None:
    about = case()["about"] | {"is_level_verified": False}
    cases = [case(), case(moment="1998-01-01", about=about)]
    text = "\n".join(scores_report._cases(cases))
    assert "| Mailroom | **0.800** |" in text and "| lifetimes | **0.710** | 0.300 |" in text
    assert "lifetimes failed: did not converge" in text
    (verified,) = [line for line in text.splitlines() if line.startswith("| CDNOW, 1998-04-01 |")]
    assert "gini: no, lifetimes 0.710; spearman: yes; auc: yes; brier: yes" in verified
    assert "-4.0% met" in verified and "0.020 met" in verified and "80.0% met" in verified
    assert text.count("Level not verified") == 1
    aims = {aim.what: (aim.value, aim.is_met) for aim in scores_report.aims({"cases": cases})}
    assert aims["held-out cases in which gini is at least the best peer's"] == ("0 of 2", False)
    assert aims["held-out cases in which auc is at least the best peer's"] == ("2 of 2", True)
    assert aims["held-out cases with a total bias within 5%"] == ("2 of 2", True)


def test_a_list_is_worth_what_it_shows_first() -> None:
    baskets = {"a": {"x", "y"}, "b": {"z"}, "c": {"x"}}
    lists = {"a": ["x", "q", "y"], "b": ["q", "z"]}
    best = 1 + 1 / np.log2(3)
    expected = ((1 + 1 / np.log2(4)) / best + 1 / np.log2(3) + 0) / 3
    found = measured(lists, baskets)
    assert found["ndcg"] == pytest.approx(expected) and found["recall"] == pytest.approx(2 / 3)
    assert found["coverage"] == 4
