"""Category predictions against the baskets that followed."""

import json

import numpy as np
import pandas as pd
import pytest

from mailroom.scoring.categories import SCORE, train_categories

SHARES = {"Coffee": 0.5, "Kitchen": 0.3, "Home": 0.2}


def outcomes(n: int, loyal: bool) -> pd.DataFrame:
    """Every customer has bought from one category. Loyal customers buy from it again, others from any."""
    random = np.random.default_rng(0)
    rows = []
    for number in range(n):
        liked = random.choice(list(SHARES), p=list(SHARES.values()))
        bought = liked if loyal else random.choice(list(SHARES), p=list(SHARES.values()))
        for category, share in SHARES.items():
            likes = 5.0 if category == liked else 0.0
            rows.append(
                (f"c{number:03}", category, share, likes, 5.0, int(likes > 0), int(category == bought))
            )
    columns = [
        "customer_id", "category", "shop_share", "interest", "own_interest", "n_products_bought", "n_bought"
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def measured(judged: list[dict[str, object]]) -> pd.DataFrame:
    return pd.DataFrame(judged).set_index(["metric", "segment", "method"])


def test_loyal_customers_get_their_category_and_the_back_tested_half_fits_nothing() -> None:
    rows = outcomes(200, loyal=True)
    kit, judged, why_not, reason = train_categories(rows, 90, "2026-04-02")
    assert kit.methods == {SCORE: "personal"} and why_not is None and "log loss" in reason
    made = measured(judged)
    assert made.loc[("hit_share", "all", "personal"), "value"] == 1
    assert made.loc[("hit_share", "all", "most_bought"), "value"] == 1
    assert made.loc[("hit_share", "all", "rule"), "value"] < 0.7
    assert made.loc[("log_loss", "all", "personal"), "high"] < made.loc[("log_loss", "all", "rule"), "low"]
    assert made.loc[("log_loss", "all", "personal"), "baseline_value"] == pytest.approx(
        made.loc[("log_loss", "all", "rule"), "value"]
    )
    assert set(made["n_customers"]) == {100, 0} and json.dumps(kit.to_dict())


def test_own_interest_that_says_nothing_leaves_the_shops_shares() -> None:
    kit, _, why_not, reason = train_categories(outcomes(200, loyal=False), 90, "2026-04-02")
    assert kit.methods == {SCORE: "rule"} and why_not is None and "not significantly better" in reason


def test_a_loss_is_the_mean_over_customers_of_the_mean_over_their_products() -> None:
    rows = outcomes(4, loyal=True)
    rows["interest"], rows["own_interest"] = 0.0, 0.0
    rows["n_bought"] = [3, 1, 0, 1, 1, 1, 0, 0, 1, 1, 0, 0]
    _, judged, why_not, _ = train_categories(rows, 90, "2026-04-02")
    first, third = (3 * np.log(0.5) + np.log(0.3)) / 4, np.log(0.2)
    losses = measured(judged).loc[("log_loss", "all", "rule")]
    assert losses["value"] == pytest.approx(-(first + third) / 2)
    assert measured(judged).loc[("log_loss", "no interest", "personal"), "value"] == pytest.approx(
        losses["value"]
    )
    assert why_not and "Only 2 customers" in why_not


@pytest.mark.parametrize("n", [0, 1, 2, 98])
def test_with_few_baskets_the_shops_shares_score_and_the_reason_says_so(n: int) -> None:
    kit, judged, why_not, reason = train_categories(outcomes(n, loyal=True), 90, "2026-04-02")
    assert kit.methods == {SCORE: "rule"} and why_not == reason
    assert reason == f"Only {(n + 1) // 2} customers have a basket to back-test with; 50 are needed."
    assert json.dumps(judged)
