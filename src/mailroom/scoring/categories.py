"""Category intent: what category somebody buys of next, learned, judged and told."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mailroom.estimators.affinity import ShrunkShares
from mailroom.scoring.judging import Evaluation

SCORE = "category"
JUDGED_FROM = 50  # customers with a next basket, in the half that is judged
ABOUT = ["interest", "own_interest", "shop_share"]


@dataclass
class CategoryKit:
    """What own interest weighs against the shop's shares, and whether it is told at all: personal or rule.

    The rule is the shop's shares, for everybody.
    """

    shares: ShrunkShares
    methods: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, ready for JSON."""
        return {"shares": self.shares.to_dict(), "methods": self.methods}


def train_categories(
    outcomes: pd.DataFrame, horizon: int, cutoff_on: str
) -> tuple[CategoryKit, list[Evaluation], str | None, str]:
    """What is to tell the next category, how it would have done, why nothing can be judged (None where it
    can), and why it is that.

    outcomes: rows of category_outcomes. One half of the customers fits, the other is judged; all of them
    fit what is told.
    """
    about = {"cutoff_on": cutoff_on, "horizon_days": horizon}
    shares = _fit(outcomes)
    judged_half = outcomes["customer_id"].astype(str).rank(method="dense").astype(int) % 2 == 1
    judged = outcomes[judged_half].reset_index(drop=True)
    measured = _measures(judged, _fit(outcomes[~judged_half]))
    evaluations = _judge(measured, judged, about)
    n = judged["customer_id"].nunique()
    if n < JUDGED_FROM:
        why = f"Only {n} customers have a basket to judge by; {JUDGED_FROM} are needed."
        return CategoryKit(shares, {SCORE: "rule"}), evaluations, why, why
    losses = measured["log_loss"]
    gain = losses["rule"] - losses["personal"]
    doubt = 1.96 * float(gain.std()) / n**0.5
    against = f"{SCORE}: log loss {losses['personal'].mean():.3f} against {losses['rule'].mean():.3f}"
    if gain.mean() > doubt:
        return CategoryKit(shares, {SCORE: "personal"}), evaluations, None, against
    reason = f"{against} of the shop's shares, not better beyond doubt, so those are told"
    return CategoryKit(shares, {SCORE: "rule"}), evaluations, None, reason


def _fit(rows: pd.DataFrame) -> ShrunkShares:
    interest, own_interest, shop_share = (rows[name] for name in ABOUT)
    return ShrunkShares().fit(interest, own_interest, shop_share, rows["n_bought"])


def _measures(rows: pd.DataFrame, shares: ShrunkShares) -> dict[str, pd.DataFrame]:
    """Per measure and customer, by method. log_loss: mean negative logarithm of the chance of the categories
    bought; hit_share: whether the likeliest one was among them. most_bought: the category of most products
    bought so far, the shop's largest where there is none."""
    chances = pd.DataFrame(
        {
            "personal": shares.predict(*(rows[name] for name in ABOUT)),
            "rule": rows["shop_share"],
            "most_bought": rows["n_products_bought"] + rows["shop_share"],
        }
    )
    customer, n_bought = rows["customer_id"], rows["n_bought"].to_numpy(dtype=float)
    weight = n_bought / pd.Series(n_bought).groupby(customer.to_numpy()).transform("sum").to_numpy()
    loss = pd.DataFrame(
        {method: -np.log(chances[method]) * weight for method in ("personal", "rule")}
    ).groupby(customer.to_numpy())
    hits = {}
    for method in chances:
        first = chances[method].groupby(customer.to_numpy()).idxmax()
        hits[method] = pd.Series(n_bought[first.to_numpy()] > 0, index=first.index, dtype=float)
    return {"log_loss": loss.sum(), "hit_share": pd.DataFrame(hits)}


def _judge(measured: dict[str, pd.DataFrame], rows: pd.DataFrame, about: Evaluation) -> list[Evaluation]:
    own = rows.groupby("customer_id")["own_interest"].first() > 0
    segments = {"all": own | ~own, "no interest": ~own, "some interest": own}
    found = []
    for metric, by_method in measured.items():
        for method in by_method:
            for segment, chosen in segments.items():
                each, rule = by_method[method][chosen], by_method["rule"][chosen]
                n = len(each)
                values: Evaluation = dict.fromkeys(("value", "low", "high", "baseline_value"))
                if n >= 2:
                    value, doubt = float(each.mean()), 1.96 * float(each.std()) / n**0.5
                    values = {"value": value, "low": value - doubt, "high": value + doubt}
                    values["baseline_value"] = float(rule.mean())
                found.append(
                    {"score": SCORE, "method": method, "metric": metric, "segment": segment}
                    | values
                    | {"n_customers": n}
                    | about
                )
    return found
