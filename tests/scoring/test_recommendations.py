"""Rankings against the baskets that followed."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score

from mailroom.scoring.recommendations import METHODS, RANKS, SCORE, SHOWN, train_recommendations

CATALOGUE = 30


def outcomes(baskets: list[set[int]], rankings: dict[str, list[list[int]]]) -> pd.DataFrame:
    """Per customer a basket of product numbers and, per method, all products in the order it has them."""
    rows = []
    for number, basket in enumerate(baskets):
        places = {method: np.argsort(order[number]) + 1 for method, order in rankings.items()}
        for product in range(CATALOGUE):
            ranks = {f"{method}_rank": int(places[method][product]) for method in METHODS}
            if min(ranks.values()) <= SHOWN:
                rows.append(
                    {"customer_id": f"c{number:03}", "product_id": product, "was_bought": product in basket}
                    | {"n_order_days": number % 3, "n_bought": len(basket), "n_on_sale": CATALOGUE}
                    | ranks
                )
    return pd.DataFrame(rows)


def measured(judged: list[dict[str, object]]) -> pd.DataFrame:
    return pd.DataFrame(judged).set_index(["metric", "segment", "method"])


orders = st.permutations(range(CATALOGUE))


@given(
    st.lists(
        st.tuples(st.sets(st.integers(0, CATALOGUE - 1), min_size=1), st.tuples(orders, orders, orders)),
        min_size=2, max_size=6,
    )
)  # fmt: skip
def test_the_gain_is_scikit_learns(customers: list[tuple[set[int], tuple[list[int], ...]]]) -> None:
    baskets = [basket for basket, _ in customers]
    rankings = {method: [made[place] for _, made in customers] for place, method in enumerate(METHODS)}
    _, judged, _, _ = train_recommendations(outcomes(baskets, rankings), 90, "2026-04-02")
    for method, order in rankings.items():
        bought = [[product in basket for product in range(CATALOGUE)] for basket in baskets]
        scores = [-np.argsort(one) for one in order]
        value = measured(judged).loc[("ndcg", "all", method), "value"]
        assert value == pytest.approx(ndcg_score(bought, scores, k=SHOWN))
        shown = [set(one[:SHOWN]) for one in order]
        recall = np.mean(
            [len(basket & top) / len(basket) for basket, top in zip(baskets, shown, strict=True)]
        )
        assert measured(judged).loc[("recall", "all", method), "value"] == pytest.approx(recall)
        coverage = len(set().union(*shown)) / CATALOGUE
        assert measured(judged).loc[("coverage", "all", method), "value"] == pytest.approx(coverage)


def rolled(by: int) -> list[int]:
    return [(product + by) % CATALOGUE for product in range(CATALOGUE)]


@pytest.mark.parametrize(
    ("blend", "chosen", "reason_part"),
    [
        (0, "blend", "NDCG 1.000 against"),
        (3, "personal", "not significantly better"),
        (5, "personal", "so personal"),
    ],
)
def test_the_better_ranking_scores(blend: int, chosen: str, reason_part: str) -> None:
    """Everybody buys the first three products."""
    n = 60
    rankings = {
        "blend": [rolled(-blend)] * n, "personal": [rolled(-3)] * n, "popularity": [rolled(-12)] * n
    }  # fmt: skip
    kit, judged, why_not, reason = train_recommendations(
        outcomes([{0, 1, 2}] * n, rankings), 90, "2026-04-02"
    )
    assert kit.methods == {SCORE: chosen} and why_not is None and reason_part in reason
    assert measured(judged).loc[("ndcg", "all", "popularity"), "value"] == 0
    assert set(measured(judged)["baseline_value"]) == {
        measured(judged).loc[(metric, "all", "personal"), "value"]
        for metric in ("ndcg", "recall", "coverage")
    }


def test_with_few_baskets_the_personal_ranking_scores_and_the_reason_says_so() -> None:
    rankings = {method: [rolled(0)] * 49 for method in METHODS}
    kit, _, why_not, reason = train_recommendations(outcomes([{0}] * 49, rankings), 90, "2026-04-02")
    assert kit.methods == {SCORE: "personal"} and why_not == reason and reason.startswith("Only 49 customers")


def test_without_a_basket_nothing_is_measured_and_nothing_breaks() -> None:
    columns = ["customer_id", "product_id", "n_order_days", "n_bought", "n_on_sale", "was_bought", *RANKS]
    kit, judged, why_not, _ = train_recommendations(pd.DataFrame(columns=columns), 90, "2026-04-02")
    assert kit.methods == {SCORE: "personal"} and why_not
    assert json.dumps(kit.to_dict()) and {entry["value"] for entry in judged} == {None}
    assert {entry["method"] for entry in judged} == set(METHODS)
