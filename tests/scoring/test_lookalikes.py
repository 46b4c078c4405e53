"""Traits score lookalikes only if they find best buyers outside the training folds."""

import json

import numpy as np
import pandas as pd

from mailroom.scoring.lookalikes import SCORE, LookalikeKit, train_lookalikes


def traits(n: int, informative: bool = True, n_best: int | None = None) -> pd.DataFrame:
    """Two thirds of n people have bought. Buyers who like boots are best buyers more often, unless
    informative is False. Sessions carry no signal."""
    random = np.random.default_rng(1)
    likes = random.choice(["Boots", "Socks"], n)
    has_bought = np.arange(n) % 3 > 0
    best = has_bought & (random.random(n) < np.where((likes == "Boots") & informative, 0.5, 0.1))
    if n_best is not None:
        best &= np.cumsum(best) <= n_best
    people = pd.DataFrame(
        {
            "customer_id": [f"c{number:05}" for number in range(n)],
            "has_bought": has_bought, "is_best_buyer": best, "is_sampled": True, "sample_weight": 1.0,
        }
    )  # fmt: skip
    sessions = random.choice(["none", "one"], n)
    return pd.concat(
        [
            people.assign(trait="interest", trait_value=likes),
            people.assign(trait="sessions", trait_value=sessions),
        ]
    ).sort_values(["customer_id", "trait"], ignore_index=True)


def test_traits_that_separate_the_best_buyers_score() -> None:
    kit, judged, why_not, reason = train_lookalikes(traits(1_500), "2026-07-01")
    assert kit and why_not is None and kit.methods == {SCORE: "traits"}
    assert " for the traits against " in reason and reason.endswith(" for the rule")
    evaluations = pd.DataFrame(judged).set_index(["method", "metric", "segment"])
    for segment in ("all", "among buyers", "against never-buyers"):
        auc = evaluations.loc[("traits", "auc", segment)]
        assert 0.58 < auc["low"] < auc["value"] < auc["high"] < 0.8 and abs(auc["baseline_value"] - 0.5) < 0.1
    assert evaluations.loc[("traits", "auc", "against never-buyers"), "n_customers"] < 1_500
    again = LookalikeKit.from_dict(json.loads(json.dumps(kit.to_dict())))
    assert again.methods == kit.methods and again.points.points_.equals(kit.points.points_)


def test_uninformative_traits_leave_the_most_active_first() -> None:
    kit, _, why_not, reason = train_lookalikes(traits(1_500, informative=False), "2026-07-01")
    assert kit and why_not is None and kit.methods == {SCORE: "rule"}
    assert set(kit.points.points_["trait"]) == {"sessions"} and reason.endswith("so the rule scores")


def test_too_few_best_buyers_give_no_model() -> None:
    kit, judged, why_not, reason = train_lookalikes(traits(1_500, n_best=49), "2026-07-01")
    assert kit is None and judged == [] and why_not == reason
    assert reason == "Only 49 best buyers have known traits; 50 are needed."


def test_without_a_trait_nothing_is_learned() -> None:
    kit, _, _, reason = train_lookalikes(traits(30).iloc[:0], "2026-07-01")
    assert kit is None and reason == "Only 0 best buyers have known traits; 50 are needed."
