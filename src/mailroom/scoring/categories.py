"""Category intent: the category that a customer buys from next, learned and back-tested."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mailroom.estimators.affinity import ShrunkShares
from mailroom.scoring.judging import Evaluation

SCORE = "category"
JUDGED_FROM = 50  # customers with a next basket, in the half that is back-tested
ABOUT = ["interest", "own_interest", "shop_share"]


@dataclass
class CategoryKit:
    """The weight of own interest against the shop's shares, and the method that scores: personal or rule.

    The rule is the shop's shares, the same for every customer.
    """

    shares: ShrunkShares
    methods: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers for JSON."""
        return {"shares": self.shares.to_dict(), "methods": self.methods}


def train_categories(
    outcomes: pd.DataFrame, horizon: int, cutoff_on: str
) -> tuple[CategoryKit, list[Evaluation], str | None, str]:
    """Return the model of the next category, its back-test, why there is none (None if there is), and the
    reason of the choice.

    outcomes: rows of category_outcomes. One half of the customers fits, the other half is back-tested. The
    model that scores is fitted on all of them.
    """
    about = {"cutoff_on": cutoff_on, "horizon_days": horizon}
    shares = _fit(outcomes)
    judged_half = outcomes["customer_id"].astype(str).rank(method="dense").astype(int) % 2 == 1
    judged = outcomes[judged_half].reset_index(drop=True)
    measured = _measures(judged, _fit(outcomes[~judged_half]))
    evaluations = _judge(measured, judged, about)
    n = judged["customer_id"].nunique()
    if n < JUDGED_FROM:
        why = f"Only {n} customers have a basket to back-test with; {JUDGED_FROM} are needed."
        return CategoryKit(shares, {SCORE: "rule"}), evaluations, why, why
    losses = measured["log_loss"]
    gain = losses["rule"] - losses["personal"]
    doubt = 1.96 * float(gain.std()) / n**0.5
    against = (
        f"{SCORE}: log loss {losses['personal'].mean():.3f} against {losses['rule'].mean():.3f} for the shop"
    )
    if gain.mean() > doubt:
        return CategoryKit(shares, {SCORE: "personal"}), evaluations, None, against
    reason = f"{against}, not significantly better, so the shop's shares score"
    return CategoryKit(shares, {SCORE: "rule"}), evaluations, None, reason


def _fit(rows: pd.DataFrame) -> ShrunkShares:
    interest, own_interest, shop_share = (rows[name] for name in ABOUT)
    return ShrunkShares().fit(interest, own_interest, shop_share, rows["n_bought"])


def _measures(rows: pd.DataFrame, shares: ShrunkShares) -> dict[str, pd.DataFrame]:
    """Return each measure per customer and method. log_loss: mean negative logarithm of the chance of the
    categories bought. hit_share: whether the likeliest category was among them. Method most_bought is the
    category with most products bought so far, or the shop's largest."""
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
    entries = []
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
                entries.append(
                    {"score": SCORE, "method": method, "metric": metric, "segment": segment}
                    | values
                    | {"n_customers": n}
                    | about
                )
    return entries
